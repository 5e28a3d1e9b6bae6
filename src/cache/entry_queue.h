// EntryQueues keeps the entries of one policy in order, in some queues: any place can be left at once, both ends can
// be joined, and an entry knows its place by the 32 bits of Entry::place. A full queue takes 8.6 bytes an entry.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cache/entry.h"

namespace cohort {

// A queue is a list of blocks of 58 places each, the newest entry in the first place that is taken; with what malloc
// adds, a block is 488 bytes. Every operation is O(1), the worst being one block of work: when two neighbours have
// together become sparse, they are merged. They are merged at less than what a block holds, so that a merger needs
// several operations at the same end to be undone. REQUIRES (of all): the lock of the shard that the entries are in.
class EntryQueues {
 public:
  static constexpr unsigned kMostQueues = 64;
  static constexpr unsigned kSlots = 58;

  // REQUIRES: no more than kMostQueues.
  explicit EntryQueues(unsigned queues) : queues_(queues) {}
  ~EntryQueues();
  EntryQueues(const EntryQueues&) = delete;
  EntryQueues& operator=(const EntryQueues&) = delete;

  // False, and nothing has changed, if there is no memory. REQUIRES: the entry is in no queue.
  bool PushNewest(unsigned queue, Entry* entry) { return Push(queue, entry, true); }
  bool PushOldest(unsigned queue, Entry* entry) { return Push(queue, entry, false); }
  // REQUIRES (of all that follow with an entry): it is in a queue here.
  void Remove(const Entry* entry);
  // From whichever queue it is in. False, and it stays where it is, if there is no memory.
  bool MoveToNewest(unsigned queue, Entry* entry) { return Move(queue, entry, true); }
  bool MoveToOldest(unsigned queue, Entry* entry) { return Move(queue, entry, false); }

  // All of a queue, in their order, so that its oldest follows the newest of another one. Takes as much work as it has
  // blocks.
  void Append(unsigned queue, unsigned to);

  // Null: none.
  Entry* Newest(unsigned queue) const;
  Entry* Oldest(unsigned queue) const;
  Entry* Newer(const Entry* entry) const;
  size_t Size(unsigned queue) const { return queues_[queue].size; }
  unsigned QueueOf(const Entry* entry) const { return static_cast<unsigned>(At(BlockOf(entry->place()))->queue); }

  // What this takes from the system beyond its own size.
  int64_t MemoryBytes() const;

 private:
  static constexpr unsigned kSlotBits = 6;
  static constexpr uint32_t kMaxBlocks = uint32_t{1} << (32 - kSlotBits);
  static constexpr uint32_t kNone = ~uint32_t{0};
  static constexpr int kMergeAt = 53;

  struct Block {
    uint32_t newer = kNone;
    uint32_t older = kNone;
    uint64_t taken : kSlots;
    uint64_t queue : 64 - kSlots;
    std::array<Entry*, kSlots> slots;
  };
  struct Queue {
    uint32_t newest = kNone;
    uint32_t oldest = kNone;
    size_t size = 0;
  };

  static uint32_t BlockOf(uint32_t place) { return place >> kSlotBits; }
  static unsigned SlotOf(uint32_t place) { return place & ((1U << kSlotBits) - 1); }
  static unsigned First(const Block& block) { return static_cast<unsigned>(std::countr_zero(uint64_t{block.taken})); }
  static unsigned Last(const Block& block) {
    return 63U - static_cast<unsigned>(std::countl_zero(uint64_t{block.taken}));
  }
  static int Count(const Block& block) { return std::popcount(uint64_t{block.taken}); }

  Block* At(uint32_t number) const { return reinterpret_cast<Block*>(table_[number]); }
  bool Push(unsigned queue, Entry* entry, bool newest);
  bool Move(unsigned queue, Entry* entry, bool newest);
  void Leave(uint32_t place);
  void Put(uint32_t number, unsigned slot, Entry* entry);
  // A new empty block at that end; kNone: no memory.
  uint32_t AddBlock(unsigned queue, bool newest);
  void DropBlock(uint32_t number);
  void MergeIfSparse(uint32_t newer, uint32_t older);

  std::vector<Queue> queues_;
  // Blocks by number; of a number that is free, twice the next free one and one.
  std::vector<uintptr_t> table_;
  uint32_t free_ = kNone;
  size_t blocks_ = 0;
};

}  // namespace cohort
