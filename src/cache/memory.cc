#include "cache/memory.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "cache/memory_classes.h"
#include "cache/memory_heap.h"
#include "cache/memory_large.h"
#include "cache/memory_system.h"

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

struct Stores {
  explicit Stores(uint32_t heaps) : blocks(heaps) {}
  memory::BlockStore blocks;
  memory::LargeStore large;
  std::atomic<int64_t> alone_bytes{0};  // Of blocks that are mapped for themselves.
};

// Never destroyed: values may live longer than anything.
std::atomic<Stores*> the_stores{nullptr};
pthread_once_t make_once = PTHREAD_ONCE_INIT;

Stores& Made() { return *the_stores.load(std::memory_order_acquire); }

void BeforeFork() {
  Made().blocks.LockAll();
  Made().large.Lock();
}

void AfterFork() {
  Made().large.Unlock();
  Made().blocks.UnlockAll();
}

void Make() {
  const int64_t processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  the_stores.store(new Stores(static_cast<uint32_t>(std::clamp<int64_t>(processors, 1, 64))),
                   std::memory_order_release);
  ::pthread_atfork(BeforeFork, AfterFork, AfterFork);
}

// Once as pthread has it: a child that is forked while another thread is in Make begins anew.
Stores& All() {
  if (the_stores.load(std::memory_order_acquire) == nullptr) [[unlikely]] {
    ::pthread_once(&make_once, Make);
  }
  return Made();
}

void* MapAlone(size_t size) {
  void* const block = memory::MapPages(memory::WholePages(size));
  All().alone_bytes.fetch_add(static_cast<int64_t>(memory::WholePages(size)), std::memory_order_relaxed);
  return block;
}

void UnmapAlone(void* block, size_t size) {
  memory::Unmap(block, memory::WholePages(size));
  Made().alone_bytes.fetch_sub(static_cast<int64_t>(memory::WholePages(size)), std::memory_order_relaxed);
}

}  // namespace

void* Memory::Allocate(size_t size) {
  if (kPlain) return ::operator new(size);
  if (const Hook hook = before_allocation.load(std::memory_order_relaxed)) [[unlikely]] {
    hook();
  }
  if (size <= memory::kLargestBlock) return All().blocks.Allocate(size);
  if (size <= memory::kLargestRun) return All().large.Allocate(size);
  return MapAlone(size);
}

void Memory::Free(void* block, size_t size) {
  if (kPlain) {
    ::operator delete(block);
  } else if (size <= memory::kLargestBlock) {
    Made().blocks.Free(block);
  } else if (size <= memory::kLargestRun) {
    Made().large.Free(block, size);
  } else {
    UnmapAlone(block, size);
  }
}

void Memory::FreeAll(const Block* blocks, size_t count) {
  void* small[kTogether];
  size_t smalls = 0;
  for (size_t i = 0; i < count; ++i) {
    if (kPlain || blocks[i].size > memory::kLargestBlock) {
      Free(blocks[i].block, blocks[i].size);
    } else {
      small[smalls++] = blocks[i].block;
    }
  }
  if (smalls > 0) Made().blocks.FreeAll(small, smalls);
}

Memory::Stats Memory::Now() {
  Stores& all = All();
  const int64_t alone = all.alone_bytes.load(std::memory_order_relaxed);
  return {all.blocks.mapped_bytes() + all.large.mapped_bytes() + alone,
          all.blocks.held_bytes() + all.large.held_bytes() + alone,
          all.blocks.used_bytes() + all.large.used_bytes() + alone};
}

bool Memory::Plain() { return kPlain; }

void Memory::SetHook(Hook hook) { before_allocation.store(hook, std::memory_order_relaxed); }

}  // namespace cohort
