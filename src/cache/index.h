// Index finds an entry by its key's hash, without ever stopping for all entries: it is a directory of small
// open-addressing segments, and only the one segment that is full grows or splits (extendible hashing).
//
// A slot is 8 bytes: 48 of the entry's address, 16 of the hash (the tag), which also say where in the segment the slot
// belongs, so growing a segment reads no entry. A segment grows by 64 slots up to 512, then splits in two by the next
// of 12 directory bits; that reads its 416 entries once. Growth therefore costs microseconds at any size, and slots
// stay 65 to 81 % full. When the 12 bits are used up (1.7 million entries a shard) segments grow on to 4096 slots;
// beyond that, or when somebody makes keys collide on purpose, the entry in the way has to leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "cache/entry.h"

namespace cohort {

// Thread compatible: the shard's lock guards it. Does not own the entries.
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

  Entry* Find(std::string_view key, uint64_t hash) const {
    const uint64_t place = DirectorySlot(Entry::DirectoryOf(hash));
    const uint32_t slots = SlotsOf(place);
    if (slots == 0) return nullptr;
    const uint16_t tag = Entry::TagOf(hash);
    const uint64_t* const table = SegmentOf(place)->slots();
    for (uint32_t i = Home(tag, slots); table[i] != 0; i = i + 1 == slots ? 0 : i + 1) {
      if (TagOf(table[i]) != tag) continue;
      Entry* const entry = EntryOf(table[i]);
      if (entry->key() == key) return entry;
    }
    return nullptr;
  }

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

  // Hands every entry to `each(entry)`, which may free it, and gives all memory back.
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

  struct Segment {
    uint32_t count;
    uint32_t depth;  // How many of the directory bits all its entries share.
    uint64_t* slots() { return reinterpret_cast<uint64_t*>(this + 1); }
  };

  // A directory slot holds a segment's address and, above it, the number of its slots.
  static uint64_t Pack(const void* address, uint64_t above);
  static Segment* SegmentOf(uint64_t place) { return reinterpret_cast<Segment*>(place & kAddressMask); }
  static uint32_t SlotsOf(uint64_t place) { return static_cast<uint32_t>(place >> kAddressBits); }
  static Entry* EntryOf(uint64_t slot) { return reinterpret_cast<Entry*>(slot & kAddressMask); }
  static uint16_t TagOf(uint64_t slot) { return static_cast<uint16_t>(slot >> kAddressBits); }
  static uint32_t Home(uint16_t tag, uint32_t slots) { return (uint32_t{tag} * slots) >> 16; }
  static bool Full(uint32_t count, uint32_t slots) { return (count + 1) * 16 > slots * 13; }
  static uint32_t Roomy(uint32_t count);
  static uint32_t Larger(uint32_t slots);
  static void Place(Segment* segment, uint32_t slots, uint64_t slot);
  static void RemoveAt(Segment* segment, uint32_t slots, uint32_t hole);
  static size_t SegmentBytes(uint32_t slots) { return sizeof(Segment) + sizeof(uint64_t) * slots; }

  const uint64_t& DirectorySlot(uint32_t directory) const {
    return depth_ == 0 ? root_ : directory_[directory >> (Entry::kDirectoryBits - depth_)];
  }
  struct Free;
  using SegmentPtr = std::unique_ptr<Segment, Free>;
  SegmentPtr NewSegment(uint32_t slots, uint32_t depth);
  void FreeSegment(Segment* segment, uint32_t slots);
  void Point(uint32_t directory, uint32_t depth, uint64_t place);
  void Resize(uint32_t directory, uint32_t slots);
  void ShrinkIfSparse(uint32_t directory);
  void Split(uint32_t directory);
  void Deepen();

  uint64_t root_ = 0;  // The only directory slot while depth_ is 0; 0 when there is no segment yet.
  uint32_t depth_ = 0;
  std::unique_ptr<uint64_t[]> directory_;
  int64_t count_ = 0;
  int64_t memory_bytes_ = 0;
};

template <typename Leaves>
int64_t Index::Walk(Cursor* cursor, int64_t max, Leaves&& leaves) {
  const uint64_t place = DirectorySlot(cursor->directory);
  if (place == 0) {
    cursor->directory = kDirectoryEnd;
    return 0;
  }
  Segment* const segment = SegmentOf(place);
  const uint32_t slots = SlotsOf(place);
  int64_t shown = 0;
  while (cursor->slot < slots && shown < max) {
    const uint64_t slot = segment->slots()[cursor->slot];
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
  for (uint32_t directory = 0; directory < kDirectoryEnd;) {
    const uint64_t place = DirectorySlot(directory);
    if (place == 0) break;
    Segment* const segment = SegmentOf(place);
    const uint32_t width = Entry::kDirectoryBits - segment->depth;
    for (uint32_t i = 0; i < SlotsOf(place); ++i) {
      if (segment->slots()[i] != 0) each(EntryOf(segment->slots()[i]));
    }
    FreeSegment(segment, SlotsOf(place));
    directory = ((directory >> width) + 1) << width;
  }
  directory_.reset();
  depth_ = 0;
  root_ = 0;
  count_ = 0;
  memory_bytes_ = 0;
}

}  // namespace cohort
