#include "cache/memory_chunks.h"

#include <algorithm>
#include <bit>
#include <new>

#include "cache/memory_classes.h"

namespace cohort::memory {

namespace {

constexpr uint32_t kAllUnits = ~uint32_t{0};
static_assert(kUnits == 32);

constexpr uint32_t Mask(uint32_t first, uint32_t units) { return ((units == kUnits ? 0 : 1U << units) - 1) << first; }

// The last place for a run of that many units; kUnits: there is none. Runs are laid from the end on, single units from
// the start, where the chunk's own bytes take some of the first.
uint32_t PlaceFor(uint32_t units, uint32_t free_units) {
  if (units == 1) return static_cast<uint32_t>(std::countr_zero(free_units));  // kUnits if there is none.
  uint32_t starts = free_units;
  for (uint32_t i = 1; i < units; ++i) starts &= free_units >> i;
  return starts == 0 ? kUnits : kUnits - 1 - static_cast<uint32_t>(std::countl_zero(starts));
}

}  // namespace

uint32_t UnitsOf(uint32_t size_class) {
  constexpr uint32_t kMost = 8;
  const size_t bytes = BytesOf(size_class);
  uint32_t best = 1;
  size_t least = kChunkBytes;
  for (uint32_t units = 1; units <= kMost; ++units) {
    const size_t waste = units * kUnitBytes % bytes;
    if (waste * 64 <= units * kUnitBytes) return units;
    if (waste / units < least) {
      least = waste / units;
      best = units;
    }
  }
  return best;
}

// Where several blocks begin in one set of the processor's caches, each span starts its blocks a few lines further on
// than the one before; that may cost it a block.
void Span::Open(uint32_t its_class, uint32_t its_heap) {
  constexpr size_t kLine = 64;
  constexpr size_t kColours = 8;
  char* begin = reinterpret_cast<char*>(Chunk::Of(this)) + first * kUnitBytes;
  size_t bytes = units * kUnitBytes;
  if (first == 0) {
    begin += sizeof(Chunk);
    bytes -= sizeof(Chunk);
  }
  const size_t size = BytesOf(its_class);
  size_t count = bytes / size;
  if (size % (4 * kLine) == 0 && bytes % size < kLine * (kColours - 1)) --count;
  const size_t slack = bytes - count * size;
  const size_t colours = std::min(kColours, slack / kLine + 1);
  free = nullptr;
  fresh = begin + (reinterpret_cast<uintptr_t>(begin) / kUnitBytes) % colours * kLine;
  prev = next = nullptr;
  used = 0;
  capacity = static_cast<uint32_t>(count);
  block_bytes = static_cast<uint32_t>(size);
  quarters_per_block = (4U << 16) / capacity;
  size_class = static_cast<uint16_t>(its_class);
  heap = static_cast<uint8_t>(its_heap);
  bin = 0;
}

ChunkPool::~ChunkPool() {
  for (const List& list : by_free_units_) {
    for (Chunk* chunk = list.first; chunk != nullptr;) {
      Chunk* const next = chunk->next;
      Unmap(chunk, kChunkBytes);
      chunk = next;
    }
  }
}

Span* ChunkPool::Take(uint32_t units) {
  constexpr int kMostTries = 32;  // Of chunks that have the units, but not in one run.
  std::lock_guard<std::mutex> lock(mutex_);
  Chunk* chunk = nullptr;
  uint32_t first = kUnits;
  int tries = 0;
  for (uint32_t free_units = units; free_units <= kUnits && first == kUnits; ++free_units) {
    if (tries > kMostTries) free_units = kUnits;
    for (chunk = by_free_units_[free_units].first; chunk != nullptr; chunk = chunk->next) {
      first = PlaceFor(units, chunk->free_units & ~chunk->purged_units);
      if (first == kUnits) first = PlaceFor(units, chunk->free_units);
      if (first != kUnits || ++tries > kMostTries) break;
    }
  }
  if (first == kUnits) {
    chunk = Map();
    first = PlaceFor(units, chunk->free_units);
  } else {
    if (chunk->free_units == kAllUnits) --empty_chunks_;
    Unlink(chunk);
  }
  const uint32_t run = Mask(first, units);
  idle_units_ -= std::popcount(run & ~chunk->purged_units);
  used_units_ += units;
  chunk->free_units &= ~run;
  chunk->purged_units &= ~run;
  if (chunk->has_holes && chunk->free_units == 0) {
    chunk->has_holes = false;
    if (chunks_ > kPlainChunks) AdviseHuge(chunk, kChunkBytes);
  }
  Link(chunk);
  for (uint32_t i = first; i < first + units; ++i) chunk->spans[i].first = static_cast<uint8_t>(first);
  chunk->spans[first].units = static_cast<uint8_t>(units);
  return &chunk->spans[first];
}

Chunk* ChunkPool::Give(Span* span) {
  Chunk* const chunk = Chunk::Of(span);
  std::lock_guard<std::mutex> lock(mutex_);
  Unlink(chunk);
  chunk->free_units |= Mask(span->first, span->units);
  used_units_ -= span->units;
  idle_units_ += span->units;
  if (chunk->free_units == kAllUnits) {
    if (empty_chunks_ == kSpareChunks) {
      --chunks_;
      idle_units_ -= kUnits - std::popcount(chunk->purged_units);
      return chunk;
    }
    ++empty_chunks_;
  }
  Link(chunk);
  Purge();
  return nullptr;
}

int64_t ChunkPool::mapped_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return chunks_ * static_cast<int64_t>(kChunkBytes);
}

