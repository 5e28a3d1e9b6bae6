#include "cache/index.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace cohort {

struct Index::Free {
  void operator()(Segment* segment) const { ::operator delete(segment); }
};

Index::~Index() {
  Clear([](Entry*) {});
}

// REQUIRES: an address that fits 48 bits.
uint64_t Index::Pack(const void* address, uint64_t above) {
  return reinterpret_cast<uintptr_t>(address) | (above << kAddressBits);
}

// A legal number of slots that leaves `count` entries about 70 % full.
uint32_t Index::Roomy(uint32_t count) {
  uint32_t slots = kFirstSlots;
  while (slots < kMaxSlots && count * 10 > slots * 7) slots = Larger(slots);
  return slots;
}

uint32_t Index::Larger(uint32_t slots) {
  if (slots < kSlotStep) return slots * 2;
  return std::min(kMaxSlots, slots + (slots < kSplitSlots ? kSlotStep : kSplitSlots));
}

// REQUIRES: an empty slot.
void Index::Place(Segment* segment, uint32_t slots, uint64_t slot) {
  uint64_t* const table = segment->slots();
  uint32_t i = Home(TagOf(slot), slots);
  while (table[i] != 0) i = i + 1 == slots ? 0 : i + 1;
  table[i] = slot;
  ++segment->count;
}

// Moves later entries of the run back into the hole, as long as that does not put them before their home.
void Index::RemoveAt(Segment* segment, uint32_t slots, uint32_t hole) {
  uint64_t* const table = segment->slots();
  for (uint32_t i = hole + 1 == slots ? 0 : hole + 1; table[i] != 0; i = i + 1 == slots ? 0 : i + 1) {
    const uint32_t home = Home(TagOf(table[i]), slots);
    const bool home_in_between = hole < i ? (hole < home && home <= i) : (hole < home || home <= i);
    if (home_in_between) continue;
    table[hole] = table[i];
    hole = i;
  }
  table[hole] = 0;
  --segment->count;
}

Index::SegmentPtr Index::NewSegment(uint32_t slots, uint32_t depth) {
  void* const memory = ::operator new(SegmentBytes(slots));
  if (reinterpret_cast<uintptr_t>(memory) > kAddressMask) {
    ::operator delete(memory);
    throw std::bad_alloc();
  }
  SegmentPtr segment(new (memory) Segment{0, depth});
  std::memset(segment->slots(), 0, sizeof(uint64_t) * slots);
  return segment;
}

void Index::FreeSegment(Segment* segment, uint32_t slots) {
  memory_bytes_ -= static_cast<int64_t>(SegmentBytes(slots));
  Free()(segment);
}

// Makes every directory slot that shares `depth` bits with `directory` say `place`.
void Index::Point(uint32_t directory, uint32_t depth, uint64_t place) {
  if (depth_ == 0) {
    root_ = place;
    return;
  }
  const uint32_t width = depth_ - depth;
  const uint32_t first = (directory >> (Entry::kDirectoryBits - depth)) << width;
  std::fill_n(directory_.get() + first, size_t{1} << width, place);
}

void Index::Resize(uint32_t directory, uint32_t slots) {
  const uint64_t place = DirectorySlot(directory);
  Segment* const old = SegmentOf(place);
  const uint32_t old_slots = SlotsOf(place);
  Segment* const fresh = NewSegment(slots, old->depth).release();
  memory_bytes_ += static_cast<int64_t>(SegmentBytes(slots));
  for (uint32_t i = 0; i < old_slots; ++i) {
    if (old->slots()[i] != 0) Place(fresh, slots, old->slots()[i]);
  }
  Point(directory, fresh->depth, Pack(fresh, slots));
  FreeSegment(old, old_slots);
}

void Index::ShrinkIfSparse(uint32_t directory) {
  const uint64_t place = DirectorySlot(directory);
  const uint32_t count = SegmentOf(place)->count;
  if (SlotsOf(place) <= kFirstSlots || count * 4 > SlotsOf(place)) return;
  try {
    Resize(directory, Roomy(count));
  } catch (const std::bad_alloc&) {
    return;  // It stays as large as it is.
  }
}

