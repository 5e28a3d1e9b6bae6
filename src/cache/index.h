// Index finds an entry by its key's hash, without ever stopping for all entries: it is a directory of small
// open-addressing segments, and only the one segment that is full grows or splits (extendible hashing).
//
// A slot is 8 bytes: 48 bits of the entry's address, 16 of the hash (the tag), which also say to which eight slots of
// the segment it belongs, so growing a segment reads no entry. These eight are a cache line, in which it takes the
// first free place, else the next one behind them. A segment grows by 64 slots up to 512, then splits in two by the
// next of 12 directory bits; that reads its 416 entries once. Growth therefore costs microseconds at any size, and
// slots stay 65 to 81 % full. When the 12 bits are used up (1.7 million entries a shard) segments grow on to 4096
// slots; beyond that, or when somebody makes keys collide on purpose, the entry in the way has to leave.
//
// One thread changes it at a time; others may look at once, without a lock. What is replaced (a segment, the directory)
// is left as it was until nobody who began to look before can be in it.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "cache/entry.h"
#include "cache/slot_group.h"
#include "runtime/epochs.h"

namespace cohort {

// Does not own the entries. REQUIRES (of all but Find): the shard's lock.
class Index {
 public:
  // Where a walk goes on.
  struct Cursor {
    uint32_t directory = 0;
    uint32_t slot = 0;
    bool done() const { return directory >= kDirectoryEnd; }
    void Finish() { *this = Cursor{kDirectoryEnd, 0}; }
  };

  Index() = default;
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // REQUIRES: the shard's lock, or a stay among the readers. Then an entry that is found was here at some moment since
  // the call began, and stays allocated until the stay ends; but one that is here may be missed, because a removal
  // moves others:
  //   1. the reader has looked at slots 0 to 7 and goes on to 8;
  //   2. the writer removes the entry of slot 3 and moves that of slot 8 there;
  //   3. the reader finds slot 8 empty.
  // So a reader believes a miss only if no writer was in the shard meanwhile (shard.cc).
  Entry* Find(std::string_view key, uint64_t hash) const {
    const uint64_t place = PlaceOf(Entry::DirectoryOf(hash));
    const uint32_t slots = SlotsOf(place);
    if (slots == 0) return nullptr;
    const uint16_t tag = Entry::TagOf(hash);
    const Slot* const table = SegmentOf(place)->slots();
    uint32_t group = Home(tag, slots);
    for (uint32_t seen = 0; seen < slots; seen += kGroupSlots) {
      for (uint32_t same = SlotsWithTag(table + group, tag); same != 0; same &= same - 1) {
        const Slot& slot = table[group + static_cast<uint32_t>(std::countr_zero(same))];
        Entry* const entry = EntryOf(slot.load(std::memory_order_acquire));  // By now it may be another, or none.
        if (entry != nullptr && entry->key() == key) [[likely]]
          return entry;
      }
      if (HasRoom(table + group)) break;
      group = group + kGroupSlots == slots ? 0 : group + kGroupSlots;
    }
    return nullptr;
  }

  // Find's first guess, which is right for nineteen of twenty plain entries (Entry::IsPlain) that are here: null says
  // nothing. REQUIRES: Entry::MayGlance(key); a stay among the readers.
  Entry* Glance(std::string_view key, uint64_t hash) const {
    const uint64_t place = PlaceOf(Entry::DirectoryOf(hash));
    if (place == 0) [[unlikely]] {
      return nullptr;
    }
    const uint16_t tag = Entry::TagOf(hash);
    const Slot* const group = SegmentOf(place)->slots() + Home(tag, SlotsOf(place));
    const uint32_t same = SlotsWithTag(group, tag);
    if (same == 0) [[unlikely]] {
      return nullptr;
    }
    Entry* const entry = EntryOf(group[std::countr_zero(same)].load(std::memory_order_acquire));
    return entry != nullptr && entry->IsPlain(key) ? entry : nullptr;
  }

  // Begins to fetch what Find of that hash will look at first, and later what it will look at then; so the misses of
  // many keys overlap. REQUIRES (of both): as Find.
  void FetchSlot(uint64_t hash) const {
    const uint64_t place = PlaceOf(Entry::DirectoryOf(hash));
    if (SlotsOf(place) != 0) __builtin_prefetch(SegmentOf(place)->slots() + Home(Entry::TagOf(hash), SlotsOf(place)));
  }
  void FetchEntry(uint64_t hash) const {
    const uint64_t place = PlaceOf(Entry::DirectoryOf(hash));
    const uint32_t slots = SlotsOf(place);
    if (slots == 0) return;
    const uint16_t tag = Entry::TagOf(hash);
    const Slot* const table = SegmentOf(place)->slots();
    const uint32_t group = Home(tag, slots);
    const uint32_t same = SlotsWithTag(table + group, tag);
    if (same == 0) return;
    __builtin_prefetch(
        EntryOf(table[group + static_cast<uint32_t>(std::countr_zero(same))].load(std::memory_order_acquire)));
  }

