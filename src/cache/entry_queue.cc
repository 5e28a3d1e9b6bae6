#include "cache/entry_queue.h"

#include <new>

namespace cohort {

EntryQueues::~EntryQueues() {
  for (const Queue& queue : queues_) {
    for (uint32_t number = queue.newest; number != kNone;) {
      Block* const block = At(number);
      number = block->older;
      delete block;
    }
  }
}

bool EntryQueues::Push(unsigned queue, Entry* entry, bool newest) {
  uint32_t number = newest ? queues_[queue].newest : queues_[queue].oldest;
  const unsigned edge = newest ? 0 : kSlots - 1;
  if (number == kNone || (newest ? First(*At(number)) : Last(*At(number))) == edge) {
    number = AddBlock(queue, newest);
    if (number == kNone) return false;
    Put(number, kSlots - 1 - edge, entry);
  } else {
    Put(number, newest ? First(*At(number)) - 1 : Last(*At(number)) + 1, entry);
  }
  ++queues_[queue].size;
  return true;
}

// The new place comes first, so that without memory the entry keeps the old one.
bool EntryQueues::Move(unsigned queue, Entry* entry, bool newest) {
  if (entry == (newest ? Newest(queue) : Oldest(queue))) return true;
  const uint32_t place = entry->place();
  if (!Push(queue, entry, newest)) return false;
  Leave(place);
  return true;
}

void EntryQueues::Remove(const Entry* entry) { Leave(entry->place()); }

void EntryQueues::Append(unsigned queue, unsigned to) {
  Queue& front = queues_[queue];
  Queue& back = queues_[to];
  if (front.newest == kNone) return;
  for (uint32_t number = front.newest; number != kNone; number = At(number)->older) {
    At(number)->queue = to & (kMostQueues - 1);
  }
  const uint32_t newer = front.oldest;
  const uint32_t older = back.newest;
  if (older == kNone) {
    back = front;
  } else {
    At(newer)->older = older;
    At(older)->newer = newer;
    back.newest = front.newest;
    back.size += front.size;
  }
  front = Queue();
  MergeIfSparse(newer, older);
}

void EntryQueues::Leave(uint32_t place) {
  const uint32_t number = BlockOf(place);
  Block* const block = At(number);
  block->taken &= ~(uint64_t{1} << SlotOf(place));
  --queues_[block->queue].size;
  if (block->taken == 0) {
    DropBlock(number);
  } else if (Count(*block) <= kMergeAt) {
    const uint32_t older = block->older;
    MergeIfSparse(block->newer, number);  // The entries of both are in `number` then.
    MergeIfSparse(number, older);
  }
}

void EntryQueues::Put(uint32_t number, unsigned slot, Entry* entry) {
  Block* const block = At(number);
  block->slots[slot] = entry;
  block->taken |= uint64_t{1} << slot;
  entry->set_place(number << kSlotBits | slot);
}

Entry* EntryQueues::Newest(unsigned queue) const {
  const uint32_t number = queues_[queue].newest;
  return number == kNone ? nullptr : At(number)->slots[First(*At(number))];
}

Entry* EntryQueues::Oldest(unsigned queue) const {
  const uint32_t number = queues_[queue].oldest;
  return number == kNone ? nullptr : At(number)->slots[Last(*At(number))];
}

Entry* EntryQueues::Newer(const Entry* entry) const {
  const Block* block = At(BlockOf(entry->place()));
  const uint64_t newer = block->taken & ((uint64_t{1} << SlotOf(entry->place())) - 1);
  if (newer != 0) return block->slots[63U - static_cast<unsigned>(std::countl_zero(newer))];
  if (block->newer == kNone) return nullptr;
  block = At(block->newer);
  return block->slots[Last(*block)];
}

uint32_t EntryQueues::AddBlock(unsigned queue, bool newest) {
  Block* const block = new (std::nothrow) Block;
  if (block == nullptr) return kNone;
  uint32_t number = free_;
  if (number != kNone) {
    free_ = static_cast<uint32_t>(table_[number] >> 1);
    table_[number] = reinterpret_cast<uintptr_t>(block);
  } else {
    number = static_cast<uint32_t>(table_.size());
    try {
      if (number == kMaxBlocks) throw std::bad_alloc();
      table_.push_back(reinterpret_cast<uintptr_t>(block));
    } catch (const std::bad_alloc&) {
      delete block;
      return kNone;
    }
  }
  ++blocks_;
  block->taken = 0;
  block->queue = queue & (kMostQueues - 1);
  Queue& ends = queues_[queue];
  const uint32_t neighbour = newest ? ends.newest : ends.oldest;
  (newest ? block->older : block->newer) = neighbour;
  if (neighbour != kNone) (newest ? At(neighbour)->newer : At(neighbour)->older) = number;
  if (newest || neighbour == kNone) ends.newest = number;
  if (!newest || neighbour == kNone) ends.oldest = number;
  return number;
}

void EntryQueues::DropBlock(uint32_t number) {
  Block* const block = At(number);
  Queue& ends = queues_[block->queue];
  (block->newer == kNone ? ends.newest : At(block->newer)->older) = block->older;
  (block->older == kNone ? ends.oldest : At(block->older)->newer) = block->newer;
  delete block;
  table_[number] = uintptr_t{free_} << 1 | 1;
  free_ = number;
  if (--blocks_ > 0) return;
  table_ = std::vector<uintptr_t>();
  free_ = kNone;
}

// Into the older one; the free places are left at the end of the queue at which the block is, if it is at one.
void EntryQueues::MergeIfSparse(uint32_t newer, uint32_t older) {
  if (newer == kNone || older == kNone) return;
  Block* const from = At(newer);
  Block* const into = At(older);
  const auto count = static_cast<unsigned>(Count(*from) + Count(*into));
  if (count > kMergeAt) return;
  std::array<Entry*, kSlots> entries;
  unsigned size = 0;
  for (const Block* block : {from, into}) {
    for (uint64_t taken = block->taken; taken != 0; taken &= taken - 1) {
      entries[size++] = block->slots[static_cast<unsigned>(std::countr_zero(taken))];
    }
  }
  const bool at_newest = from->newer == kNone;
  const bool at_oldest = into->older == kNone;
  const unsigned spare = kSlots - count;
  const unsigned first = at_newest ? (at_oldest ? spare / 2 : spare) : 0;
  DropBlock(newer);
  into->taken = 0;
  for (unsigned i = 0; i < size; ++i) Put(older, first + i, entries[i]);
}

int64_t EntryQueues::MemoryBytes() const {
  static_assert(sizeof(void*) != 8 || sizeof(Block) == 480);
  return static_cast<int64_t>(blocks_ * (sizeof(Block) + 8) + table_.capacity() * sizeof(uintptr_t));
}

}  // namespace cohort
