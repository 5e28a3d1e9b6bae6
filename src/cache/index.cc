#include "cache/index.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "cache/memory.h"

namespace cohort {

struct Index::Free {
  void operator()(Retired* retired) const { Memory::Free(retired->memory, retired->bytes); }
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
  Slot* const table = segment->slots();
  uint32_t group = Home(TagOf(slot), slots);
  uint32_t free = FreeSlots(table + group);
  while (free == 0) {
    group = group + kGroupSlots == slots ? 0 : group + kGroupSlots;
    free = FreeSlots(table + group);
  }
  table[group + static_cast<uint32_t>(std::countr_zero(free))].store(slot, std::memory_order_release);
  ++segment->count;
}

// Fills a segment that nobody else sees yet. It knows how full each group is, so it need not look.
class Index::Filling {
 public:
  Filling(Segment* segment, uint32_t slots) : segment_(segment), slots_(slots) {
    std::memset(used_, 0, slots / kGroupSlots);
  }
  // As Place.
  void Place(uint64_t slot) {
    uint32_t group = Home(TagOf(slot), slots_);
    while (used_[group / kGroupSlots] == kGroupSlots) group = group + kGroupSlots == slots_ ? 0 : group + kGroupSlots;
    segment_->slots()[group + used_[group / kGroupSlots]++].store(slot, std::memory_order_relaxed);
    ++segment_->count;
  }

 private:
  Segment* const segment_;
  const uint32_t slots_;
  uint8_t used_[kMaxSlots / kGroupSlots];
};

// Moves later entries of the run back into the hole, as long as that does not put them before their home.
void Index::RemoveAt(Segment* segment, uint32_t slots, uint32_t hole) {
  Slot* const table = segment->slots();
  for (uint32_t i = hole + 1 == slots ? 0 : hole + 1; At(table, i) != 0; i = i + 1 == slots ? 0 : i + 1) {
    const uint32_t home = Home(TagOf(At(table, i)), slots);
    const bool home_in_between = hole < i ? (hole < home && home <= i) : (hole < home || home <= i);
    if (home_in_between) continue;
    table[hole].store(At(table, i), std::memory_order_release);
    hole = i;
  }
  table[hole].store(0, std::memory_order_release);
  --segment->count;
}

void* Index::NewBytes(size_t size) {
  void* const memory = Memory::Allocate(size);
  if (reinterpret_cast<uintptr_t>(memory) <= kAddressMask) return memory;
  Memory::Free(memory, size);
  throw std::bad_alloc();
}

Index::SegmentPtr Index::NewSegment(uint32_t slots, uint32_t depth) {
  void* const memory = NewBytes(SegmentBytes(slots));
  const auto begin = reinterpret_cast<uintptr_t>(memory) + sizeof(Segment);
  char* const line = static_cast<char*>(memory) + sizeof(Segment) + (kLineBytes - begin % kLineBytes) % kLineBytes;
  SegmentPtr segment(new (line - sizeof(Segment)) Segment(memory, SegmentBytes(slots)));
  segment->depth = depth;
  for (uint32_t i = 0; i < slots; ++i) new (segment->slots() + i) Slot(0);
  return segment;
}

Index::DirectoryPtr Index::NewDirectory(uint32_t depth) {
  void* const memory = NewBytes(DirectoryBytes(depth));
  DirectoryPtr directory(new (memory) Directory(memory, DirectoryBytes(depth)));
  directory->depth = depth;
  directory->shift = Entry::kDirectoryBits - depth;
  for (uint32_t i = 0; i < (uint32_t{1} << depth); ++i) new (directory->places() + i) Slot(0);
  return directory;
}

// REQUIRES: no longer reached from top_.
void Index::Retire(Retired* retired) {
  memory_bytes_ -= static_cast<int64_t>(retired->bytes);
  retired->grace = Grace::Begin();
  retired->next = nullptr;
  (first_retired_ == nullptr ? first_retired_ : last_retired_->next) = retired;
  last_retired_ = retired;
  FreeRetired(false);
}

// What is replaced later is retired later, so the first that must wait ends it.
void Index::FreeRetired(bool wait) {
  while (Retired* const retired = first_retired_) {
    if (wait) {
      retired->grace.Await();
    } else if (!retired->grace.Passed()) {
      return;
    }
    first_retired_ = retired->next;
    Free()(retired);
  }
}

// Makes every place that shares `depth` bits with `directory` say `place`.
void Index::Point(uint32_t directory, uint32_t depth, uint64_t place) {
  const uint32_t width = top()->depth - depth;
  const uint32_t first = (directory >> (Entry::kDirectoryBits - depth)) << width;
  for (uint32_t i = 0; i < (uint32_t{1} << width); ++i) {
    top()->places()[first + i].store(place, std::memory_order_release);
  }
}

void Index::Resize(uint32_t directory, uint32_t slots) {
  const uint64_t place = PlaceOf(directory);
  Segment* const old = SegmentOf(place);
  const uint32_t old_slots = SlotsOf(place);
  Segment* const fresh = NewSegment(slots, old->depth).release();
  memory_bytes_ += static_cast<int64_t>(SegmentBytes(slots));
  Filling filling(fresh, slots);
  for (uint32_t i = 0; i < old_slots; ++i) {
    if (const uint64_t slot = At(old->slots(), i); slot != 0) filling.Place(slot);
  }
  Point(directory, fresh->depth, Pack(fresh, slots));
  Retire(old);
}

void Index::ShrinkIfSparse(uint32_t directory) {
  const uint64_t place = PlaceOf(directory);
  const uint32_t count = SegmentOf(place)->count;
  if (SlotsOf(place) <= kFirstSlots || count * 4 > SlotsOf(place)) return;
  try {
    Resize(directory, Roomy(count));
  } catch (const std::bad_alloc&) {
    return;  // It stays as large as it is.
  }
}

// The directory with one bit more. REQUIRES: there is one to have.
Index::DirectoryPtr Index::Deeper() const {
  DirectoryPtr deeper = NewDirectory(top()->depth + 1);
  for (uint32_t i = 0; i < (uint32_t{1} << deeper->depth); ++i) {
    deeper->places()[i].store(At(top()->places(), i / 2), std::memory_order_relaxed);
  }
  return deeper;
}

void Index::Split(uint32_t directory) {
  const uint64_t place = PlaceOf(directory);
  Segment* const old = SegmentOf(place);
  const uint32_t old_slots = SlotsOf(place);
  const uint32_t bit = uint32_t{1} << (Entry::kDirectoryBits - 1 - old->depth);
  // Of the slots: which entries have the bit. It is in their headers, which are read once.
  std::array<uint64_t, kMaxSlots / 64> high_ones{};
  uint32_t ones = 0;
  for (uint32_t i = 0; i < old_slots; ++i) {
    const uint64_t slot = At(old->slots(), i);
    const bool one = slot != 0 && (EntryOf(slot)->directory() & bit) != 0;
    high_ones[i / 64] |= uint64_t{one} << (i % 64);
    ones += uint32_t{one};
  }
  const uint32_t low_slots = Roomy(old->count - ones);
  const uint32_t high_slots = Roomy(ones);
  const uint32_t depth = old->depth + 1;
  SegmentPtr low_owner = NewSegment(low_slots, depth);
  SegmentPtr high_owner = NewSegment(high_slots, depth);
  if (old->depth == top()->depth) {
    Directory* const before = top();
    Directory* const deeper = Deeper().release();
    memory_bytes_ += static_cast<int64_t>(DirectoryBytes(deeper->depth));
    top_.store(deeper, std::memory_order_release);
    Retire(before);
  }
  Segment* const low = low_owner.release();
  Segment* const high = high_owner.release();
  memory_bytes_ += static_cast<int64_t>(SegmentBytes(low_slots) + SegmentBytes(high_slots));
  Filling lows(low, low_slots);
  Filling highs(high, high_slots);
  for (uint32_t i = 0; i < old_slots; ++i) {
    const uint64_t slot = At(old->slots(), i);
    if (slot != 0) ((high_ones[i / 64] >> (i % 64) & 1) != 0 ? highs : lows).Place(slot);
  }
  Point(directory & ~bit, depth, Pack(low, low_slots));
  Point(directory | bit, depth, Pack(high, high_slots));
  Retire(old);
}

Entry* Index::MakeRoom(uint64_t hash) {
  const uint32_t directory = Entry::DirectoryOf(hash);
  if (top() == nullptr) {
    DirectoryPtr first = NewDirectory(0);
    first->places()[0].store(Pack(NewSegment(kFirstSlots, 0).release(), kFirstSlots), std::memory_order_relaxed);
    memory_bytes_ += static_cast<int64_t>(SegmentBytes(kFirstSlots) + DirectoryBytes(0));
    top_.store(first.release(), std::memory_order_release);
  }
  for (;;) {
    const uint64_t place = PlaceOf(directory);
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
      while (At(segment->slots(), i) == 0) i = i + 1 == slots ? 0 : i + 1;
      return EntryOf(At(segment->slots(), i));
    }
  }
}

