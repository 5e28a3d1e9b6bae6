// Group is a named, read-through cache that all members of the cluster share. A get is answered from the local cache,
// else by the key's owner, else by a getter: once for everyone who waits (P1). No step blocks a thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cache/local_cache.h"
#include "cluster/service.h"
#include "engine/asks.h"
#include "engine/context.h"
#include "engine/flight.h"
#include "engine/getter.h"
#include "engine/load.h"
#include "engine/outcome.h"
#include "engine/stats.h"
#include "runtime/alarm.h"

namespace cohort {

struct GroupOptions {
  CacheOptions cache;
  int64_t load_timeout_ms = 60'000;
  std::shared_ptr<Getter> getter;  // May be null: then callers lead, or loads fail.
};

// Flags of a get.
inline constexpr int kCanLead = 1;  // The caller would run the getter.
inline constexpr int kLocal = 2;    // Never ask a peer.
inline constexpr int kPeek = 4;     // Never load.
// The caller has just looked and found nothing; not of the C ABI.
inline constexpr int kMissed = 1 << 16;

// What a look into the cache is begun with, and what Begin is told when that has found nothing.
struct Look {
  uint64_t hash = 0;
  uint64_t fills = 0;  // Of the key's shard of flights.
};

enum class Begun { kFailed, kHit, kPending, kLead, kMiss };

struct GetAnswer {
  ValueRef value;  // kHit
  Source source = Source::kNone;
  std::unique_ptr<Load> load;  // kLead
  uint64_t ticket = 0;         // kPending
  Status status;               // kFailed
};

class Group final : public ServedGroup, public std::enable_shared_from_this<Group> {
 public:
  using ChangeDone = UniqueFunction<void(Status)>;

  // REQUIRES: options were checked.
  Group(std::string name, GroupOptions options, std::shared_ptr<Context> context);
  ~Group() override;

  const std::string& name() const { return name_; }
  Runtime& runtime() const { return context_->runtime(); }
  const Context& context() const { return *context_; }

  // ---- getting (group.cc)
  // The way of a hit, and no more: the value, or null, and then `flags | kMissed` go on to one of the others. Counts as
  // a get if it finds one. `hash`: the key's KeyHash.
  ValueRef FindHit(std::string_view key, uint64_t hash, Source* source);
  // The shortest way of a hit, compiled into the caller; null and false say nothing (LocalCache::Glance, MayGlance).
  HeldValue Glance(std::string_view key, uint64_t hash, Source* source);
  bool GlanceCopy(std::string_view key, uint64_t hash, char* to, size_t room, FoundCopy* found);
  // The same as FindHit, lent (LocalCache::Lend).
  HeldValue Lend(std::string_view key, uint64_t hash, Source* source) {
    return Lend(key, hash, context_->LazyUnixTime(), source);
  }
  HeldValue Lend(std::string_view key, uint64_t hash, const LazyTime& now, Source* source);
  // The same, copied (LocalCache::FindCopy).
  bool FindHitCopy(std::string_view key, uint64_t hash, char* to, size_t room, FoundCopy* found);
  // To be taken before one of these.
  Look BeginLook(uint64_t hash) { return {hash, flights_.OfHash(hash).fills.load(std::memory_order_acquire)}; }
  // As LocalCache::Fetch.
  void Fetch(const uint64_t* hashes, size_t count) const { cache_->Fetch(hashes, count); }
  // Of a get that ended with FindHit or FindHitCopy.
  void CountMiss() { stats_.Add(Counter::kMisses); }
  static Source SourceOf(Tier tier) { return tier == Tier::kMain ? Source::kMain : Source::kHot; }
  // The one way to get. kHit, kMiss, kLead and kFailed are ends; kPending: the waiter that `make_waiter` made (called
  // at most once, under the key's lock) is told, exactly once, possibly before this returns. timeout_ms <= 0: no
  // deadline of its own. asks: of a caller that begins many; its owner is asked when that sends.
  Begun Begin(std::string_view key, int flags, int64_t timeout_ms, const MakeWaiter& make_waiter, GetAnswer* answer,
              Asks* asks = nullptr);
  // The same for who has looked in vain.
  Begun Begin(std::string_view key, const Look& look, int flags, int64_t timeout_ms, const MakeWaiter& make_waiter,
              GetAnswer* answer, Asks* asks = nullptr);
  // Ends one wait before its flight ends. False: it has ended by itself.
  bool EndWait(uint64_t ticket, Code code, std::string_view message);
  // Ends the waits that would end in the queue, which is closed.
  void EndWaitsIn(const EventQueue& queue);
  // Gets and blocks this thread, which runs a callback getter itself if it comes to lead. look: of who looked in vain.
  Outcome Get(std::string_view key, int flags, int64_t timeout_ms, const Look* look = nullptr);
  // For how long the thread of such a get may be lent (LentThread); 0: not at all.
  static int64_t LentNs(int64_t timeout_ms);

  // A hit, lent, or null. Counts as a get.
  HeldValue Lookup(std::string_view key);

  // ---- changing (group_changes.cc)
  // Sets or removes where there is no other member, and then has when it returns: nothing is made but the entry. False:
  // nothing was done, and one of those below will do it.
  bool SetAlone(std::string_view key, ValueRef* value);
  bool RemoveAlone(std::string_view key);
  void Set(std::string_view key, ValueRef value, int64_t timeout_ms, ChangeDone done);
  void Remove(std::string_view key, int64_t timeout_ms, ChangeDone done);
  void RemoveKeys(std::vector<std::string> keys, int64_t timeout_ms, ChangeDone done);

