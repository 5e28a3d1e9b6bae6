#include "cache/memory.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "cache/memory_classes.h"
#include "cache/memory_heap.h"

#if defined(COHORT_PLAIN_MEMORY) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COHORT_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define COHORT_PLAIN 1
#endif
#endif

namespace cohort {

namespace {

#ifdef COHORT_PLAIN
constexpr bool kPlain = true;
#else
constexpr bool kPlain = false;
#endif

std::atomic<Memory::Hook> before_allocation{nullptr};

// Never destroyed: values may live longer than anything.
std::atomic<memory::BlockStore*> the_store{nullptr};
pthread_once_t make_once = PTHREAD_ONCE_INIT;

memory::BlockStore& Made() { return *the_store.load(std::memory_order_acquire); }

void Make() {
  const int64_t processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  the_store.store(new memory::BlockStore(static_cast<uint32_t>(std::clamp<int64_t>(processors, 1, 64))),
                  std::memory_order_release);
  ::pthread_atfork([] { Made().LockAll(); }, [] { Made().UnlockAll(); }, [] { Made().UnlockAll(); });
}

// Once as pthread has it: a child that is forked while another thread is in Make begins anew.
memory::BlockStore& Store() {
  if (the_store.load(std::memory_order_acquire) == nullptr) [[unlikely]] {
    ::pthread_once(&make_once, Make);
  }
  return Made();
}

// What malloc takes, as glibc rounds it: 8 bytes in front and 16-byte steps, pages when large.
constexpr int64_t MallocBytes(size_t size) {
  constexpr size_t kLarge = size_t{128} << 10;
  const size_t step = size < kLarge ? 16 : 4096;
  return static_cast<int64_t>((size + 8 + step - 1) / step * step);
}

}  // namespace

void* Memory::Allocate(size_t size) {
  if (kPlain || size > memory::kLargestBlock) return ::operator new(size);
  if (const Hook hook = before_allocation.load(std::memory_order_relaxed)) [[unlikely]] {
    hook();
  }
  return Store().Allocate(size);
}

void Memory::Free(void* block, size_t size) {
  if (kPlain || size > memory::kLargestBlock) {
    ::operator delete(block);
    return;
  }
  Made().Free(block);
}

int64_t Memory::BlockBytes(size_t size) {
  if (size > memory::kLargestBlock) return MallocBytes(size);
  return static_cast<int64_t>(memory::BytesOf(memory::ClassOf(size)));
}

Memory::Stats Memory::Now() { return {Store().mapped_bytes(), Store().held_bytes(), Store().used_bytes()}; }

bool Memory::Plain() { return kPlain; }

void Memory::SetHook(Hook hook) { before_allocation.store(hook, std::memory_order_relaxed); }

}  // namespace cohort