void Index::Insert(Entry* entry) {
  const uint64_t place = PlaceOf(entry->directory());
  Place(SegmentOf(place), SlotsOf(place), Pack(entry, entry->tag()));
  ++count_;
}

void Index::Remove(Entry* entry) {
  const uint64_t place = PlaceOf(entry->directory());
  const uint32_t slots = SlotsOf(place);
  Segment* const segment = SegmentOf(place);
  const uint64_t slot = Pack(entry, entry->tag());
  uint32_t i = Home(entry->tag(), slots);
  while (At(segment->slots(), i) != slot) i = i + 1 == slots ? 0 : i + 1;
  RemoveAt(segment, slots, i);
  --count_;
  ShrinkIfSparse(entry->directory());
}

Entry* Index::FindNoted(uint64_t note) const {
  const uint64_t place = PlaceOf(Entry::DirectoryOf(note));
  const uint32_t slots = SlotsOf(place);
  if (slots == 0) return nullptr;
  const uint16_t tag = Entry::TagOf(note);
  const Slot* const table = SegmentOf(place)->slots();
  for (uint32_t i = Home(tag, slots); At(table, i) != 0; i = i + 1 == slots ? 0 : i + 1) {
    const uint64_t slot = At(table, i);
    if (TagOf(slot) != tag) continue;
    if ((slot >> kNoteUnit & kNoteMask) == note >> (64 - kNoteBits)) return EntryOf(slot);
  }
  return nullptr;
}

}  // namespace cohort
