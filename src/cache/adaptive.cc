#include "cache/adaptive.h"

#include <algorithm>
#include <utility>

#include "cache/key_hash.h"
#include "cache/tiers.h"

namespace cohort {

void Adaptive::SetCapacity(int64_t charged_bytes, int64_t entries, bool /*alone*/) {
  part_bytes_ = charged_bytes;
  part_entries_ = entries;
  history_.Forget();
  capacity_ = 0;
}

// An entry has 28 bits of its key's hash; the history needs them all over a word.
uint64_t Adaptive::HashOf(const Entry* entry) {
  const uint64_t product = ((uint64_t{entry->directory()} << 16 | entry->tag()) + 1) * 0x9E3779B97F4A7C15;
  return product ^ product >> 29;
}

void Adaptive::OnArrive(const Entry* newcomer, uint64_t hash) {
  history_.Fetch(HashOf(newcomer));
  if (std::exchange(full_, false)) {
    for (const Entry* entry : Next()) {
      if (entry != nullptr) history_.Fetch(HashOf(entry));
    }
  }
  const int64_t bytes = newcomer->ChargedBytes();
  const bool by_entries =
      part_entries_ != kNoLimit && static_cast<double>(all_entries_) * static_cast<double>(part_bytes_) >=
                                       static_cast<double>(all_bytes_) * static_cast<double>(part_entries_);
  if (by_entries != by_entries_) capacity_ = 0;
  by_entries_ = by_entries;
  sampled_ = judge_.Samples(hash);
  if (sampled_) judge_.OnAccess(hash, bytes);
  arrival_ = Arrival{HashOf(newcomer), by_entries_ ? 1 : bytes, true, false};
  // The other plans do not ask, and the answer costs two misses of the cache.
  const bool asks = plan_ == Plan::kReuse || judge_.plan() == Plan::kReuse;
  arrival_.came_back = asks && history_.LeftRecently(arrival_.hash);
  history_.Fit(all_entries_);
  history_.Add(arrival_.hash);
}

bool Adaptive::OnInsert(Entry* entry) {
  const int64_t all = LoadOfAll() + Size(entry);
  // Since there was no room, this shard may have what it has, and no more. Were its part of the budget meant instead,
  // the window's would move into main as if there were room, and what main has would leave for them without being
  // compared.
  if (capacity_ == 0) capacity_ = by_entries_ ? part_entries_ : part_bytes_;
  capacity_ = std::max(capacity_, all);
  Chooser<Adaptive> chooser(this, plan_, capacity_);
  const unsigned queue = chooser.QueueFor(arrival_);
  if (!queues_.PushNewest(queue, entry)) return false;
  bytes_[queue] += entry->ChargedBytes();
  all_bytes_ += entry->ChargedBytes();
  ++all_entries_;
  entry->set_frequency(0);
  entry->set_mark(rounds_.now());
  entry->set_notes_hits(sampled_);
  chooser.Settle();
  return true;
}

// A key that is hit by the hundreds says nothing about plans, since all of them keep it, but its notes would cost its
// readers much; neither does one that has left the sample. So every so many notes, one key ends noting.
void Adaptive::OnHit(Entry* entry) {
  constexpr uint32_t kMostNotes = 256;
  constexpr uint32_t kLargeCache = 16;
  const uint64_t hash = KeyHash(entry->key());
  if (!judge_.Samples(hash) || (judge_.one_in() >= kLargeCache && ++notes_ % kMostNotes == 0)) {
    entry->set_notes_hits(false);
    return;
  }
  judge_.OnAccess(hash, entry->ChargedBytes());
}

void Adaptive::OnRemove(Entry* entry) {
  const uint64_t hash = HashOf(entry);
  const unsigned queue = queues_.QueueOf(entry);
  history_.Add(hash, entry->frequency());
  if (entry == victim_) {
    history_.Left(hash);
    if (queue != kWindowQueue) leaving_ = queue;
  }
  victim_ = nullptr;
  bytes_[queue] -= entry->ChargedBytes();
  all_bytes_ -= entry->ChargedBytes();
  --all_entries_;
  queues_.Remove(entry);
}

Entry* Adaptive::Victim(Entry* newcomer, bool may_refuse, const Room& spare) {
  full_ = true;
  // Shards share the tier's budget: what this one has, and what is free, is what it may have.
  capacity_ = LoadOfAll() + (by_entries_ ? spare.items : spare.bytes);
  Arrival arrival;  // For another shard: nothing is known of it.
  if (newcomer != nullptr) arrival = arrival_;
  arrival.may_refuse = newcomer != nullptr && may_refuse;
  FollowPlan();
  if (Entry* const entry = LeftOver(); entry != nullptr) {
    victim_ = entry;
    return entry;
  }
  const auto choice = Chooser<Adaptive>(this, plan_, capacity_).Choose(arrival);
  if (choice.refuse) {
    history_.Left(arrival.hash);
    return newcomer;
  }
  victim_ = choice.leaves != nullptr ? choice.leaves : Any();
  return victim_;
}

// By reuse, main keeps what it has for as long as the window is full. Where another plan has filled it with what nobody
// asks for any more, that would be for ever: so if those plans do much worse now, all that is there is looked at once.
void Adaptive::FollowPlan() {
  const Plan plan = judge_.plan();
  if (plan != plan_) {
    plan_ = plan;
    left_over_ = 0;
    looked_at_main_ = plan != Plan::kReuse;
  }
  if (!looked_at_main_ && judge_.counting_is_far_behind()) {
    looked_at_main_ = true;
    left_over_ = queues_.Size(kMainQueue);
  }
}

// The next of what another plan has left in main and nobody has hit since; null: none, or none soon.
Entry* Adaptive::LeftOver() {
  constexpr int kMostSteps = 64;
  for (int step = 0; step < kMostSteps && left_over_ > 0; ++step) {
    Entry* const entry = queues_.Oldest(kMainQueue);
    if (entry == nullptr) break;
    --left_over_;
    if (entry->frequency() == 0) return entry;
    history_.Add(HashOf(entry), entry->frequency());
    entry->set_frequency(0);
    MoveToNewest(kMainQueue, entry);
  }
  return nullptr;
}

void Adaptive::MoveToNewest(unsigned queue, Entry* entry) {
  const unsigned from = queues_.QueueOf(entry);
  if (!queues_.MoveToNewest(queue, entry)) return;
  bytes_[from] -= entry->ChargedBytes();
  bytes_[queue] += entry->ChargedBytes();
  entry->set_mark(rounds_.now());
}

// Where a plan, without the memory to move entries, sees none.
Entry* Adaptive::Any() const {
  for (unsigned queue = 0; queue < kPlanQueues; ++queue) {
    if (Entry* const entry = queues_.Oldest(queue); entry != nullptr) return entry;
  }
  return nullptr;
}

}  // namespace cohort
