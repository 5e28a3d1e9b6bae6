#include "cache/memory_large.h"

#include <algorithm>
#include <bit>
#include <new>

namespace cohort::memory {

namespace {

constexpr uint32_t kWordBits = 64;

// The bits of word `word` that belong to the run.
constexpr uint64_t Part(uint32_t word, uint32_t first, uint32_t count) {
  const uint32_t begin = std::max(first, word * kWordBits) - word * kWordBits;
  const uint32_t end = std::min(first + count, (word + 1) * kWordBits) - word * kWordBits;
  const uint64_t below_end = end == kWordBits ? ~uint64_t{0} : (uint64_t{1} << end) - 1;
  return below_end & ~((uint64_t{1} << begin) - 1);
}

constexpr int64_t Bytes(int64_t pages) { return pages * static_cast<int64_t>(kLargePageBytes); }

}  // namespace

void PageSet::Set(uint32_t first, uint32_t count, bool value) {
  for (uint32_t word = first / kWordBits; word * kWordBits < first + count; ++word) {
    const uint64_t part = Part(word, first, count);
    words_[word] = value ? words_[word] | part : words_[word] & ~part;
  }
}

uint32_t PageSet::Next(uint32_t from, bool in_set) const {
  for (uint32_t word = from / kWordBits; word < kLargePages / kWordBits; ++word) {
    uint64_t bits = in_set ? words_[word] : ~words_[word];
    if (word == from / kWordBits) bits &= ~((uint64_t{1} << (from % kWordBits)) - 1);
    if (bits != 0) return word * kWordBits + static_cast<uint32_t>(std::countr_zero(bits));
  }
  return kLargePages;
}

uint32_t PageSet::Count(uint32_t first, uint32_t count) const {
  int sum = 0;
  for (uint32_t word = first / kWordBits; word * kWordBits < first + count; ++word)
    sum += std::popcount(words_[word] & Part(word, first, count));
  return static_cast<uint32_t>(sum);
}

LargeStore::~LargeStore() {
  for (const List& list : bins_) {
    for (Chunk* chunk = list.first; chunk != nullptr;) {
      Chunk* const next = chunk->next;
      Unmap(chunk, kLargeChunkBytes);
      chunk = next;
    }
  }
}

// The smallest hole that is large enough; kLargePages: there is none.
uint32_t LargeStore::PlaceFor(const Chunk* chunk, uint32_t pages) {
  uint32_t best = kLargePages;
  uint32_t least = kLargePages;
  for (uint32_t begin = chunk->free.Next(0, true); begin < kLargePages;) {
    const uint32_t end = chunk->free.Next(begin, false);
    if (end - begin >= pages && end - begin < least) {
      least = end - begin;
      best = begin;
    }
    begin = end == kLargePages ? end : chunk->free.Next(end, true);
  }
  return best;
}

uint32_t LargeStore::BinOf(const Chunk* chunk) {
  uint32_t largest = 0;
  for (uint32_t begin = chunk->free.Next(0, true); begin < kLargePages;) {
    const uint32_t end = chunk->free.Next(begin, false);
    largest = std::max(largest, end - begin);
    begin = end == kLargePages ? end : chunk->free.Next(end, true);
  }
  const uint32_t hole = largest / kHoleStep;
  return hole < kHoleBins ? hole : kHoleBins + chunk->free_pages / kFreeStep;
}

// From a chunk whose largest hole is just large enough, or else from the fullest, so that sparse ones empty.
void* LargeStore::Allocate(size_t size) {
  constexpr int kMostTries = 8;  // Of those whose largest hole is of about that size; in later bins the first will do.
  const uint32_t pages = static_cast<uint32_t>(WholePages(size) / kLargePageBytes);
  std::lock_guard<std::mutex> lock(mutex_);
  Chunk* chunk = nullptr;
  uint32_t first = kLargePages;
  for (uint32_t bin = pages / kHoleStep; bin < kBins && first == kLargePages; ++bin) {
    int tries = 0;
    for (chunk = bins_[bin].first; chunk != nullptr && tries < kMostTries; chunk = chunk->next, ++tries) {
      first = PlaceFor(chunk, pages);
      if (first != kLargePages) break;
    }
  }
  if (first == kLargePages) {
    chunk = Map();
    first = 1;
  } else {
    if (chunk->free_pages == kUsablePages) --empty_chunks_;
    Unlink(chunk);
  }
  const uint32_t purged = chunk->purged.Count(first, pages);
  idle_pages_ -= pages - purged;
  used_pages_ += pages;
  chunk->free_pages -= pages;
  chunk->purged_pages -= purged;
  chunk->free.Set(first, pages, false);
  chunk->purged.Set(first, pages, false);
  Link(chunk);
  return reinterpret_cast<char*>(chunk) + first * kLargePageBytes;
}

void LargeStore::Free(void* block, size_t size) {
  const uint32_t pages = static_cast<uint32_t>(WholePages(size) / kLargePageBytes);
  const uintptr_t address = reinterpret_cast<uintptr_t>(block);
  Chunk* const chunk = reinterpret_cast<Chunk*>(address & ~uintptr_t{kLargeChunkBytes - 1});
  const uint32_t first = static_cast<uint32_t>((address & (kLargeChunkBytes - 1)) / kLargePageBytes);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Unlink(chunk);
    chunk->free.Set(first, pages, true);
    chunk->free_pages += pages;
    used_pages_ -= pages;
    idle_pages_ += pages;
    if (chunk->free_pages < kUsablePages || empty_chunks_ < kSpareChunks) {
      if (chunk->free_pages == kUsablePages) ++empty_chunks_;
      Link(chunk);
      Purge();
      return;
    }
    --chunks_;
    idle_pages_ -= kUsablePages - chunk->purged_pages;
  }
  Unmap(chunk, kLargeChunkBytes);
}

