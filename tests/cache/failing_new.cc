// Replaces the program's operator new with one that can be told to fail, and lets the cache's memory fail likewise.
#include "cache/failing_new.h"

#include <cstdlib>
#include <new>

#include "cache/memory.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COHORT_FOREIGN_NEW 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define COHORT_FOREIGN_NEW 1
#endif

namespace {

constexpr int kNever = -1;
thread_local int allocations_left = kNever;

bool FailsNow() {
  if (allocations_left == kNever) return false;
  return allocations_left-- == 0;
}

void FailIfTold() {
  if (FailsNow()) throw std::bad_alloc();
}

#ifndef COHORT_FOREIGN_NEW
void* Allocate(std::size_t size) {
  if (FailsNow()) throw std::bad_alloc();
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* Allocate(std::size_t size, std::align_val_t align) {
  if (FailsNow()) throw std::bad_alloc();
  const std::size_t step = static_cast<std::size_t>(align);
  void* const memory = std::aligned_alloc(step, (size + step - 1) / step * step);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
#endif

}  // namespace

#ifndef COHORT_FOREIGN_NEW
void* operator new(std::size_t size) { return Allocate(size); }
void* operator new[](std::size_t size) { return Allocate(size); }
void* operator new(std::size_t size, std::align_val_t align) { return Allocate(size, align); }
void* operator new[](std::size_t size, std::align_val_t align) { return Allocate(size, align); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return FailsNow() ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return FailsNow() ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#endif

namespace cohort {

FailingNew::FailingNew(int allocations) {
  Memory::SetHook(FailIfTold);
  allocations_left = allocations;
}
FailingNew::~FailingNew() { allocations_left = kNever; }
bool FailingNew::failed() const { return allocations_left == kNever; }

bool FailingNew::Works() {
#ifdef COHORT_FOREIGN_NEW
  return false;
#else
  return true;
#endif
}

}  // namespace cohort
