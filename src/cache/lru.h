// Lru evicts the entry that was used longest ago. A cache of one shard orders every use; in a larger one, an entry
// among the latest quarter is not moved again when it is used, so that the most popular cost nothing.
#pragma once

#include "cache/entry_queue.h"
#include "cache/policy.h"

namespace cohort {

// The recent stand before the rest. What leaves the recent for the rest notes its hits from there on, and a hit brings
// it back (as CacheLib's LRU moves an entry once in a while only; Berg et al., OSDI 2020).
class Lru final : public EvictionPolicy {
 public:
  void SetCapacity(int64_t /*charged_bytes*/, int64_t /*entries*/, bool alone) override { exact_ = alone; }
  bool OnInsert(Entry* entry) override {
    if (!queues_.PushNewest(Front(), entry)) return false;
    entry->set_notes_hits(exact_);
    Settle();
    return true;
  }
  // Without memory the entry keeps the place of its last use.
  void OnHit(Entry* entry) override {
    if (queues_.QueueOf(entry) == kRecent || !queues_.MoveToNewest(Front(), entry)) return;
    entry->set_notes_hits(exact_);
    Settle();
  }
  void OnRemove(Entry* entry) override { queues_.Remove(entry); }
  Entry* Victim(Entry* /*newcomer*/, bool /*may_refuse*/, const Room& /*spare*/) override {
    Entry* const oldest = queues_.Oldest(kRest);
    return oldest != nullptr ? oldest : queues_.Oldest(kRecent);
  }
  int64_t MemoryBytes() const override { return queues_.MemoryBytes(); }

 private:
  static constexpr unsigned kRecent = 0;
  static constexpr unsigned kRest = 1;

  unsigned Front() const { return exact_ ? kRest : kRecent; }
  void Settle() {
    while (queues_.Size(kRecent) > queues_.Size(kRest) / 3) {
      Entry* const entry = queues_.Oldest(kRecent);
      if (!queues_.MoveToNewest(kRest, entry)) return;
      entry->set_notes_hits(true);
    }
  }

  EntryQueues queues_;
  bool exact_ = true;
};

}  // namespace cohort