  // A note of an entry that outlives it: what is found by it is an entry that is here.
  static uint64_t NoteOf(const Entry* entry, uint64_t hash) {
    return (reinterpret_cast<uintptr_t>(entry) >> kNoteUnit & kNoteMask) << (64 - kNoteBits) |
           (hash & ((uint64_t{1} << (64 - kNoteBits)) - 1));
  }
  Entry* FindNoted(uint64_t note) const;

  // Null: the next Insert of this hash has room. Else the entry that must be removed before asking again.
  // Throws std::bad_alloc with nothing changed.
  Entry* MakeRoom(uint64_t hash);
  // Whether a slot can hold the entry's address: always so on x86-64 and AArch64, unless a program asks for more than
  // 48 bits of address space.
  static bool Addressable(const Entry* entry) { return reinterpret_cast<uintptr_t>(entry) <= kAddressMask; }
  // REQUIRES: addressable; its key is not here; its hash is set; MakeRoom returned null for it.
  void Insert(Entry* entry);
  // REQUIRES: the entry is here.
  void Remove(Entry* entry);

  // Shows the entries of one segment, from the cursor on and no more than `max`, to `leaves(entry)`; removes those of
  // which it says true. Returns how many it showed.
  template <typename Leaves>
  int64_t Walk(Cursor* cursor, int64_t max, Leaves&& leaves);

  // Hands every entry to `each(entry)` and gives all memory back. Readers may still look at the entries until a grace
  // that begins after this.
  template <typename Each>
  void Clear(Each&& each);

  int64_t count() const { return count_; }
  // Allocated by the index itself.
  int64_t memory_bytes() const { return memory_bytes_; }

 private:
  static constexpr uint32_t kDirectoryEnd = uint32_t{1} << Entry::kDirectoryBits;
  static constexpr uint32_t kFirstSlots = 8;
  static constexpr uint32_t kSlotStep = 64;
  static constexpr uint32_t kSplitSlots = 512;
  static constexpr uint32_t kMaxSlots = 4096;
  static constexpr unsigned kAddressBits = 48;
  static constexpr uint64_t kAddressMask = (uint64_t{1} << kAddressBits) - 1;
  // A note: 36 bits of the entry's address, in units of its alignment, above the 28 bits of its hash.
  static constexpr unsigned kNoteUnit = 4;
  static constexpr unsigned kNoteBits = 64 - 16 - Entry::kDirectoryBits;
  static constexpr uint64_t kNoteMask = (uint64_t{1} << kNoteBits) - 1;

  static constexpr size_t kLineBytes = kGroupSlots * sizeof(uint64_t);

  using Slot = std::atomic<uint64_t>;
  static_assert(kFirstSlots % kGroupSlots == 0 && kSlotStep % kGroupSlots == 0);
  // What is no longer part of the index and waits for its readers to leave.
  struct Retired {
    Retired(void* from, size_t size) : memory(from), bytes(size) {}
    void* const memory;  // In which it lies.
    const size_t bytes;
    Retired* next = nullptr;
    Grace grace;
  };
  // Lies so that its slots begin a cache line.
  struct Segment : Retired {
    using Retired::Retired;
    uint32_t count = 0;
    uint32_t depth = 0;  // How many of the directory bits all its entries share.
    Slot* slots() { return reinterpret_cast<Slot*>(this + 1); }
  };
  // Each place holds a segment's address and, above it, the number of its slots.
  struct Directory : Retired {
    using Retired::Retired;
    uint32_t depth = 0;
    uint32_t shift = 0;  // From the hash's directory bits to a place.
    Slot* places() { return reinterpret_cast<Slot*>(this + 1); }
    const Slot* places() const { return reinterpret_cast<const Slot*>(this + 1); }
  };

