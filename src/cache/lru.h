// Lru evicts the entry that was used longest ago: one list, the latest in front.
#pragma once

#include "cache/policy.h"

namespace cohort {

class Lru final : public EvictionPolicy {
 public:
  void SetCapacity(int64_t, int64_t) override {}
  void OnInsert(Entry* entry) override {
    entry->set_notes_hits(true);
    PushFront(entry);
  }
  void OnHit(Entry* entry) override;
  void OnRemove(Entry* entry) override { Unlink(entry); }
  Entry* Victim(Entry*) override { return oldest_; }

 private:
  void PushFront(Entry* entry);
  void Unlink(Entry* entry);

  Entry* latest_ = nullptr;
  Entry* oldest_ = nullptr;
};

}  // namespace cohort
