// What the allocator asks of the operating system: aligned chunks of 2 MiB, of huge pages where the kernel has them,
// whose parts may be given back one by one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cohort::memory {

constexpr size_t kChunkBytes = size_t{2} << 20;

// The first few chunks of each kind have ordinary pages, of which only those that are touched cost memory: a small
// cache must not cost a huge page for each of its first chunks.
constexpr int64_t kPlainChunks = 4;
// One chunk without any block is kept, for a cache that fills and empties again and again.
constexpr int64_t kSpareChunks = 1;
// Free memory that is kept for the next blocks: one byte for each 16 that are in use, or two chunks.
constexpr int64_t IdleBytesKept(int64_t used_bytes) {
  constexpr int64_t kFew = 2 * static_cast<int64_t>(kChunkBytes);
  return used_bytes / 16 > kFew ? used_bytes / 16 : kFew;
}

// Zeroed. Throws std::bad_alloc.
void* MapChunk();
// Any number of whole pages, not aligned further; huge ones where that fits. Throws std::bad_alloc.
void* MapPages(size_t bytes);
void Unmap(void* begin, size_t bytes);
// Advice for a chunk: a kernel that has no huge pages refuses, and the chunk keeps its ordinary ones.
void AdviseHuge(void* chunk);
void AdviseOrdinary(void* chunk);
// The memory of whole pages in between goes back; they read as zero from now on. Where the system has no such call,
// they keep it.
void GiveBack(char* begin, char* end);

}  // namespace cohort::memory
