#include "cache/lru.h"

#include <algorithm>

namespace cohort {

void Lru::SetCapacity(int64_t /*charged_bytes*/, int64_t /*entries*/, bool alone) { exact_ = alone; }

bool Lru::OnInsert(Entry* entry) {
  if (!exact_) {
    told_ = ages_.OnCount(++inserts_);
    Enter(ages_.now());
  }
  if (!queues_.PushNewest(exact_ ? kAll : QueueOf(newest_), entry)) return false;
  entry->set_notes_hits(exact_);
  ages_.Stamp(entry);
  return true;
}

// Without memory the entry keeps the place of its last use.
void Lru::OnHit(Entry* entry) {
  if (exact_) queues_.MoveToNewest(kAll, entry);
}

Entry* Lru::Victim(Entry* newcomer, bool /*may_refuse*/, const Room& /*spare*/) {
  if (exact_) return queues_.Oldest(kAll);
  Enter(ages_.now());
  // Bounds the time that one choice takes. It ends there only after a long time without a victim, in which all were
  // used.
  constexpr int kMostSteps = 64;
  Entry* victim = nullptr;
  int64_t victim_used = 0;
  for (int step = 0; step < kMostSteps; ++step) {
    int64_t age = 0;
    Entry* const entry = Oldest(&age);
    if (entry == nullptr) return nullptr;
    const int64_t used = Ages::Of(entry->stamp(), newest_);
    if (used <= age) {
      age = std::max(age, OldestKept());
      if (newcomer != nullptr && untouched_ && ages_.LeavesEarly(age)) return nullptr;
      if (told_) ages_.OnLeave(age);
      told_ = false;
      return entry;
    }
    if (victim == nullptr || used < victim_used) {
      victim = entry;
      victim_used = used;
    }
    if (!queues_.MoveToNewest(QueueOf(used), entry)) return entry;
  }
  return victim;
}

// And the age that it had at least when it was put where it is.
Entry* Lru::Oldest(int64_t* age) {
  *age = OldestKept() - 1;
  if (Entry* const entry = queues_.Oldest(kAll); entry != nullptr) return entry;
  while (oldest_ < newest_ && queues_.Size(QueueOf(oldest_)) == 0) ++oldest_;
  *age = oldest_;
  return queues_.Oldest(QueueOf(oldest_));
}

void Lru::Enter(int64_t now) {
  if (now <= newest_) return;
  const int64_t leaving = std::min(now - Ages::kKept, newest_);
  for (; oldest_ <= leaving; ++oldest_) queues_.Append(QueueOf(oldest_), kAll);
  oldest_ = std::max(oldest_, now - Ages::kKept + 1);
  newest_ = now;
}

}  // namespace cohort
