// LargeStore gives out large blocks as runs of 4 KiB pages in chunks of 16 MiB of their own: what is free between two
// blocks is one hole, whatever sizes made it, and the memory of holes goes back to the system once there is much of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "cache/memory_classes.h"
#include "cache/memory_system.h"

namespace cohort::memory {

constexpr size_t kLargeChunkBytes = size_t{16} << 20;
constexpr uint32_t kLargePages = kLargeChunkBytes / kLargePageBytes;
// What is larger still is mapped for itself.
constexpr size_t kLargestRun = size_t{1} << 20;

// One bit for each page of a chunk.
class PageSet {
 public:
  void Set(uint32_t first, uint32_t count, bool value);
  // The first page from there on that is in the set, or is not; kLargePages: none.
  uint32_t Next(uint32_t from, bool in_set) const;
  // How many pages of that run are in the set.
  uint32_t Count(uint32_t first, uint32_t count) const;

 private:
  uint64_t words_[kLargePages / 64];
};

// Thread safe.
class LargeStore {
 public:
  LargeStore() = default;
  // REQUIRES: no block is in use.
  ~LargeStore();
  LargeStore(const LargeStore&) = delete;
  LargeStore& operator=(const LargeStore&) = delete;

  // Aligned to 4 KiB. Throws std::bad_alloc with nothing changed. REQUIRES: 0 < size <= kLargestRun.
  void* Allocate(size_t size);
  // REQUIRES: `block` is from Allocate(size).
  void Free(void* block, size_t size);

  int64_t mapped_bytes() const;
  int64_t held_bytes() const;
  int64_t used_bytes() const;
  // Around a fork.
  void Lock() { mutex_.lock(); }
  void Unlock() { mutex_.unlock(); }

 private:
  // By the largest hole, in steps of 64 KiB; where that holds every block, by how much is free, in steps of 1 MiB.
  static constexpr uint32_t kHoleStep = 16;
  static constexpr uint32_t kHoleBins = kLargestRun / kLargePageBytes / kHoleStep;
  static constexpr uint32_t kFreeStep = 256;
  static constexpr uint32_t kBins = kHoleBins + kLargePages / kFreeStep;
  static constexpr uint32_t kUsablePages = kLargePages - 1;  // The first one is the chunk's own.

  struct Chunk {
    Chunk* prev;
    Chunk* next;
    uint32_t bin;
    uint32_t free_pages;
    uint32_t purged_pages;  // Those of the free ones whose memory the system has back.
    bool has_holes;         // Since the last time that it was empty.
    PageSet free;
    PageSet purged;
  };
  static_assert(sizeof(Chunk) <= kLargePageBytes);
  struct List {
    Chunk* first = nullptr;
    Chunk* last = nullptr;
  };

  static uint32_t BinOf(const Chunk* chunk);
  static uint32_t PlaceFor(const Chunk* chunk, uint32_t pages);
  Chunk* Map();
  void Purge();
  void PurgeChunk(Chunk* chunk);
  void Link(Chunk* chunk);
  void Unlink(Chunk* chunk);

  mutable std::mutex mutex_;
  List bins_[kBins];  // In each, chunks that can be purged come first.
  int64_t chunks_ = 0;
  int64_t empty_chunks_ = 0;
  int64_t used_pages_ = 0;
  int64_t idle_pages_ = 0;  // Free, but not purged.
};

}  // namespace cohort::memory
