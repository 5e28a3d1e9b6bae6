// EvictionPolicy decides which entry of one shard's tier leaves when room is needed. It is told what comes, is hit and
// goes, in that order, by the one thread that has the shard to itself; sizes are the entries' ChargedBytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "cache/budget.h"
#include "cache/entry.h"
#include "cache/terms.h"

namespace cohort {

class Ages;
class Judge;

class EvictionPolicy {
 public:
  // The judge and the ages are those of the tier, and outlive the policy; the adaptive policy needs the one, LRU the
  // other.
  static std::unique_ptr<EvictionPolicy> New(Policy policy, Judge* judge, Ages* ages);
  virtual ~EvictionPolicy() = default;

  // This shard's even part of its tier; others may leave it more. alone: there are none. REQUIRES: no entries.
  virtual void SetCapacity(int64_t charged_bytes, int64_t entries, bool alone) = 0;
  // A fill begins, of a key with that hash; Victim and OnInsert may follow.
  virtual void OnArrive(const Entry* /*newcomer*/, uint64_t /*hash*/) {}
  // From here until OnRemove the entry's place and mark belong to the policy. False, and nothing has changed: no
  // memory.
  virtual bool OnInsert(Entry* entry) = 0;
  // A get found it, and it is one whose hits are noted (Entry::set_notes_hits, for OnInsert to say). Hits arrive late
  // and in batches, but always before the next insertion, removal or victim; when many threads hit at once some are not
  // reported. All entries count their hits (Entry::frequency), or are stamped (ages.h).
  virtual void OnHit(Entry* entry) = 0;
  // It leaves, as a victim or for another reason.
  virtual void OnRemove(Entry* entry) = 0;
  // Who should leave first to make room for `newcomer` (which is not inserted yet, and whose place is unused)?
  // Returning the newcomer refuses it, where that is allowed. It is null when the room is for another shard: then the
  // answer must be an entry that is here. Null if there is none, or to ask all shards for room. `spare`
  // is what is free, and not enough. Asked again until there is room; OnRemove follows each time.
  virtual Entry* Victim(Entry* newcomer, bool may_refuse, const Room& spare) = 0;
  // Those of which one may well be the next to leave or to be moved; null: none. Their headers are fetched ahead, so
  // that nobody waits for them.
  using Candidates = std::array<Entry*, 2>;
  virtual Candidates Next() const { return {}; }
  // What it takes from the system beyond the entries themselves.
  virtual int64_t MemoryBytes() const = 0;
};

}  // namespace cohort
