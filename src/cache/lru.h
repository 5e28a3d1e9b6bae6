// Lru evicts the entry that was used longest ago: one queue, the latest at its newest end.
#pragma once

#include "cache/entry_queue.h"
#include "cache/policy.h"

namespace cohort {

class Lru final : public EvictionPolicy {
 public:
  void SetCapacity(int64_t, int64_t) override {}
  bool OnInsert(Entry* entry) override {
    entry->set_notes_hits(true);
    return queues_.PushNewest(0, entry);
  }
  // Without memory the entry keeps the place of its last use.
  void OnHit(Entry* entry) override { queues_.MoveToNewest(0, entry); }
  void OnRemove(Entry* entry) override { queues_.Remove(entry); }
  Entry* Victim(Entry*, bool, const Room&) override { return queues_.Oldest(0); }
  int64_t MemoryBytes() const override { return queues_.MemoryBytes(); }

 private:
  EntryQueues queues_;
};

}  // namespace cohort
