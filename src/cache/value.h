// Value is an immutable run of bytes with an expiry, shared by reference count: what a cache holds and a get hands out.
// Its key, its bytes and a cache's links to it live in one allocation; bytes may also be borrowed from the host.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cohort {

class Value;

// A counted reference to a Value; null by default.
class ValueRef {
 public:
  ValueRef() = default;
  // Takes over one reference.
  explicit ValueRef(Value* value) : value_(value) {}
  ValueRef(const ValueRef& other);
  ValueRef(ValueRef&& other) noexcept : value_(other.value_) { other.value_ = nullptr; }
  ValueRef& operator=(const ValueRef& other);
  ValueRef& operator=(ValueRef&& other) noexcept;
  ~ValueRef();

  explicit operator bool() const { return value_ != nullptr; }
  Value* operator->() const { return value_; }
  Value& operator*() const { return *value_; }
  Value* get() const { return value_; }
  // Gives up the reference without dropping it.
  Value* release();

 private:
  Value* value_ = nullptr;
};

using DestroyFn = void (*)(void* user);

class Value {
 public:
  static constexpr size_t kMaxKeySize = (size_t{1} << 24) - 1;
  static constexpr uint64_t kMaxSize = (uint64_t{1} << 37) - 1;

  // A copy of the bytes. `key` is stored beside them so that a cache need not allocate again; it may be empty when it
  // is not known yet. Throws std::bad_alloc, also when a size is above its limit.
  static ValueRef Copy(std::string_view key, std::string_view bytes, int64_t expire_unix_ns);
  // Memory of the host: destroy(user) runs once, when the last reference goes (or before this throws std::bad_alloc).
  // `destroy` may be null.
  static ValueRef Borrow(std::string_view key, std::string_view bytes, int64_t expire_unix_ns, DestroyFn destroy,
                         void* user);
  // The same bytes under another key and expiry, without copying them: holds a reference to `source`, or to what that
  // wraps. REQUIRES: source. Throws std::bad_alloc.
  static ValueRef Wrap(std::string_view key, ValueRef source, int64_t expire_unix_ns);

  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;

  std::string_view key() const { return {Bytes() + KeyOffset(), key_size()}; }
  std::string_view bytes() const {
    if (shape_ >> kKindAt == 0) [[likely]] {  // Inline, and never expires.
      return {Bytes() + kHeaderBytes + (shape_ >> kKeySizeAt), static_cast<size_t>(size())};
    }
    if (kind() != Kind::kInline) return OutsideBytes();
    return {Bytes() + KeyOffset() + key_size(), static_cast<size_t>(size())};
  }
  int64_t expire_unix_ns() const;  // 0 = never.
  bool ExpiredAt(int64_t unix_ns) const { return expires() && expire_unix_ns() <= unix_ns; }
  bool expires() const { return shape_ >> kExpiresAt != 0; }

  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    // Whoever has the only reference needs no locked instruction to drop it: nobody can take another.
    if (OnlyReference() || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) Destroy();
  }
  // Whether the caller's reference is the only one.
  bool OnlyReference() const { return refs_.load(std::memory_order_acquire) == 1; }

 protected:
  enum class Kind : uint8_t { kInline, kBorrowed, kWrap };
  static constexpr size_t kHeaderBytes = 24;

  Value(Kind kind, std::string_view key, uint64_t size, bool expires)
      : shape_(size | key.size() << kKeySizeAt | static_cast<uint64_t>(kind) << kKindAt |
               uint64_t{expires} << kExpiresAt) {}
  ~Value() = default;

  static constexpr unsigned kKeySizeAt = 37;
  static constexpr unsigned kKindAt = 61;
  static constexpr unsigned kExpiresAt = 63;

  Kind kind() const { return static_cast<Kind>(shape_ >> kKindAt & 3); }
  uint64_t size() const { return shape_ & kMaxSize; }
  size_t key_size() const { return static_cast<size_t>(shape_ >> kKeySizeAt & kMaxKeySize); }
  const char* Bytes() const { return reinterpret_cast<const char*>(this); }
  // Behind the header and, in a value that expires, the time of it; inline bytes follow the key.
  size_t KeyOffset() const { return kHeaderBytes + (expires() ? sizeof(int64_t) : 0); }
  std::string_view OutsideBytes() const;
  void Destroy();

  std::atomic<uint32_t> refs_{1};
  // The rest of the header but the sizes belongs to the cache that holds this value (entry.h).
  std::atomic<uint16_t> state_{0};
  std::atomic<uint16_t> hits_{0};
  // From the low end: the size, that of the key, the kind, whether it expires.
  const uint64_t shape_;
  uint64_t where_ = 0;
};

inline int64_t Value::expire_unix_ns() const {
  if (!expires()) return 0;
  int64_t at = 0;
  std::memcpy(&at, Bytes() + kHeaderBytes, sizeof at);
  return at;
}

inline ValueRef::ValueRef(const ValueRef& other) : value_(other.value_) {
  if (value_ != nullptr) value_->Ref();
}

inline ValueRef& ValueRef::operator=(const ValueRef& other) { return *this = ValueRef(other); }

inline ValueRef& ValueRef::operator=(ValueRef&& other) noexcept {
  if (this == &other) return *this;
  Value* const old = value_;
  value_ = other.release();
  if (old != nullptr) old->Unref();
  return *this;
}

inline ValueRef::~ValueRef() {
  if (value_ != nullptr) value_->Unref();
}

inline Value* ValueRef::release() {
  Value* const value = value_;
  value_ = nullptr;
  return value;
}

}  // namespace cohort
