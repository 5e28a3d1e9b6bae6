// Chunks are what the allocator takes from the system: 2 MiB, aligned (memory_system.h). For small and medium blocks a
// chunk is cut into 32 units of 64 KiB, and a run of units is a span: blocks of one size. What is known of a span
// stands in the chunk's first bytes, so that a block's address alone leads to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "cache/memory_system.h"

namespace cohort::memory {

constexpr size_t kUnitBytes = size_t{64} << 10;
constexpr uint32_t kUnits = kChunkBytes / kUnitBytes;

// Guarded by the lock of its heap, but for what says where it belongs: that stays while a block of it is in use.
struct alignas(64) Span {
  struct FreeBlock {
    FreeBlock* next;
  };

  // Makes it one of empty blocks of that class.
  void Open(uint32_t its_class, uint32_t its_heap);
  // REQUIRES: used < capacity.
  void* Take() {
    ++used;
    if (free != nullptr) {
      FreeBlock* const block = free;
      free = block->next;
      return block;
    }
    char* const block = fresh;
    fresh += block_bytes;
    return block;
  }
  void Give(void* block) {
    free = new (block) FreeBlock{free};
    --used;
  }
  // How full it is, in quarters. REQUIRES: used < capacity.
  uint32_t Fullness() const { return (used * quarters_per_block) >> 16; }

  FreeBlock* free;  // Blocks that have been given back.
  char* fresh;      // Blocks from here on have never been touched, so the system need not have given them memory yet.
  Span* prev;       // Among the spans of its heap that are as full and of the same class.
  Span* next;
  uint32_t used;
  uint32_t capacity;
  uint32_t block_bytes;
  uint32_t quarters_per_block;  // In 1/65536.
  uint16_t size_class;
  uint8_t heap;
  uint8_t bin;
  uint8_t first;  // The run's first unit: of all units of a run.
  uint8_t units;
};
static_assert(sizeof(Span) == 64);

struct Chunk {
  static Chunk* Of(void* address) {
    return reinterpret_cast<Chunk*>(reinterpret_cast<uintptr_t>(address) & ~uintptr_t{kChunkBytes - 1});
  }
  static Span* SpanOf(void* block) {
    Chunk* const chunk = Of(block);
    const size_t unit = (reinterpret_cast<uintptr_t>(block) & (kChunkBytes - 1)) / kUnitBytes;
    return &chunk->spans[chunk->spans[unit].first];
  }

  Chunk* prev;
  Chunk* next;
  uint32_t free_units;    // One bit each.
  uint32_t purged_units;  // Those of the free ones whose memory the system has back.
  bool has_holes;         // Since the last time that it was full.
  Span spans[kUnits];
};

// How many units a span of that class has: few, but enough that little is left over at its end.
uint32_t UnitsOf(uint32_t size_class);

// Thread safe. Spans come from the fullest chunk that has room, so that sparse ones empty and go back to the system.
// Where they don't, because a few spans in each stay, the memory of their free units goes back alone once there is much
// of it.
class ChunkPool {
 public:
  ChunkPool() = default;
  // REQUIRES: no block is in use.
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // Throws std::bad_alloc with nothing changed.
  Span* Take(uint32_t units);
  // Returns a chunk that nobody needs any more: to be unmapped when no lock is held.
  [[nodiscard]] Chunk* Give(Span* span);

  // Address space, and how much of it may have memory: spans, and free units that are not purged.
  int64_t mapped_bytes() const;
  int64_t held_bytes() const;
  // Around a fork.
  void Lock() { mutex_.lock(); }
  void Unlock() { mutex_.unlock(); }

 private:
  Chunk* Map();
  void Purge();
  void Link(Chunk* chunk);
  void Unlink(Chunk* chunk);

  mutable std::mutex mutex_;
  struct List {
    Chunk* first = nullptr;
    Chunk* last = nullptr;
  };
  List by_free_units_[kUnits + 1];  // In each, chunks that can be purged come first.
  int64_t chunks_ = 0;
  int64_t used_units_ = 0;
  int64_t idle_units_ = 0;  // Free, but not purged.
  int64_t empty_chunks_ = 0;
};

}  // namespace cohort::memory
