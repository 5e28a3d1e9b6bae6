#include "cache/memory_heap.h"

#include <algorithm>
#include <bit>

#include "base/lock_soon.h"
#include "runtime/epochs.h"

namespace cohort::memory {

bool BlockHeap::Enter() {
  if (mutex_.try_lock()) [[likely]] {
    if (waits_ != 0) --waits_;
    return false;
  }
  LockSoon(&mutex_);
  waits_ += kPatience;
  if (waits_ < kTooManyWaits) return false;
  waits_ = 0;
  return true;
}

void* BlockHeap::Take(uint32_t size_class) {
  Class& spans = classes_[size_class];
  if (spans.filled == 0) return nullptr;
  Span* const span = spans.bins[std::bit_width(spans.filled) - 1];
  void* const block = span->Take();
  used_bytes_ += span->block_bytes;
  if (span->used == span->capacity) {
    Unlink(span);
  } else if (const uint32_t bin = span->Fullness(); bin != span->bin) {
    Unlink(span);
    Link(span, bin);
  }
  return block;
}

void BlockHeap::Add(Span* span) { Link(span, span->Fullness()); }

bool BlockHeap::Give(Span* span, void* block) {
  const bool was_full = span->used == span->capacity;
  span->Give(block);
  used_bytes_ -= span->block_bytes;
  if (span->used == 0) {
    if (!was_full) Unlink(span);
    return true;
  }
  const uint32_t bin = span->Fullness();
  if (was_full) {
    Link(span, bin);
  } else if (bin != span->bin) {
    Unlink(span);
    Link(span, bin);
  }
  return false;
}

void BlockHeap::Link(Span* span, uint32_t bin) {
  Class& spans = classes_[span->size_class];
  Span*& head = spans.bins[bin];
  span->bin = static_cast<uint8_t>(bin);
  span->prev = nullptr;
  span->next = head;
  if (head != nullptr) head->prev = span;
  head = span;
  spans.filled |= 1U << bin;
}

void BlockHeap::Unlink(Span* span) {
  Class& spans = classes_[span->size_class];
  Span*& head = spans.bins[span->bin];
  (span->prev == nullptr ? head : span->prev->next) = span->next;
  if (span->next != nullptr) span->next->prev = span->prev;
  if (head == nullptr) spans.filled &= ~(1U << span->bin);
}

BlockStore::BlockStore(uint32_t heaps) : most_heaps_(std::clamp(heaps, uint32_t{1}, kMostHeaps)) {}

void* BlockStore::Allocate(size_t size) {
  const uint32_t size_class = ClassOf(size);
  const uint32_t number = Enter();
  BlockHeap& heap = heaps_[number];
  void* block = heap.Take(size_class);
  if (block == nullptr) [[unlikely]] {
    Span* span = nullptr;
    try {
      span = pool_.Take(UnitsOf(size_class));
    } catch (...) {
      heap.Leave();
      throw;
    }
    span->Open(size_class, number);
    heap.Add(span);
    block = heap.Take(size_class);
  }
  heap.Leave();
  return block;
}

// A heap's lock is kept for as long as the next block is of the same one; no chunk is unmapped under it.
void BlockStore::FreeAll(void* const* blocks, size_t count) {
  BlockHeap* in = nullptr;
  for (size_t i = 0; i < count; ++i) {
    Span* const span = Chunk::SpanOf(blocks[i]);
    BlockHeap* const heap = &heaps_[span->heap];
    if (heap != in) {
      if (in != nullptr) in->Leave();
      in = heap;
      if (heap->Enter()) Crowded();
    }
    if (!heap->Give(span, blocks[i])) continue;
    heap->Leave();
    in = nullptr;
    if (Chunk* const chunk = pool_.Give(span)) Unmap(chunk, kChunkBytes);
  }
  if (in != nullptr) in->Leave();
}

// The number of the heap that this thread is in now.
uint32_t BlockStore::Enter() {
  const uint32_t heaps = heaps_in_use_.load(std::memory_order_relaxed);
  const uint32_t number = heaps == 1 ? 0 : ThreadNumber() % heaps;
  if (heaps_[number].Enter()) Crowded();
  return number;
}

// Each heap costs a partly filled span for each size in use, so there are no more than the threads need.
void BlockStore::Crowded() {
  uint32_t heaps = heaps_in_use_.load(std::memory_order_relaxed);
  if (heaps < most_heaps_) heaps_in_use_.compare_exchange_strong(heaps, heaps + 1, std::memory_order_relaxed);
}

int64_t BlockStore::used_bytes() {
  int64_t sum = 0;
  for (BlockHeap& heap : heaps_) {
    heap.Enter();
    sum += heap.used_bytes();
    heap.Leave();
  }
  return sum;
}

void BlockStore::LockAll() {
  for (BlockHeap& heap : heaps_) heap.Enter();
  pool_.Lock();
}

void BlockStore::UnlockAll() {
  pool_.Unlock();
  for (BlockHeap& heap : heaps_) heap.Leave();
}

}  // namespace cohort::memory
