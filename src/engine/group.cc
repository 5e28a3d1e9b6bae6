// One get, from end to end: Begin, and on a miss a flight that asks the owner, else runs a getter, and ends in Finish.
#include "engine/group.h"

#include <algorithm>
#include <utility>

#include "base/block_pool.h"
#include "cache/key_hash.h"
#include "engine/deliveries.h"
#include "runtime/lent_thread.h"

namespace cohort {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
// A caller with less time leaves its requests to threads that may take longer: its own end by its deadline.
constexpr int64_t kLeastLentMs = 1'000;
// As good as for ever, and no overflow.
constexpr int64_t kLongestQuestionMs = 100'000'000'000;
constexpr uint64_t kNoLook = UINT64_MAX;  // No shard has been filled so often.

int64_t Deadline(int64_t now_ns, int64_t timeout_ms) {
  if (timeout_ms <= 0 || timeout_ms > (kNoDeadline - now_ns) / kNsPerMs) return kNoDeadline;
  return now_ns + timeout_ms * kNsPerMs;
}

}  // namespace

Group::Group(std::string name, GroupOptions options, std::shared_ptr<Context> context)
    : name_(std::move(name)),
      context_(std::move(context)),
      getter_(std::move(options.getter)),
      load_timeout_ms_(options.load_timeout_ms),
      wait_alarms_{WaitAlarm(context_->runtime()), WaitAlarm(context_->runtime())} {
  if (options.cache.on_evict) {
    // Evictions happen under the lock of a key's flight; the listener is told from the executor, with no lock held.
    auto listener = std::make_shared<decltype(options.cache.on_evict)>(std::move(options.cache.on_evict));
    options.cache.on_evict = [listener, shared = context_](Tier tier, EvictReason reason, const ValueRef& value) {
      shared->runtime().executor().Post([listener, tier, reason, value] { (*listener)(tier, reason, value); });
    };
  }
  cache_ = LocalCache::New(std::move(options.cache));
}

Group::~Group() = default;

ValueRef Group::FindHit(std::string_view key, uint64_t hash, Source* source) {
  Tier tier = Tier::kMain;
  if (refusing()) return ValueRef();
  ValueRef value = cache_->Find(key, hash, context_->LazyUnixTime(), &tier);
  *source = SourceOf(tier);
  return value;
}

HeldValue Group::Lend(std::string_view key, uint64_t hash, const LazyTime& now, Source* source) {
  Tier tier = Tier::kMain;
  if (refusing()) return HeldValue();
  const HeldValue value = cache_->Lend(key, hash, now, &tier);
  *source = SourceOf(tier);
  return value;
}

bool Group::FindHitCopy(std::string_view key, uint64_t hash, char* to, size_t room, FoundCopy* found) {
  return !refusing() && cache_->FindCopy(key, hash, context_->LazyUnixTime(), to, room, found);
}

HeldValue Group::Lookup(std::string_view key) {
  Source source = Source::kNone;
  const HeldValue value = Lend(key, KeyHash(key), &source);
  if (!value) CountMiss();
  return value;
}

Begun Group::Begin(std::string_view key, int flags, int64_t timeout_ms, const MakeWaiter& make_waiter,
                   GetAnswer* answer, Asks* asks) {
  Look look = BeginLook(KeyHash(key));
  if ((flags & kMissed) != 0) {
    look.fills = kNoLook;
  } else if ((answer->value = FindHit(key, look.hash, &answer->source))) {
    return Begun::kHit;
  }
  return Begin(key, look, flags, timeout_ms, make_waiter, answer, asks);
}

Begun Group::Begin(std::string_view key, const Look& look, int flags, int64_t timeout_ms, const MakeWaiter& make_waiter,
                   GetAnswer* answer, Asks* asks) {
  stats_.Add(Counter::kMisses);
  if (refusing()) {
    answer->status = Status(Code::kClosed, "group '" + name_ + "' is closed");
    return Begun::kFailed;
  }
  if ((flags & kPeek) != 0) return Begun::kMiss;
  return Miss(key, look, flags, timeout_ms, make_waiter, answer, asks);
}