  // ---- what peers ask of this node (group_served.cc); P3: none of it asks a peer
  void ServeHits(const std::string_view* keys, size_t count, ValueRef* found) override;
  uint64_t ServeGet(std::string_view key, int64_t timeout_ms, UniqueFunction<void(Answer)> done) override;
  void ServeCancel(uint64_t wait) override;
  void ServeSet(std::string_view key, std::string_view value, int64_t expire_unix_ns, bool from_cohort) override;
  void ServeRemove(std::string_view key) override;

  // ---- the rest
  GroupStats StatsNow();
  TierStats CacheStatsNow(Tier tier) const { return cache_->Stats(tier); }
  void ResetCache(int64_t cache_bytes);
  // Sweeps expired entries; true if there may be more to look at soon.
  bool Sweep(int64_t max_entries);
  // Refuses new gets and changes.
  void Refuse() { refusing_.store(true, std::memory_order_relaxed); }
  bool refusing() const { return refusing_.load(std::memory_order_relaxed); }
  // Refuses, ends every wait with kClosed and forgets the cache.
  void Close();

 private:
  friend class Load;
  friend struct OwnerGet;
  using Shard = FlightTable::Shard;
  using Lock = std::unique_lock<std::mutex>;

  // group.cc: the miss path, step by step.
  Begun Miss(std::string_view key, const Look& look, int flags, int64_t timeout_ms, const MakeWaiter& make_waiter,
             GetAnswer* answer, Asks* asks);
  bool AddWaiter(Shard& shard, Flight& flight, std::unique_ptr<Waiter> waiter, int64_t deadline_ns, bool arm_timer);
  std::unique_ptr<Load> NewAttempt(const std::shared_ptr<Flight>& flight);
  static std::shared_ptr<PeerGet> NewQuestion(Flight& flight, int64_t now_ns);
  int64_t OnOwnerAnswer(const OwnerGet& get, PeerAnswer&& answer);
  // Finds who runs the getter next; takes over the lock. `after`: why the last attempt ended, told if nobody is left.
  void LoadHere(Lock lock, const std::shared_ptr<Flight>& flight, const Outcome& after);
  void RunQueued(const std::shared_ptr<Flight>& flight, uint64_t attempt);
  // Ends the flight: fills, detaches, delivers. Takes over the lock. Returns how many events carry the error tag.
  // now_unix_ns: if it is known. REQUIRES: the caller keeps the flight alive.
  int64_t Finish(Lock lock, Flight& flight, Outcome outcome, int64_t now_unix_ns = 0);
  // Returns how many events there were.
  int64_t Deliver(Waiters waiters, Outcome&& outcome);
  void LogPeerError(std::string_view key, const Peer& peer, const Status& status);

  // group_early_ends.cc
  static constexpr std::string_view kDeadlinePassed = "the deadline passed while the value was being loaded";
  // Has the waits looked at then, or earlier. local: those of local gets, or else the others.
  void WatchWaits(bool local, int64_t due_ns);
  void OnWaitTimes(bool local, uint64_t set);
  // asking: those that ask a peer.
  void WatchLoads(bool asking, int64_t due_ns);
  void OnLoadTimes(bool asking);
  // Returns when the next will be late; kNoDeadline: there is none.
  int64_t EndLateLoads(bool asking);
  void OnLoadTimeout(const std::shared_ptr<Flight>& flight);
  // Under the lock, when the last waiter has left; returns what is to be done after it.
  Task LastLeft(Shard& shard, const std::shared_ptr<Flight>& flight, Code why);

  // load.cc: the ends of an attempt.
  void EndLoad(Load& load, Outcome outcome, int64_t* tagged);
  void AbandonLoad(Load& load);

  // group_changes.cc
  bool Owns(const std::shared_ptr<const PeerSet>& peers, std::string_view key) const;
  void Drop(std::string_view key);
  bool Store(Tier tier, std::string_view key, ValueRef value);

  const std::string name_;
  const std::shared_ptr<Context> context_;
  const std::shared_ptr<Getter> getter_;
  const int64_t load_timeout_ms_;
  std::unique_ptr<LocalCache> cache_;
  FlightTable flights_;
  Stats stats_;
  std::atomic<bool> refusing_{false};
  struct WaitAlarm {
    explicit WaitAlarm(Runtime& runtime) : alarm(runtime) {}
    std::mutex mutex;  // Taken under a shard's.
    Alarm alarm;
  };
  std::array<WaitAlarm, 2> wait_alarms_;               // The second: of local gets.
  std::array<std::atomic<bool>, 2> watching_loads_{};  // A timer is armed for the first that may be late.
  std::atomic<int64_t> last_peer_error_log_ns_{INT64_MIN / 2};
  std::atomic<int64_t> suppressed_peer_errors_{0};
};

[[gnu::always_inline]] inline HeldValue Group::Glance(std::string_view key, uint64_t hash, Source* source) {
  HeldValue value;
  if (refusing()) [[unlikely]] {
    return value;
  }
  cache_->Glance(key, hash, [&](Entry* entry, unsigned tier, ReadingThread thread) {
    value = HeldValue::Lend(entry, thread);
    *source = SourceOf(TierOf(tier));
    return true;
  });
  return value;
}

[[gnu::always_inline]] inline bool Group::GlanceCopy(std::string_view key, uint64_t hash, char* to, size_t room,
                                                     FoundCopy* found) {
  return !refusing() && cache_->Glance(key, hash, [&](Entry* entry, unsigned tier, ReadingThread) {
    const std::string_view bytes = entry->PlainBytes(key.size());
    if (bytes.size() > std::min(room, LocalCache::kMostInOneStay)) [[unlikely]] {
      return false;
    }
    found->tier = TierOf(tier);
    found->size = static_cast<int64_t>(bytes.size());
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return true;
  });
}

}  // namespace cohort
