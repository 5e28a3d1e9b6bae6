// Shadow simulates a small cache that follows one plan, with tags for keys and no values, to learn its hit ratio.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cache/history.h"
#include "cache/plans.h"

namespace cohort {

// At most kMostItems keys; 16 bytes each, and a history. Not thread safe.
class Shadow {
 public:
  using Item = uint16_t;
  static constexpr Item kNone = UINT16_MAX;
  static constexpr size_t kMostItems = 512;

  explicit Shadow(Plan plan) : plan_(plan) {}
  // As new, without memory.
  void Reset() { *this = Shadow(plan_); }

  // In bytes and items, whichever is reached first. REQUIRES: `items` > 0.
  void SetLimits(int64_t bytes, int64_t items);
  // A request for a key of that tag and size: whether the shadow holds it. It does from now on, if its plan says so.
  // May throw std::bad_alloc, and is of no more use then. REQUIRES: size() < kMostItems.
  bool Access(uint32_t tag, int64_t bytes);
  size_t size() const { return static_cast<size_t>(all_items_); }
  // Forgets all keys but those of which keep(tag) is true.
  template <typename Keep>
  void Thin(Keep&& keep);
  int64_t MemoryBytes() const;

 private:
  friend class Chooser<Shadow>;
  struct Node {
    uint32_t tag;
    uint32_t bytes;
    Item newer;
    Item older;
    Item next;  // Of the same bucket, or free.
    uint8_t queue : 4;
    uint8_t hits : 4;
    uint8_t stamp;
  };
  static_assert(kPlanQueues <= 16 && sizeof(Node) == 16);

  // For Chooser. Sizes are in the unit of which the limit is nearer.
  Item Oldest(unsigned queue) const { return queues_[queue].oldest; }
  void MoveToNewest(unsigned queue, Item item);
  int64_t Size(Item item) const { return by_items_ ? 1 : nodes_[item].bytes; }
  int64_t Load(unsigned queue) const { return by_items_ ? queues_[queue].items : queues_[queue].bytes; }
  int64_t LoadOfAll() const { return by_items_ ? all_items_ : all_bytes_; }
  int64_t Items() const { return all_items_; }
  uint64_t HashOf(Item item) const { return Spread(nodes_[item].tag); }
  unsigned Hits(Item item) const { return nodes_[item].hits; }
  void SetHits(Item item, unsigned hits) { nodes_[item].hits = static_cast<uint8_t>(hits); }
  unsigned Stamp(Item item) const { return nodes_[item].stamp; }
  Rounds& rounds() { return rounds_; }
  History& history() { return history_; }

  static uint64_t Spread(uint32_t tag) {
    const uint64_t product = (tag + 1) * 0x9E3779B97F4A7C15;
    return product ^ product >> 29;
  }
  Item* Bucket(uint32_t tag) { return &buckets_[tag % buckets_.size()]; }
  Item Find(uint32_t tag);
  bool IsFull(int64_t bytes) const;
  void Link(unsigned queue, Item item);
  void Unlink(Item item);
  void Forget(Item item);
  Item NewItem();

  Plan plan_;
  int64_t limit_bytes_ = 0;
  int64_t limit_items_ = 0;
  bool by_items_ = false;
  struct Queue {
    Item newest = kNone;
    Item oldest = kNone;
    int64_t items = 0;
    int64_t bytes = 0;
  };
  std::array<Queue, kPlanQueues> queues_;
  int64_t all_items_ = 0;
  int64_t all_bytes_ = 0;
  Item free_ = kNone;
  std::vector<Node> nodes_;
  std::vector<Item> buckets_;
  Rounds rounds_;
  History history_;
};

template <typename Keep>
void Shadow::Thin(Keep&& keep) {
  for (const Queue& queue : queues_) {
    for (Item item = queue.oldest; item != kNone;) {
      const Item newer = nodes_[item].newer;
      if (!keep(nodes_[item].tag)) Forget(item);
      item = newer;
    }
  }
}

}  // namespace cohort