Begun Group::Miss(std::string_view key, const Look& look, int flags, int64_t timeout_ms, const MakeWaiter& make_waiter,
                  GetAnswer* answer, Asks* asks) {
  if (RunsOnThisThread(this, key)) {
    answer->status =
        Status(Code::kWouldDeadlock, "the getter of group '" + name_ + "' asked for the key it is loading");
    return Begun::kFailed;
  }
  const uint64_t hash = look.hash;
  const std::shared_ptr<const PeerSet> own_peers = asks == nullptr ? context_->peers() : nullptr;
  const std::shared_ptr<const PeerSet>& peers = asks == nullptr ? own_peers : asks->peers();
  const int at = peers == nullptr || peers->peers.empty() ? -1 : peers->ring.Owner(key);
  const bool mine = at < 0 || at == peers->self;
  const bool asks_owner = !mine && (flags & kLocal) == 0;
  std::shared_ptr<const AskedOf> own_of;
  std::shared_ptr<const AskedOf>& of = asks != nullptr && asks_owner ? asks->Reserve(at) : own_of;
  bool misrouted = !mine && !asks_owner;
  const bool can_lead = (flags & kCanLead) != 0;
  const int64_t now_ns = asks == nullptr ? context_->NowNs() : asks->now_ns();
  const int64_t deadline_ns = Deadline(now_ns, timeout_ms);

  Shard& shard = flights_.OfHash(hash);
  Lock lock(shard.mutex);
  Flight* flight = FlightTable::Find(shard, key, hash, misrouted);
  if (flight != nullptr && (flags & kLocal) != 0 && flight->step == Flight::Step::kPeer) {
    // The ring has changed since that flight asked its owner; a peer that waits for it might be that owner, waiting for
    // us.
    misrouted = true;
    flight = FlightTable::Find(shard, key, hash, misrouted);
  }
  const bool begins = flight == nullptr;
  std::shared_ptr<Flight> begun;
  if (begins) {
    // A flight may have filled the cache and left the table since: 1. miss  2. (another) fill, leave  3. lock.
    const bool again = shard.fills.load(std::memory_order_relaxed) != look.fills;
    if (again && (answer->value = FindHit(key, hash, &answer->source))) {
      stats_.Add(Counter::kMisses, -1);  // The same get.
      return Begun::kHit;
    }
    // Close refuses before it takes the locks, one after the other: a flight that begins after that would outlive it.
    if (refusing()) {
      answer->status = Status(Code::kClosed, "group '" + name_ + "' is closed");
      return Begun::kFailed;
    }
    FlightTable::Reserve(shard);
    if (!asks_owner) {
      begun = MakePooled<Flight>(key, hash, mine, misrouted);
    } else {
      begun = MakePooled<AskingFlight>(key, hash);
      if (of == nullptr || of->group.get() != this) {
        of = MakePooled<AskedOf>(shared_from_this(), peers->peers[static_cast<size_t>(at)]);
      }
      begun->asking->of = of;
    }
    flight = begun.get();
  }

  const bool leads = can_lead && ((begins && !asks_owner) || flight->step == Flight::Step::kQueued);
  if (!leads) {
    std::unique_ptr<Waiter> waiter = make_waiter();
    Waiter* const added = waiter.get();
    added->local = (flags & kLocal) != 0;
    if (!AddWaiter(shard, *flight, std::move(waiter), deadline_ns, true)) {
      answer->status = Status(Code::kClosed, "the queue is closed");
      return Begun::kFailed;
    }
    answer->ticket = added->ticket;
  }
  stats_.Add(Counter::kLoads);
  if (begins) {
    stats_.Add(Counter::kLoadsDeduped);
    FlightTable::Insert(shard, std::move(begun));
    if (asks != nullptr) {
      asks->BeginOne(*context_);
    } else {
      context_->Begin();
    }
    flight->deadline_ns = Deadline(now_ns, load_timeout_ms_);
    const bool asking = flight->asking != nullptr;
    std::atomic<bool>& watching = watching_loads_[asking ? 1 : 0];
    if (!watching.load() && !watching.exchange(true)) WatchLoads(asking, flight->deadline_ns);
  }
  if (leads) {
    answer->load = NewAttempt(flight->open);
    flight->led_by_group = false;
    flight->leader_waits = true;
    flight->leader_deadline_ns = deadline_ns;
    return Begun::kLead;
  }
  if (begins) {
    if (asks_owner) {
      std::shared_ptr<PeerGet> question = NewQuestion(*flight, now_ns);
      lock.unlock();
      if (asks != nullptr) {
        asks->Add(at, std::move(question));
      } else {
        own_of->peer->GetAll({&question, 1});
      }
    } else {
      LoadHere(std::move(lock), std::shared_ptr(flight->open), Outcome());
    }
  }
  return Begun::kPending;
}

