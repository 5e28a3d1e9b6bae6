#include "engine/load.h"

#include <algorithm>
#include <utility>

#include "engine/group.h"

namespace cohort {

Load::Load(std::shared_ptr<Group> group, std::shared_ptr<Flight> flight, uint64_t attempt)
    : group_(std::move(group)), flight_(std::move(flight)), attempt_(attempt) {}

Load::~Load() {
  if (open_) group_->AbandonLoad(*this);
}

std::string_view Load::key() const { return flight_->key; }

int64_t Load::TimeLeftMs() const {
  std::lock_guard lock(group_->flights_.OfHash(flight_->hash).mutex);
  if (flight_->attempt != attempt_) return 0;
  int64_t latest_ns = flight_->leader_waits ? flight_->leader_deadline_ns : 0;
  for (Waiter* waiter = flight_->first; waiter != nullptr && latest_ns < flight_->deadline_ns; waiter = waiter->next) {
    latest_ns = std::max(latest_ns, waiter->deadline_ns);
  }
  const int64_t left_ns = std::min(latest_ns, flight_->deadline_ns) - group_->context_->NowNs();
  return left_ns <= 0 ? 0 : (left_ns + 999'999) / 1'000'000;
}

bool Load::Cancelled() const {
  std::lock_guard lock(group_->flights_.OfHash(flight_->hash).mutex);
  return flight_->attempt != attempt_ || (flight_->waiting == 0 && !flight_->leader_waits);
}

Status Load::Watch(std::shared_ptr<EventQueue> queue, uint64_t tag) {
  bool cancelled = false;
  {
    std::lock_guard lock(group_->flights_.OfHash(flight_->hash).mutex);
    cancelled = flight_->attempt != attempt_ || flight_->cancelled;
    if (!cancelled) {
      if (flight_->watch_queue != nullptr) return {Code::kInvalidArgument, "the load is watched already"};
      flight_->watch_queue = queue;
      flight_->watch_tag = tag;
    }
  }
  if (cancelled) {
    auto node = std::make_unique<EventNode>(EventKind::kCancel, tag);
    node->status = static_cast<int32_t>(Code::kCancelled);
    queue->Offer(std::move(node));
  }
  return {};
}

void Load::Leave() {
  Task after;
  {
    FlightTable::Shard& shard = group_->flights_.OfHash(flight_->hash);
    std::lock_guard lock(shard.mutex);
    if (flight_->attempt != attempt_ || !flight_->leader_waits) return;
    flight_->leader_waits = false;
    if (flight_->waiting == 0) after = group_->LastLeft(shard, flight_, Code::kCancelled);
  }
  if (after) after();
}

void Load::Complete(ValueRef value) {
  Outcome outcome;
  outcome.source = Source::kLoad;
  // The cache keeps the key beside the bytes: a value that came without it, or with another, gets an envelope.
  if (value->key() != flight_->key) {
    const int64_t expire_unix_ns = value->expire_unix_ns();
    value = Value::Wrap(flight_->key, std::move(value), expire_unix_ns);
  }
  outcome.value = std::move(value);
  group_->EndLoad(*this, std::move(outcome), nullptr);
}

int64_t Load::Fail(Code code, std::string_view message, uint64_t error_tag) {
  Outcome outcome = Outcome::Failed(code == Code::kNotFound ? code : Code::kLoadFailed, message, error_tag);
  outcome.source = Source::kLoad;
  int64_t tagged = 0;
  group_->EndLoad(*this, std::move(outcome), &tagged);
  return tagged;
}

void Group::EndLoad(Load& load, Outcome outcome, int64_t* tagged) {
  if (!std::exchange(load.open_, false)) return;
  const std::shared_ptr<Flight>& flight = load.flight_;
  Lock lock(flights_.OfHash(flight->hash).mutex);
  if (flight->attempt != load.attempt_) return;
  stats_.Add(outcome.ok() ? Counter::kLocalLoads : Counter::kLocalLoadErrors);
  if (!outcome.ok() && flight->cancelled && flight->waiting > 0) {
    // It was told that nobody waits any more and gave up; meanwhile somebody came. Theirs is a load that has not been
    // tried: its failure is not for them, and if nobody is left to run it a peer among them must not take it for this
    // owner's last word.
    flight->led_by_group = false;
    LoadHere(std::move(lock), flight,
             Outcome::Failed(Code::kLoadAbandoned, "the getter gave the load up and nobody else could run it"));
    return;
  }
  const int64_t count = Finish(std::move(lock), *flight, std::move(outcome));
  if (tagged != nullptr) *tagged = count;
}

void Group::AbandonLoad(Load& load) {
  load.open_ = false;
  const std::shared_ptr<Flight> flight = load.flight_;
  Lock lock(flights_.OfHash(flight->hash).mutex);
  if (flight->attempt != load.attempt_) return;
  stats_.Add(Counter::kAbandonedLoads);
  if (flight->waiting == 0) {
    Finish(std::move(lock), *flight, Outcome::Failed(Code::kLoadAbandoned, "the load was abandoned"));
    return;
  }
  if (flight->cancelled) flight->led_by_group = false;  // As in EndLoad: who came since has not been tried.
  LoadHere(std::move(lock), flight,
           Outcome::Failed(Code::kLoadAbandoned, "the getter abandoned the load and nobody else could run it"));
}

}  // namespace cohort
