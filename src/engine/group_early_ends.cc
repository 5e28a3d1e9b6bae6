// How a wait or a load ends before its flight would: by its deadline, because it was cancelled, or because nobody
// waits.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/group.h"

namespace cohort {

// One timer looks after all loads of a kind, at the time when the first of them would be too late. It is armed as long
// as there are any; a load that begins while it looks is either seen or arms it anew:
//   1. the timer finds no load, and says that it watches no more   2. a load begins: nobody watches, it arms the timer
//   1. a load begins: the timer watches   2. the timer found none, says that it watches no more, and looks once more
void Group::WatchLoads(bool asking, int64_t due_ns) {
  context_->runtime().timers().After(std::max<int64_t>(0, due_ns - context_->NowNs()),
                                     [weak = weak_from_this(), asking] {
                                       if (const std::shared_ptr<Group> self = weak.lock()) self->OnLoadTimes(asking);
                                     });
}

void Group::OnLoadTimes(bool asking) {
  int64_t next_ns = EndLateLoads(asking);
  if (next_ns == kNoDeadline) {
    std::atomic<bool>& watching = watching_loads_[asking ? 1 : 0];
    watching.store(false);
    next_ns = EndLateLoads(asking);
    if (next_ns == kNoDeadline || watching.exchange(true)) return;
  }
  WatchLoads(asking, next_ns);
}

int64_t Group::EndLateLoads(bool asking) {
  int64_t next_ns = kNoDeadline;
  for (Shard& shard : flights_.shards()) {
    for (;;) {
      std::shared_ptr<Flight> late;
      {
        Lock lock(shard.mutex);
        const Flight* const first = shard.ListOf(asking).first;
        if (first == nullptr) break;
        if (first->deadline_ns > context_->NowNs()) {
          next_ns = std::min(next_ns, first->deadline_ns);
          break;
        }
        late = first->open;
      }
      OnLoadTimeout(late);
    }
  }
  return next_ns;
}

// One timer looks after all waits of a kind, too: what ends because of a peer's request is no cause to ask a peer. It
// rings at the first deadline that there was when it was set, or earlier. A wait that begins while it looks is either
// seen or sets it anew:
//   1. none is set; it looks, shard by shard   2. a get, under a lock not yet taken: it waits, and is seen
//                                              2. a get, under a lock that was taken: it waits, finds none, and sets it
void Group::WatchWaits(bool local, int64_t due_ns) {
  WaitAlarm& of = wait_alarms_[local ? 1 : 0];
  if (!of.alarm.IsLate(due_ns)) return;
  std::lock_guard lock(of.mutex);
  if (!of.alarm.IsLate(due_ns)) return;
  of.alarm.Set(due_ns, [weak = weak_from_this(), local](uint64_t set) {
    if (const std::shared_ptr<Group> self = weak.lock()) self->OnWaitTimes(local, set);
  });
}

void Group::OnWaitTimes(bool local, uint64_t set) {
  WaitAlarm& of = wait_alarms_[local ? 1 : 0];
  {
    std::lock_guard lock(of.mutex);
    if (!of.alarm.HasRung(set)) return;
  }
  int64_t next_ns = kNoDeadline;
  for (Shard& shard : flights_.shards()) {
    std::vector<uint64_t> passed;
    {
      Lock lock(shard.mutex);
      Deadlines& deadlines = shard.DeadlinesOf(local);
      if (deadlines.empty()) continue;
      for (const Deadlines::Timed* timed : deadlines.TakePassed(context_->NowNs())) {
        passed.push_back(static_cast<const Waiter*>(timed)->ticket);
      }
      if (!deadlines.empty()) next_ns = std::min(next_ns, deadlines.DueNs());
    }
    for (const uint64_t ticket : passed) EndWait(ticket, Code::kTimeout, kDeadlinePassed);
  }
  if (next_ns != kNoDeadline) WatchWaits(local, next_ns);
}

void Group::OnLoadTimeout(const std::shared_ptr<Flight>& flight) {
  Shard& shard = flights_.OfHash(flight->hash);
  Lock lock(shard.mutex);
  if (flight->step == Flight::Step::kDone) return;
  Peer* const peer = flight->peer;
  const std::shared_ptr<EventQueue> watcher = flight->watch_queue;
  const uint64_t tag = flight->watch_tag;
  const int64_t waiting = flight->waiting;
  Finish(std::move(lock), *flight,
         Outcome::Failed(Code::kTimeout, "the load took longer than " + std::to_string(load_timeout_ms_) + " ms"));
  stats_.Add(Counter::kTimeouts, waiting);
  if (peer != nullptr) peer->GiveUp(*flight->asking->last);
  if (watcher != nullptr) {
    auto node = std::make_unique<EventNode>(EventKind::kCancel, tag);
    node->status = static_cast<int32_t>(Code::kTimeout);
    watcher->Offer(std::move(node));
  }
}

bool Group::EndWait(uint64_t ticket, Code code, std::string_view message) {
  Shard& shard = flights_.OfTicket(ticket);
  std::unique_ptr<Waiter> waiter;
  Task after;
  {
    Lock lock(shard.mutex);
    Waiter* const found = FlightTable::OfTicketLocked(shard, ticket);
    if (found == nullptr) return false;
    const std::shared_ptr<Flight> flight = found->flight->open;
    waiter = FlightTable::Remove(shard, found);
    if (flight->waiting == 0 && !flight->leader_waits) after = LastLeft(shard, flight, code);
  }
  stats_.Add(code == Code::kTimeout ? Counter::kTimeouts : Counter::kCancelled);
  Waiter* const target = waiter.get();
  target->End(std::move(waiter), Outcome::Failed(code, message));
  if (after) after();
  return true;
}

void Group::EndWaitsIn(const EventQueue& queue) {
  for (Shard& shard : flights_.shards()) {
    std::vector<uint64_t> tickets;
    {
      Lock lock(shard.mutex);
      for (const Shard::Slot& slot : shard.slots) {
        if (slot.waiter != nullptr && slot.waiter->TargetQueue() == &queue) tickets.push_back(slot.waiter->ticket);
      }
    }
    for (const uint64_t ticket : tickets) EndWait(ticket, Code::kClosed, "the queue is closed");
  }
}

// A getter that runs is told, if it watches, but may go on: its value still fills the cache, and who joins meanwhile
// gets it. Anything else is given up at once.
Task Group::LastLeft(Shard& shard, const std::shared_ptr<Flight>& flight, Code why) {
  if (flight->step == Flight::Step::kGetter) {
    flight->cancelled = true;
    if (flight->watch_queue == nullptr) return nullptr;
    return [queue = std::move(flight->watch_queue), tag = flight->watch_tag, why] {
      auto node = std::make_unique<EventNode>(EventKind::kCancel, tag);
      node->status = static_cast<int32_t>(why);
      queue->Offer(std::move(node));
    };
  }
  Peer* const peer = std::exchange(flight->peer, nullptr);
  FlightTable::End(shard, *flight);
  return [this, self = shared_from_this(), peer, flight] {
    if (peer != nullptr) peer->GiveUp(*flight->asking->last);
    context_->End();
  };
}

}  // namespace cohort