// REQUIRES: the shard's lock.
bool Group::AddWaiter(Shard& shard, Flight& flight, std::unique_ptr<Waiter> waiter, int64_t deadline_ns,
                      bool arm_timer) {
  waiter->ticket = flights_.NewTicket(shard, waiter.get());
  if (!waiter->Enter(*this)) {
    FlightTable::FreeTicket(shard, waiter->ticket);
    return false;
  }
  waiter->deadline_ns = deadline_ns;
  if (arm_timer && deadline_ns != kNoDeadline) {
    WatchWaits(waiter->local, deadline_ns);  // Which looks when this lock is free.
    shard.DeadlinesOf(waiter->local).Add(*waiter);
  }
  FlightTable::Append(shard, flight, std::move(waiter));
  return true;
}

// REQUIRES: the shard's lock.
std::unique_ptr<Load> Group::NewAttempt(const std::shared_ptr<Flight>& flight) {
  flight->step = Flight::Step::kGetter;
  flight->cancelled = false;
  flight->watch_queue.reset();
  return std::make_unique<Load>(shared_from_this(), flight, ++flight->attempt);
}

namespace {

// Until when somebody waits for the flight. REQUIRES: the shard's lock.
int64_t LatestDeadlineNs(const Flight& flight) {
  int64_t latest_ns = 0;
  for (const Waiter* waiter = flight.first; waiter != nullptr; waiter = waiter->next) {
    latest_ns = std::max(latest_ns, waiter->deadline_ns);
  }
  return std::min(latest_ns, flight.deadline_ns);
}

}  // namespace

// Whoever ends the flight before its owner has been asked gives the question up, and then nothing is asked:
//   1. a get begins the flight, leaves the lock   2. Close, or its last waiter, ends it, gives up   3. GetAll: ends it
// REQUIRES: the shard's lock.
std::shared_ptr<PeerGet> Group::NewQuestion(Flight& flight, int64_t now_ns) {
  Flight::Asking& asking = *flight.asking;
  OwnerGet* get = &asking.first;
  if (asking.last != nullptr) get = asking.more.emplace_back(std::make_unique<OwnerGet>()).get();
  Group& group = *asking.of->group;
  get->of = &group;
  get->flight = &flight;
  get->group = group.name_;
  get->key = flight.key;
  get->asked_ns = now_ns;
  get->attempt = ++flight.attempt;
  // Rounded up: the peer's silence ends no wait before its time.
  const int64_t left_ns = LatestDeadlineNs(flight) - now_ns;
  const int64_t left_ms = left_ns <= 0 ? 1 : (left_ns - 1) / kNsPerMs + 1;
  get->deadline_ns = now_ns + std::min(left_ms, kLongestQuestionMs) * kNsPerMs;
  asking.last = get;
  flight.step = Flight::Step::kPeer;
  flight.peer = asking.of->peer.get();
  return {flight.open, get};
}

int64_t OwnerGet::End(PeerAnswer&& answer) { return of->OnOwnerAnswer(*this, std::move(answer)); }

