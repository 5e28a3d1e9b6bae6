// Lru evicts the entry that was used longest ago. A cache of one shard orders every use; in a larger one a hit only
// stamps the entry with its age (ages.h), and an entry finds its place when its turn to leave would have come.
#pragma once

#include <cstdint>

#include "cache/ages.h"
#include "cache/entry_queue.h"
#include "cache/policy.h"

namespace cohort {

// With ages, each age has a queue of what was used in it as far as is known: newcomers in their order, then those that
// were found to have been used again, each of which moves once for all its uses between (as pages do between the
// generations of Linux's multi-gen LRU). Ages that are no longer told apart share one queue, in their order.
class Lru final : public EvictionPolicy {
 public:
  // The ages are those of the tier, and outlive it.
  explicit Lru(Ages* ages) : ages_(*ages) {}

  void SetCapacity(int64_t charged_bytes, int64_t entries, bool alone) override;
  void OnArrive(const Entry* /*newcomer*/, uint64_t /*hash*/) override { untouched_ = true; }
  bool OnInsert(Entry* entry) override;
  void OnHit(Entry* entry) override;
  void OnRemove(Entry* entry) override {
    untouched_ = false;
    queues_.Remove(entry);
  }
  // None, unless the newcomer replaces an entry, where those of other shards have been unused for much longer. So a
  // shard that has come to hold little, since large values left it for small ones, gets its part of the tier back.
  Entry* Victim(Entry* newcomer, bool may_refuse, const Room& spare) override;
  Candidates Next() const override {
    return {queues_.Oldest(kAll), exact_ ? nullptr : queues_.Oldest(QueueOf(oldest_))};
  }
  int64_t MemoryBytes() const override { return queues_.MemoryBytes(); }

 private:
  static constexpr unsigned kAll = Ages::kKept;  // That of older ages; where uses are ordered, of all entries.

  static unsigned QueueOf(int64_t age) { return static_cast<unsigned>(age % Ages::kKept); }
  int64_t OldestKept() const { return newest_ - Ages::kKept + 1; }
  // From here on `now` is the newest age that has a queue, and no more than kKept have.
  void Enter(int64_t now);
  Entry* Oldest(int64_t* age);

  Ages& ages_;
  EntryQueues queues_{kAll + 1};
  int64_t newest_ = 0;
  int64_t oldest_ = 0;      // No age before it has entries in a queue of its own.
  int64_t inserts_ = 0;     // Ever.
  bool told_ = false;       // Of the last insertion: uses were told, and whoever leaves next tells its life.
  bool untouched_ = false;  // Since the newcomer has arrived.
  bool exact_ = true;
};

}  // namespace cohort
