// Adaptive evicts by whichever of a few plans (plans.h) does best at the time, as a judge (judge.h) finds that the
// shards of a tier share. It is told of hits only for the few keys that the judge samples; all others just count
// theirs.
#pragma once

#include <array>
#include <memory>

#include "cache/entry_queue.h"
#include "cache/history.h"
#include "cache/judge.h"
#include "cache/plans.h"
#include "cache/policy.h"

namespace cohort {

// All plans keep the entries in the same queues, so that a change of plan moves nothing: the new plan takes them over
// as they are and from then on chooses among them in its own way. An entry's mark is the age in which it joined its
// queue.
class Adaptive final : public EvictionPolicy {
 public:
  // The judge outlives it.
  explicit Adaptive(Judge* judge) : judge_(*judge) {}

  void SetCapacity(int64_t charged_bytes, int64_t entries, bool alone) override;
  void OnArrive(const Entry* newcomer, uint64_t hash) override;
  bool OnInsert(Entry* entry) override;
  void OnHit(Entry* entry) override;
  void OnRemove(Entry* entry) override;
  Entry* Victim(Entry* newcomer, bool may_refuse, const Room& spare) override;
  Candidates Next() const override { return {queues_.Oldest(kWindowQueue), queues_.Oldest(leaving_)}; }
  int64_t MemoryBytes() const override { return queues_.MemoryBytes() + history_.MemoryBytes(); }

 private:
  friend class Chooser<Adaptive>;
  using Item = Entry*;
  static constexpr Entry* kNone = nullptr;

  // For Chooser. Sizes are in the unit of which the limit is nearer.
  Entry* Oldest(unsigned queue) const { return queues_.Oldest(queue); }
  void MoveToNewest(unsigned queue, Entry* entry);
  int64_t Size(const Entry* entry) const { return by_entries_ ? 1 : entry->ChargedBytes(); }
  int64_t Load(unsigned queue) const { return by_entries_ ? static_cast<int64_t>(queues_.Size(queue)) : bytes_[queue]; }
  int64_t LoadOfAll() const { return by_entries_ ? all_entries_ : all_bytes_; }
  int64_t Items() const { return all_entries_; }
  static uint64_t HashOf(const Entry* entry);
  static unsigned Hits(const Entry* entry) { return entry->frequency(); }
  static void SetHits(Entry* entry, unsigned hits) { entry->set_frequency(hits); }
  static unsigned Stamp(const Entry* entry) { return entry->mark(); }
  Rounds& rounds() { return rounds_; }
  History& history() { return history_; }

  void FollowPlan();
  Entry* LeftOver();
  Entry* Any() const;

  Judge& judge_;
  Plan plan_ = kFirstPlan;
  size_t left_over_ = 0;  // Of main's oldest entries: not looked at since the plan has changed.
  bool looked_at_main_ = true;
  static_assert(kPlanQueues <= EntryQueues::kMostQueues);
  EntryQueues queues_{kPlanQueues};
  std::array<int64_t, kPlanQueues> bytes_{};  // By queue.
  int64_t all_bytes_ = 0;
  int64_t all_entries_ = 0;
  Rounds rounds_;
  uint32_t notes_ = 0;
  History history_;
  int64_t part_bytes_ = 0;
  int64_t part_entries_ = 0;
  bool by_entries_ = false;
  int64_t capacity_ = 0;  // Of this shard, as it was last known.
  // Of the fill that is on.
  Arrival arrival_;
  bool sampled_ = false;
  bool full_ = false;  // The last fill found no room.
  Entry* victim_ = nullptr;
  unsigned leaving_ = kMainQueue;  // Of main: where the last victim was.
};

}  // namespace cohort