// The owner is asked for as long as those wait who are there by then. When that time is over, the owner may still be
// loading for somebody who came later; a load here would be the cluster's second (P1), and nobody's wish:
//   1. A wants the key within 150 ms, asks     2. B joins, with patience     3. 150 ms: A ends, B asks the owner again
int64_t Group::OnOwnerAnswer(const OwnerGet& get, PeerAnswer&& answer) {
  Flight& flight = *get.flight;
  Lock lock(flights_.OfHash(flight.hash).mutex);
  if (flight.attempt != get.attempt) return 0;
  const int64_t now_ns = answer.now_ns != 0 ? answer.now_ns : context_->NowNs();
  stats_.PeerLatency((now_ns - get.asked_ns) / kNsPerMs);
  switch (answer.status.code()) {
    case Code::kOk: {
      stats_.Add(Counter::kPeerLoads);
      Outcome outcome;
      outcome.value = std::move(answer.value);
      outcome.keep = answer.keep;
      outcome.source = Source::kPeer;
      return Finish(std::move(lock), flight, std::move(outcome), answer.now_unix_ns);
    }
    case Code::kNotFound:
    case Code::kRemoteFailed: {  // The owner's last word.
      Outcome outcome = Outcome::Failed(answer.status.code(), answer.status.message(), answer.error_tag);
      outcome.source = Source::kPeer;
      return Finish(std::move(lock), flight, std::move(outcome));
    }
    default:
      stats_.Add(Counter::kPeerErrors);
      Peer& peer = *std::exchange(flight.peer, nullptr);
      if (now_ns < get.deadline_ns) {
        LoadHere(std::move(lock), std::shared_ptr(flight.open), Outcome());
        LogPeerError(flight.key, peer, answer.status);
      } else if (LatestDeadlineNs(flight) > now_ns) {
        std::shared_ptr<PeerGet> again = NewQuestion(flight, now_ns);
        lock.unlock();
        peer.GetAll({&again, 1});
      } else {
        stats_.Add(Counter::kTimeouts, flight.waiting);
        Finish(std::move(lock), flight, Outcome::Failed(Code::kTimeout, kDeadlinePassed));
      }
      return 0;
  }
}

void Group::LoadHere(Lock lock, const std::shared_ptr<Flight>& flight, const Outcome& after) {
  Shard& shard = flights_.OfHash(flight->hash);
  flight->leader_waits = false;
  if (Waiter* leader = FlightTable::FirstLeader(*flight)) {
    const int64_t leader_deadline_ns = leader->deadline_ns;
    std::unique_ptr<Waiter> waiter = FlightTable::Remove(shard, leader);
    std::unique_ptr<Load> load = NewAttempt(flight);
    flight->led_by_group = false;
    flight->leader_waits = true;
    flight->leader_deadline_ns = leader_deadline_ns;
    lock.unlock();
    Waiter* const target = waiter.get();
    target->Lead(std::move(waiter), std::move(load));
    return;
  }
  // The group's own getter comes after the callers, and only once: a getter that abandons its load ends the flight.
  if (getter_ == nullptr || flight->led_by_group) {
    Outcome outcome =
        after.ok() ? Outcome::Failed(Code::kNoGetter, "group '" + name_ + "' has no getter in this process") : after;
    Finish(std::move(lock), *flight, std::move(outcome));
    return;
  }
  flight->led_by_group = true;
  if (getter_->is_callback()) {
    flight->step = Flight::Step::kQueued;
    const uint64_t attempt = ++flight->attempt;
    lock.unlock();
    context_->runtime().executor().PostBlocking(
        [self = shared_from_this(), flight, attempt] { self->RunQueued(flight, attempt); });
    return;
  }
  std::unique_ptr<Load> load = NewAttempt(flight);
  lock.unlock();
  getter_->Run(std::move(load));  // A closed queue drops the load, which comes back as abandoned.
}

void Group::RunQueued(const std::shared_ptr<Flight>& flight, uint64_t attempt) {
  std::unique_ptr<Load> load;
  {
    Lock lock(flights_.OfHash(flight->hash).mutex);
    if (flight->attempt != attempt || flight->step != Flight::Step::kQueued) return;  // Taken over, or ended.
    load = NewAttempt(flight);
  }
  getter_->Run(std::move(load));
}

int64_t Group::Finish(Lock lock, Flight& flight, Outcome outcome, int64_t now_unix_ns) {
  Shard& shard = flights_.OfHash(flight.hash);
  if (flight.stale) {
    outcome.keep = false;
    if (outcome.ok()) stats_.Add(Counter::kOvertakenLoads);
  }
  if (outcome.ok() && outcome.keep && outcome.value) {
    // A value that the owner gave is a copy; one that a peer asked the wrong node for is nobody's: both are hot.
    const bool hot = outcome.source == Source::kPeer || flight.misrouted;
    const LazyTime now = now_unix_ns != 0 ? LazyTime(now_unix_ns) : context_->LazyUnixTime();
    cache_->Fill(hot ? Tier::kHot : Tier::kMain, flight.key, flight.hash, outcome.value, now, Origin::kLoad);
    shard.CountFill();
  }
  flight.peer = nullptr;
  flight.watch_queue.reset();
  FlightTable::End(shard, flight);
  Waiters waiters(FlightTable::RemoveAll(shard, flight));
  lock.unlock();

  const int64_t tagged = Deliver(std::move(waiters), std::move(outcome));
  Deliveries::EndOne(context_);
  return tagged;
}