int64_t LargeStore::mapped_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return chunks_ * static_cast<int64_t>(kLargeChunkBytes);
}

int64_t LargeStore::held_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return Bytes(used_pages_ + idle_pages_ + chunks_);
}

int64_t LargeStore::used_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return Bytes(used_pages_);
}

LargeStore::Chunk* LargeStore::Map() {
  Chunk* const chunk = static_cast<Chunk*>(MapAligned(kLargeChunkBytes));  // Zeroed, which is right for all but these.
  if (chunks_ == 0) {
    AdviseOrdinary(chunk, kLargeChunkBytes);
  } else {
    AdviseHuge(chunk, kLargeChunkBytes);
  }
  ++chunks_;
  idle_pages_ += kUsablePages;
  chunk->free_pages = kUsablePages;
  chunk->free.Set(1, kUsablePages, true);
  return chunk;
}

// Emptiest chunks first: they are the last to be asked for a block. Where sizes differ, about a sixth is in holes all
// the time; to give those back and to touch them anew would cost more than all else.
void LargeStore::Purge() {
  constexpr int64_t kPart = 4;
  const int64_t kept = IdleBytesKept(Bytes(used_pages_) / kPart);
  for (uint32_t bin = kBins; bin-- > 0;) {
    const List& list = bins_[bin];
    while (list.first != nullptr && list.first->free_pages != list.first->purged_pages) {
      if (Bytes(idle_pages_) <= kept) return;
      PurgeChunk(list.first);
    }
  }
}

// Its pages become ordinary ones, or the kernel would soon fill the holes to have its huge page again.
void LargeStore::PurgeChunk(Chunk* chunk) {
  Unlink(chunk);
  if (!chunk->has_holes) AdviseOrdinary(chunk, kLargeChunkBytes);
  chunk->has_holes = true;
  for (uint32_t begin = chunk->free.Next(0, true); begin < kLargePages;) {
    const uint32_t end = chunk->free.Next(begin, false);
    if (chunk->purged.Count(begin, end - begin) < end - begin) {
      char* const memory = reinterpret_cast<char*>(chunk);
      GiveBack(memory + begin * kLargePageBytes, memory + end * kLargePageBytes);
      chunk->purged.Set(begin, end - begin, true);
    }
    begin = end == kLargePages ? end : chunk->free.Next(end, true);
  }
  idle_pages_ -= chunk->free_pages - chunk->purged_pages;
  chunk->purged_pages = chunk->free_pages;
  Link(chunk);
}

void LargeStore::Link(Chunk* chunk) {
  chunk->bin = BinOf(chunk);
  List& list = bins_[chunk->bin];
  chunk->prev = chunk->next = nullptr;
  if (list.first == nullptr) {
    list.first = list.last = chunk;
  } else if (chunk->free_pages != chunk->purged_pages) {
    chunk->next = list.first;
    list.first = list.first->prev = chunk;
  } else {
    chunk->prev = list.last;
    list.last = list.last->next = chunk;
  }
}

void LargeStore::Unlink(Chunk* chunk) {
  List& list = bins_[chunk->bin];
  (chunk->prev == nullptr ? list.first : chunk->prev->next) = chunk->next;
  (chunk->next == nullptr ? list.last : chunk->next->prev) = chunk->prev;
}

}  // namespace cohort::memory
