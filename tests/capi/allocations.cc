// In a file of its own, so that no compiler sees through the replaced operators.
#include "capi/allocations.h"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COHORT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COHORT_SANITIZED 1
#endif
#endif

#if defined(COHORT_SANITIZED)  // The sanitizers have operators of their own.

namespace capi_test {
int64_t Allocations() { return -1; }
}  // namespace capi_test

#else

namespace {
thread_local int64_t allocations = 0;
}

namespace capi_test {
int64_t Allocations() { return allocations; }
}  // namespace capi_test

void* operator new(size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

#endif