int64_t ChunkPool::held_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return (used_units_ + idle_units_) * static_cast<int64_t>(kUnitBytes);
}

Chunk* ChunkPool::Map() {
  void* const memory = MapAligned(kChunkBytes);
  if (chunks_ < kPlainChunks) AdviseOrdinary(memory, kChunkBytes);
  if (chunks_ == kPlainChunks) {  // No longer small: the kernel may make huge pages of the first chunks as well.
    for (const List& list : by_free_units_) {
      for (Chunk* chunk = list.first; chunk != nullptr; chunk = chunk->next) AdviseHuge(chunk, kChunkBytes);
    }
  }
  if (chunks_ >= kPlainChunks) AdviseHuge(memory, kChunkBytes);
  ++chunks_;
  idle_units_ += kUnits;
  Chunk* const chunk =
      static_cast<Chunk*>(memory);  // The system's memory is zero: the spans begin to live when opened.
  chunk->free_units = kAllUnits;
  return chunk;
}

// Sparsest chunks first: they are the last to be asked for a span. Their pages become ordinary ones, or the kernel
// would soon fill the holes to have its huge page again.
void ChunkPool::Purge() {
  const int64_t kept = IdleBytesKept(used_units_ * static_cast<int64_t>(kUnitBytes) / 16);
  for (uint32_t free_units = kUnits - 1; free_units > 0; --free_units) {
    const List& list = by_free_units_[free_units];
    while (list.first != nullptr && list.first->free_units != list.first->purged_units) {
      if (idle_units_ * static_cast<int64_t>(kUnitBytes) <= kept) return;
      Chunk* const chunk = list.first;
      if (!chunk->has_holes) AdviseOrdinary(chunk, kChunkBytes);
      chunk->has_holes = true;
      uint32_t idle = chunk->free_units & ~chunk->purged_units;
      idle_units_ -= std::popcount(idle);
      Unlink(chunk);
      chunk->purged_units |= idle;
      Link(chunk);
      while (idle != 0) {
        const uint32_t first = static_cast<uint32_t>(std::countr_zero(idle));
        const uint32_t units = static_cast<uint32_t>(std::countr_one(idle >> first));
        idle &= ~Mask(first, units);
        // The first unit begins with what is known of the others.
        char* const begin = reinterpret_cast<char*>(chunk);
        GiveBack(begin + (first == 0 ? sizeof(Chunk) : first * kUnitBytes), begin + (first + units) * kUnitBytes);
      }
    }
  }
}

void ChunkPool::Link(Chunk* chunk) {
  List& list = by_free_units_[std::popcount(chunk->free_units)];
  chunk->prev = chunk->next = nullptr;
  if (list.first == nullptr) {
    list.first = list.last = chunk;
  } else if (chunk->free_units != chunk->purged_units) {
    chunk->next = list.first;
    list.first = list.first->prev = chunk;
  } else {
    chunk->prev = list.last;
    list.last = list.last->next = chunk;
  }
}

void ChunkPool::Unlink(Chunk* chunk) {
  List& list = by_free_units_[std::popcount(chunk->free_units)];
  (chunk->prev == nullptr ? list.first : chunk->prev->next) = chunk->next;
  (chunk->next == nullptr ? list.last : chunk->next->prev) = chunk->prev;
}

}  // namespace cohort::memory
