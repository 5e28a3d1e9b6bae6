// BlockStore gives out blocks of all small and medium sizes from a few heaps, so that threads seldom wait for each
// other. A block goes back to the heap it came from, whichever thread gives it back; no thread keeps any for itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "cache/memory_chunks.h"
#include "cache/memory_classes.h"

namespace cohort::memory {

// The spans of one stripe by class, fullest first: sparse ones are left alone until they are empty and go.
class alignas(64) BlockHeap {
 public:
  // Counts who had to wait for the lock. True when that is one in kPatience or more for a while.
  bool Enter();
  void Leave() { mutex_.unlock(); }

  // REQUIRES (all below): entered.
  // Null: no span of that class has a free block.
  void* Take(uint32_t size_class);
  // Takes over an opened span.
  void Add(Span* span);
  // True: the span is empty, and no longer of this heap.
  [[nodiscard]] bool Give(Span* span, void* block);
  int64_t used_bytes() const { return used_bytes_; }

 private:
  static constexpr uint32_t kBins = 4;
  static constexpr uint32_t kPatience = 32;
  static constexpr uint32_t kTooManyWaits = 256;

  struct Class {
    Span* bins[kBins] = {};
    uint32_t filled = 0;  // A bit for each bin that has a span.
  };

  void Link(Span* span, uint32_t bin);
  void Unlink(Span* span);

  std::mutex mutex_;
  uint32_t waits_ = 0;
  int64_t used_bytes_ = 0;
  Class classes_[kClasses];
};

// Thread safe.
class BlockStore {
 public:
  static constexpr uint32_t kMostHeaps = 16;

  // `heaps`: how many threads may be in at the same time at most.
  explicit BlockStore(uint32_t heaps);

  // Aligned to 8 bytes, and to 16 if the block's size is a multiple of 16. Throws std::bad_alloc with nothing changed.
  // REQUIRES: size <= kLargestBlock.
  void* Allocate(size_t size);
  // REQUIRES: `block` is of this store.
  void Free(void* block) { FreeAll(&block, 1); }
  void FreeAll(void* const* blocks, size_t count);

  int64_t mapped_bytes() const { return pool_.mapped_bytes(); }
  int64_t held_bytes() const { return pool_.held_bytes(); }
  // What is in use, as blocks.
  int64_t used_bytes();

  // Around a fork: a child that finds a lock held by a thread that it does not have would wait forever.
  void LockAll();
  void UnlockAll();

 private:
  uint32_t Enter();
  void Crowded();

  const uint32_t most_heaps_;
  std::atomic<uint32_t> heaps_in_use_{1};
  BlockHeap heaps_[kMostHeaps];
  ChunkPool pool_;  // Its lock comes after a heap's.
};

}  // namespace cohort::memory
