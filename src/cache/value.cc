#include "cache/value.h"

#include <cstring>
#include <new>
#include <utility>

#include "cache/entry.h"
#include "cache/memory.h"

namespace cohort {

namespace {

// Runs destroy(user) on leaving the scope, unless a value has taken it over.
class HostMemory {
 public:
  HostMemory(DestroyFn destroy, void* user) : destroy_(destroy), user_(user) {}
  ~HostMemory() {
    if (destroy_ != nullptr) destroy_(user_);
  }
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  void Release() { destroy_ = nullptr; }

 private:
  DestroyFn destroy_;
  void* user_;
};

constexpr size_t AlignedForPointers(size_t size) { return (size + alignof(void*) - 1) & ~(alignof(void*) - 1); }

}  // namespace

ValueRef Value::Copy(std::string_view key, std::string_view bytes, int64_t expire_unix_ns) {
  Entry* const entry = Entry::Make(Kind::kInline, key, bytes.size(), expire_unix_ns);
  char* const to = reinterpret_cast<char*>(entry) + entry->KeyOffset() + key.size();
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return ValueRef(entry);
}

ValueRef Value::Borrow(std::string_view key, std::string_view bytes, int64_t expire_unix_ns, DestroyFn destroy,
                       void* user) {
  HostMemory memory(destroy, user);
  Entry* const entry = Entry::Make(Kind::kBorrowed, key, bytes.size(), expire_unix_ns);
  new (entry->Behind()) Entry::Host{bytes.data(), destroy, user};
  memory.Release();
  return ValueRef(entry);
}

ValueRef Value::Wrap(std::string_view key, ValueRef source, int64_t expire_unix_ns) {
  if (source->kind() == Kind::kWrap) {
    Value* const inner = *Entry::Of(source.get())->source();
    inner->Ref();
    source = ValueRef(inner);
  }
  Entry* const entry = Entry::Make(Kind::kWrap, key, source->size(), expire_unix_ns);
  new (entry->Behind()) Value*(source.release());
  return ValueRef(entry);
}

std::string_view Value::OutsideBytes() const {
  Entry* const entry = Entry::Of(const_cast<Value*>(this));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  if (kind() == Kind::kWrap) return (*entry->source())->bytes();
  return {entry->host()->data, static_cast<size_t>(size())};
}

void Value::Destroy() {
  Entry* const entry = Entry::Of(this);
  Entry::Host host{nullptr, nullptr, nullptr};
  Value* source = nullptr;
  if (kind() == Kind::kBorrowed) host = *entry->host();
  if (kind() == Kind::kWrap) source = *entry->source();
  const size_t allocated = entry->AllocatedBytes();
  entry->~Entry();
  Memory::Free(entry, allocated);
  if (host.destroy != nullptr) host.destroy(host.user);
  if (source != nullptr) source->Unref();
}

size_t Entry::AllocationBytes(Kind kind, size_t key_size, uint64_t size, bool expires) {
  const size_t front = kHeaderBytes + (expires ? sizeof(int64_t) : 0) + key_size;
  switch (kind) {
    case Kind::kInline:
      return front + static_cast<size_t>(size);
    case Kind::kBorrowed:
      return AlignedForPointers(front) + sizeof(Host);
    case Kind::kWrap:
      break;
  }
  return AlignedForPointers(front) + sizeof(Value*);
}

Entry* Entry::Make(Kind kind, std::string_view key, uint64_t size, int64_t expire_unix_ns) {
  static_assert(sizeof(Entry) == kHeaderBytes);
  if (key.size() > kMaxKeySize || size > kMaxSize) throw std::bad_alloc();
  const bool expires = expire_unix_ns != 0;
  void* const memory = Memory::Allocate(AllocationBytes(kind, key.size(), size, expires));
  Entry* const entry = new (memory) Entry(kind, key, size, expires);
  char* const begin = static_cast<char*>(memory);
  if (expires) std::memcpy(begin + kHeaderBytes, &expire_unix_ns, sizeof expire_unix_ns);
  if (!key.empty()) std::memcpy(begin + entry->KeyOffset(), key.data(), key.size());
  return entry;
}

void* Entry::Behind() { return reinterpret_cast<char*>(this) + AlignedForPointers(KeyOffset() + key_size()); }

bool Entry::IsBorrowed() const {
  if (kind() == Kind::kWrap)
    return Of(*const_cast<Entry*>(this)->source())->IsBorrowed();  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  return kind() == Kind::kBorrowed;
}

int64_t Entry::FootprintBytes() const {
  const int64_t own = Memory::BlockBytes(AllocatedBytes());
  if (kind() == Kind::kInline) return own;
  if (kind() == Kind::kBorrowed) return own + static_cast<int64_t>(size());
  Entry* const self = const_cast<Entry*>(this);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  return own + Of(*self->source())->FootprintBytes();
}

}  // namespace cohort