// Ends for the same queue travel together.
int64_t Group::Deliver(Waiters waiters, Outcome&& outcome) {
  int64_t tagged = 0;
  EventQueue* queue = nullptr;
  EventChain batch;
  while (std::unique_ptr<Waiter> waiter = waiters.Pop()) {
    Waiter* const target = waiter.get();
    EventQueue* const next = target->TargetQueue();
    // NOLINTNEXTLINE(bugprone-use-after-move): the last one takes it
    Outcome own = waiters.empty() ? std::move(outcome) : outcome;
    if (next == nullptr) {
      target->End(std::move(waiter), std::move(own));
      continue;
    }
    ++tagged;
    std::unique_ptr<EventNode> node = target->ToNode(std::move(waiter), std::move(own));
    if (tagged == 1 && waiters.empty()) {
      Deliveries::ToQueue(*next, std::move(node));
      return tagged;
    }
    if (next != queue && queue != nullptr) Deliveries::ToQueue(*queue, std::exchange(batch, EventChain()));
    queue = next;
    batch.Push(std::move(node));
  }
  if (queue != nullptr) Deliveries::ToQueue(*queue, std::move(batch));
  return tagged;
}

int64_t Group::LentNs(int64_t timeout_ms) {
  if (timeout_ms <= 0) return kNoDeadline;
  return timeout_ms >= kLeastLentMs ? Deadline(0, timeout_ms) : 0;
}

Outcome Group::Get(std::string_view key, int flags, int64_t timeout_ms, const Look* look) {
  const bool can_lead = getter_ != nullptr && getter_->is_callback();
  flags = (flags & ~kCanLead) | (can_lead ? kCanLead : 0);
  std::shared_ptr<Blocked> blocked;  // Made when there is something to wait for: a hit needs no memory.
  const auto make = [&blocked, can_lead] {
    blocked = std::make_shared<Blocked>();
    return std::make_unique<BlockedWaiter>(blocked, can_lead);
  };
  GetAnswer answer;
  LentThread lent(LentNs(timeout_ms));
  const Begun begun = look != nullptr ? Begin(key, *look, flags, timeout_ms, make, &answer)
                                      : Begin(key, flags, timeout_ms, make, &answer);
  if (begun == Begun::kFailed) return Outcome::Failed(answer.status);
  if (begun == Begun::kMiss) return Outcome::Failed(Code::kNotFound, "not in this process");
  if (begun == Begun::kHit) {
    Outcome outcome;
    outcome.value = std::move(answer.value);
    outcome.source = answer.source;
    return outcome;
  }
  lent.Run();
  if (blocked == nullptr) blocked = std::make_shared<Blocked>();
  const int64_t deadline_ns = Deadline(context_->NowNs(), timeout_ms);
  std::unique_ptr<Load> lead = std::move(answer.load);
  TimerId timer = 0;
  for (;;) {
    if (lead != nullptr) {
      // The leader waits in its own flight while its getter runs, so that a getter that ends later, elsewhere, wakes
      // it. Its deadline counts from the getter's return: one that this thread runs ends when it ends.
      const std::shared_ptr<Flight> flight = lead->flight_;
      Shard& shard = flights_.OfHash(flight->hash);
      uint64_t ticket = 0;
      {
        Lock lock(shard.mutex);
        if (flight->attempt != lead->attempt_) return Outcome::Failed(Code::kClosed, "group '" + name_ + "' is closed");
        flight->leader_waits = false;
        auto waiter = std::make_unique<BlockedWaiter>(blocked, false);
        Waiter* const added = waiter.get();
        AddWaiter(shard, *flight, std::move(waiter), deadline_ns, false);
        ticket = added->ticket;
      }
      getter_->Run(std::move(lead));
      if (deadline_ns != kNoDeadline) {
        timer = context_->runtime().timers().After(
            std::max<int64_t>(0, deadline_ns - context_->NowNs()),
            [self = shared_from_this(), ticket] { self->EndWait(ticket, Code::kTimeout, kDeadlinePassed); });
      }
    }
    Blocked::Woken woken = blocked->Await();
    if (timer != 0) context_->runtime().timers().Cancel(timer);
    if (woken.lead == nullptr) return std::move(woken.outcome);
    lead = std::move(woken.lead);
  }
}