  static uint64_t Pack(const void* address, uint64_t above);
  static Segment* SegmentOf(uint64_t place) { return reinterpret_cast<Segment*>(place & kAddressMask); }
  static uint32_t SlotsOf(uint64_t place) { return static_cast<uint32_t>(place >> kAddressBits); }
  static Entry* EntryOf(uint64_t slot) { return reinterpret_cast<Entry*>(slot & kAddressMask); }
  static uint16_t TagOf(uint64_t slot) { return static_cast<uint16_t>(slot >> kAddressBits); }
  // The first of the slots that it belongs to. A segment has whole groups.
  static uint32_t Home(uint16_t tag, uint32_t slots) { return (uint32_t{tag} * slots) >> 16 & ~(kGroupSlots - 1); }
  static bool HasRoom(const Slot* group) {
    for (uint32_t i = kGroupSlots; i-- > 0;) {
      if (group[i].load(std::memory_order_acquire) == 0) return true;
    }
    return false;
  }
  static bool Full(uint32_t count, uint32_t slots) { return (count + 1) * 16 > slots * 13; }
  static uint32_t Roomy(uint32_t count);
  static uint32_t Larger(uint32_t slots);
  static void Place(Segment* segment, uint32_t slots, uint64_t slot);
  static void RemoveAt(Segment* segment, uint32_t slots, uint32_t hole);
  static uint64_t At(const Slot* table, uint32_t i) { return table[i].load(std::memory_order_relaxed); }
  static size_t SegmentBytes(uint32_t slots) { return sizeof(Segment) + kLineBytes + sizeof(Slot) * slots; }
  static size_t DirectoryBytes(uint32_t depth) { return sizeof(Directory) + (sizeof(Slot) << depth); }

  // 0: there is no segment yet.
  uint64_t PlaceOf(uint32_t directory) const {
    const Directory* const top = top_.load(std::memory_order_acquire);
    if (top == nullptr) return 0;
    return top->places()[directory >> top->shift].load(std::memory_order_acquire);
  }
  Directory* top() const { return top_.load(std::memory_order_relaxed); }
  class Filling;
  struct Free;
  using SegmentPtr = std::unique_ptr<Segment, Free>;
  using DirectoryPtr = std::unique_ptr<Directory, Free>;
  static void* NewBytes(size_t size);
  static SegmentPtr NewSegment(uint32_t slots, uint32_t depth);
  static DirectoryPtr NewDirectory(uint32_t depth);
  void Retire(Retired* retired);
  void FreeRetired(bool wait);
  void Point(uint32_t directory, uint32_t depth, uint64_t place);
  void Resize(uint32_t directory, uint32_t slots);
  void ShrinkIfSparse(uint32_t directory);
  void Split(uint32_t directory);
  DirectoryPtr Deeper() const;

  std::atomic<Directory*> top_{nullptr};  // Null when there is no segment.
  Retired* first_retired_ = nullptr;      // The longest waiting.
  Retired* last_retired_ = nullptr;
  int64_t count_ = 0;
  int64_t memory_bytes_ = 0;
};

template <typename Leaves>
int64_t Index::Walk(Cursor* cursor, int64_t max, Leaves&& leaves) {
  const uint64_t place = PlaceOf(cursor->directory);
  if (place == 0) {
    cursor->directory = kDirectoryEnd;
    return 0;
  }
  Segment* const segment = SegmentOf(place);
  const uint32_t slots = SlotsOf(place);
  int64_t shown = 0;
  while (cursor->slot < slots && shown < max) {
    const uint64_t slot = At(segment->slots(), cursor->slot);
    if (slot == 0) {
      ++cursor->slot;
      continue;
    }
    ++shown;
    if (leaves(EntryOf(slot))) {
      RemoveAt(segment, slots, cursor->slot);  // The slot may hold the next entry now.
      --count_;
    } else {
      ++cursor->slot;
    }
  }
  const uint32_t directory = cursor->directory;
  if (cursor->slot >= slots) {
    const uint32_t width = Entry::kDirectoryBits - segment->depth;
    cursor->directory = ((directory >> width) + 1) << width;
    cursor->slot = 0;
    ShrinkIfSparse(directory);
  }
  return shown;
}

template <typename Each>
void Index::Clear(Each&& each) {
  Directory* const top = this->top();
  if (top == nullptr) return;
  top_.store(nullptr, std::memory_order_release);
  for (uint32_t directory = 0; directory < kDirectoryEnd;) {
    const uint64_t place = At(top->places(), directory >> (Entry::kDirectoryBits - top->depth));
    Segment* const segment = SegmentOf(place);
    const uint32_t width = Entry::kDirectoryBits - segment->depth;
    for (uint32_t i = 0; i < SlotsOf(place); ++i) {
      if (const uint64_t slot = At(segment->slots(), i); slot != 0) each(EntryOf(slot));
    }
    Retire(segment);
    directory = ((directory >> width) + 1) << width;
  }
  Retire(top);
  FreeRetired(true);
  count_ = 0;
}

}  // namespace cohort
