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
// Free memory that is kept for the next blocks: a part of what is in use, and at least two chunks.
constexpr int64_t IdleBytesKept(int64_t part) {
  constexpr int64_t kLeast = 2 * static_cast<int64_t>(kChunkBytes);
  return part > kLeast ? part : kLeast;
}

// Zeroed, and aligned to their size, a power of two of at least a chunk. Throws std::bad_alloc.
void* MapAligned(size_t bytes);
// Any number of whole pages, not aligned further; huge ones where that fits. Throws std::bad_alloc.
void* MapPages(size_t bytes);
void Unmap(void* begin, size_t bytes);
// A kernel that has no huge pages refuses the advice, and the memory keeps its ordinary ones.
void AdviseHuge(void* begin, size_t bytes);
void AdviseOrdinary(void* begin, size_t bytes);
// The memory of whole pages in between goes back; they read as zero from now on. Where the system has no such call,
// they keep it.
void GiveBack(char* begin, char* end);

}  // namespace cohort::memory