void Group::LogPeerError(std::string_view key, const Peer& peer, const Status& status) {
  if (!context_->Logs(LogLevel::kWarn)) return;
  constexpr int64_t kIntervalNs = 1'000'000'000;  // At most one line a second and group.
  const int64_t now_ns = context_->NowNs();
  int64_t last_ns = last_peer_error_log_ns_.load(std::memory_order_relaxed);
  if (now_ns - last_ns < kIntervalNs || !last_peer_error_log_ns_.compare_exchange_strong(last_ns, now_ns)) {
    suppressed_peer_errors_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  std::string line = "group '" + name_ + "': loading here, " + status.message();
  if (status.message().find(peer.address()) == std::string::npos) line += " (peer " + peer.address() + ")";
  line += "; key of " + std::to_string(key.size()) + " bytes";
  if (const int64_t more = suppressed_peer_errors_.exchange(0); more > 0) {
    line += "; " + std::to_string(more) + " more such lines were left out";
  }
  context_->Log(LogLevel::kWarn, line);
}

GroupStats Group::StatsNow() {
  GroupStats now;
  now.cache_hits = cache_->HitsEver();
  now.gets = stats_.Get(Counter::kMisses) + now.cache_hits;
  now.get_from_peers_latency_max_ms = stats_.peer_latency_max_ms();
  now.peer_loads = stats_.Get(Counter::kPeerLoads);
  now.peer_errors = stats_.Get(Counter::kPeerErrors);
  now.loads = stats_.Get(Counter::kLoads);
  now.loads_deduped = stats_.Get(Counter::kLoadsDeduped);
  now.local_loads = stats_.Get(Counter::kLocalLoads);
  now.local_load_errors = stats_.Get(Counter::kLocalLoadErrors);
  now.remove_keys_requests = stats_.Get(Counter::kRemoveKeysRequests);
  now.removed_keys = stats_.Get(Counter::kRemovedKeys);
  now.served_to_peers = stats_.Get(Counter::kServedToPeers);
  now.misrouted = stats_.Get(Counter::kMisrouted);
  now.sets = stats_.Get(Counter::kSets);
  now.removes = stats_.Get(Counter::kRemoves);
  now.sets_from_peers = stats_.Get(Counter::kSetsFromPeers);
  now.removes_from_peers = stats_.Get(Counter::kRemovesFromPeers);
  now.overtaken_loads = stats_.Get(Counter::kOvertakenLoads);
  now.timeouts = stats_.Get(Counter::kTimeouts);
  now.cancelled = stats_.Get(Counter::kCancelled);
  now.abandoned_loads = stats_.Get(Counter::kAbandonedLoads);
  for (Shard& shard : flights_.shards()) {
    Lock lock(shard.mutex);
    now.waiting += shard.waiting;
    now.loading += shard.open;
  }
  return now;
}

void Group::ResetCache(int64_t cache_bytes) { cache_->Reset(cache_bytes); }

bool Group::Sweep(int64_t max_entries) { return cache_->Sweep(context_->NowUnixNs(), max_entries) >= max_entries; }

void Group::Close() {
  Refuse();
  for (Shard& shard : flights_.shards()) {
    for (const std::shared_ptr<Flight>& flight : FlightTable::Open(shard)) {
      Lock lock(shard.mutex);
      if (flight->step == Flight::Step::kDone) continue;
      flight->stale = true;
      Peer* const peer = flight->peer;
      const std::shared_ptr<EventQueue> watcher = flight->watch_queue;
      const uint64_t tag = flight->watch_tag;
      Finish(std::move(lock), *flight, Outcome::Failed(Code::kClosed, "group '" + name_ + "' is closed"));
      if (peer != nullptr) peer->GiveUp(*flight->asking->last);
      if (watcher != nullptr) {
        auto node = std::make_unique<EventNode>(EventKind::kCancel, tag);
        node->status = static_cast<int32_t>(Code::kCancelled);
        watcher->Offer(std::move(node));
      }
    }
  }
  cache_->Reset(0);
}

}  // namespace cohort