// REQUIRES: depth_ < kDirectoryBits.
void Index::Deepen() {
  const size_t size = size_t{1} << depth_;
  std::unique_ptr<uint64_t[]> doubled(new uint64_t[size * 2]);
  for (size_t i = 0; i < size * 2; ++i) doubled[i] = depth_ == 0 ? root_ : directory_[i / 2];
  memory_bytes_ += static_cast<int64_t>(sizeof(uint64_t) * (size * 2 - (depth_ == 0 ? 0 : size)));
  directory_ = std::move(doubled);
  ++depth_;
}

void Index::Split(uint32_t directory) {
  const uint64_t place = DirectorySlot(directory);
  Segment* const old = SegmentOf(place);
  const uint32_t old_slots = SlotsOf(place);
  const uint32_t bit = uint32_t{1} << (Entry::kDirectoryBits - 1 - old->depth);
  uint32_t ones = 0;
  for (uint32_t i = 0; i < old_slots; ++i) {
    if (old->slots()[i] != 0 && (EntryOf(old->slots()[i])->directory() & bit) != 0) ++ones;
  }
  const uint32_t low_slots = Roomy(old->count - ones);
  const uint32_t high_slots = Roomy(ones);
  const uint32_t depth = old->depth + 1;
  SegmentPtr low_owner = NewSegment(low_slots, depth);
  SegmentPtr high_owner = NewSegment(high_slots, depth);
  if (old->depth == depth_) Deepen();
  Segment* const low = low_owner.release();
  Segment* const high = high_owner.release();
  memory_bytes_ += static_cast<int64_t>(SegmentBytes(low_slots) + SegmentBytes(high_slots));
  for (uint32_t i = 0; i < old_slots; ++i) {
    const uint64_t slot = old->slots()[i];
    if (slot == 0) continue;
    const bool one = (EntryOf(slot)->directory() & bit) != 0;
    Place(one ? high : low, one ? high_slots : low_slots, slot);
  }
  Point(directory & ~bit, depth, Pack(low, low_slots));
  Point(directory | bit, depth, Pack(high, high_slots));
  FreeSegment(old, old_slots);
}

Entry* Index::MakeRoom(uint64_t hash) {
  const uint32_t directory = Entry::DirectoryOf(hash);
  if (DirectorySlot(directory) == 0) {
    root_ = Pack(NewSegment(kFirstSlots, 0).release(), kFirstSlots);
    memory_bytes_ += static_cast<int64_t>(SegmentBytes(kFirstSlots));
  }
  for (;;) {
    const uint64_t place = DirectorySlot(directory);
    const uint32_t slots = SlotsOf(place);
    Segment* const segment = SegmentOf(place);
    if (!Full(segment->count, slots)) return nullptr;
    if (slots < kSplitSlots) {
      Resize(directory, Larger(slots));
    } else if (segment->depth < Entry::kDirectoryBits) {
      Split(directory);
    } else if (slots < kMaxSlots) {
      Resize(directory, Larger(slots));
    } else {
      uint32_t i = Home(Entry::TagOf(hash), slots);
      while (segment->slots()[i] == 0) i = i + 1 == slots ? 0 : i + 1;
      return EntryOf(segment->slots()[i]);
    }
  }
}

void Index::Insert(Entry* entry) {
  const uint64_t place = DirectorySlot(entry->directory());
  Place(SegmentOf(place), SlotsOf(place), Pack(entry, entry->tag()));
  ++count_;
}

void Index::Remove(Entry* entry) {
  const uint64_t place = DirectorySlot(entry->directory());
  const uint32_t slots = SlotsOf(place);
  Segment* const segment = SegmentOf(place);
  const uint64_t slot = Pack(entry, entry->tag());
  uint32_t i = Home(entry->tag(), slots);
  while (segment->slots()[i] != slot) i = i + 1 == slots ? 0 : i + 1;
  RemoveAt(segment, slots, i);
  --count_;
  ShrinkIfSparse(entry->directory());
}

}  // namespace cohort
