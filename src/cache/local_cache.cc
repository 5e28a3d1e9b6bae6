#include "cache/local_cache.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include "cache/budget.h"
#include "cache/entry.h"
#include "cache/graveyard.h"
#include "cache/judge.h"
#include "cache/key_hash.h"
#include "cache/limbo.h"
#include "cache/shard.h"
#include "cache/tiers.h"
#include "runtime/thread_counts.h"

namespace cohort {

namespace {

class ShardedCache final : public LocalCache {
 public:
  explicit ShardedCache(CacheOptions options) : options_(std::move(options)) {
    tiers_[0].custom = std::move(options_.custom_main);
    tiers_[1].custom = std::move(options_.custom_hot);
    has_custom_ = tiers_[0].custom != nullptr || tiers_[1].custom != nullptr;
    Open(options_.cache_bytes);
  }
  ~ShardedCache() override {
    Graveyard dead(options_.on_evict, &limbos_[0]);
    Close(&dead);
  }

  ValueRef Find(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) override;
  HeldValue Lend(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) override;
  bool FindCopy(std::string_view key, uint64_t hash, const LazyTime& now, char* to, size_t room,
                FoundCopy* found) override;
  void Fetch(const uint64_t* hashes, size_t count) const override;
  bool Fill(Tier tier, std::string_view key, uint64_t hash, ValueRef value, int64_t now_unix_ns,
            Origin origin) override;
  void Drop(std::string_view key, uint64_t hash) override;
  void Reset(int64_t cache_bytes) override;
  int64_t Sweep(int64_t now_unix_ns, int64_t max_entries) override;
  TierStats Stats(Tier tier) const override;
  bool enabled() const override { return enabled_.load(std::memory_order_acquire); }

 private:
  struct TierState {
    std::shared_ptr<CustomTier> custom;
    Judge judge;  // Before the shards' policies.
    Budget budget;
    std::mutex gathering;  // Held while room is collected from all shards; before any shard's lock.
    std::atomic<int64_t> evictions{0};
    std::atomic<int64_t> expirations{0};
    std::atomic<int64_t> rejected{0};
  };
  struct Newcomer {
    Entry* entry;
    uint64_t hash;
    unsigned tier;
    int64_t charged_bytes;
    int64_t now_unix_ns;
    Origin origin;
  };
  enum class Filled { kYes, kNo, kShardIsEmpty };

  std::optional<Shard::Writer> Write(uint64_t hash);
  // In our own tiers, without a lock; `take(entry, tier)`.
  template <typename Take>
  Shard::Found Look(std::string_view key, uint64_t hash, const LazyTime& now, const Take& take);
  // What Look is not sure of: with the lock, or in tiers of the host's own.
  ValueRef FindSlowly(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier);
  ValueRef FindBeside(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier);
  ValueRef FindOurs(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier);
  ValueRef FindCustom(unsigned tier, std::string_view key, int64_t now_unix_ns);
  [[gnu::noinline]] void DropExpired(std::string_view key, uint64_t hash, int64_t now_unix_ns);
  void DropOurs(std::string_view key, uint64_t hash);
  static Entry* Adopt(std::string_view key, ValueRef* value);
  Filled FillFromShard(const Newcomer& newcomer, Graveyard* dead);
  Filled FillFromAllShards(const Newcomer& newcomer, Graveyard* dead);
  void RemoveOld(Shard::Writer* shard, const Newcomer& newcomer, Room* room, Graveyard* dead);
  void Evict(Shard::Writer* shard, Entry* victim, const Newcomer& newcomer, Room* room, Graveyard* dead);
  Filled Insert(Shard::Writer* shard, const Newcomer& newcomer, Room room, Graveyard* dead);
  Filled Reject(const Newcomer& newcomer, Room room);
  void Open(int64_t cache_bytes);
  void Close(Graveyard* dead);

  static constexpr uint32_t kLimbos = 4;
  // A policy that is told of every hit, or another's tier, needs more than a glance.
  bool GlanceHelps(uint32_t count) const { return !has_custom_ && (options_.policy != Policy::kLru || count > 1); }
  static bool CopyOf(const ValueRef& value, char* to, size_t room, FoundCopy* found);
  Limbo* LimboOfThisThread() { return &limbos_[ThreadNumber() % kLimbos]; }

  std::atomic<bool> enabled_{false};
  bool has_custom_ = false;
  TierState tiers_[kTiers];
  CacheOptions options_;
  Limbo limbos_[kLimbos];
  std::atomic<uint32_t> next_to_give_{0};  // The shard that gives up an entry next for another's sake.
  std::mutex resetting_;                   // Before the tiers' gathering.
  std::mutex sweeping_;                    // Before a shard's lock.
  uint32_t sweep_shard_ = 0;
  Index::Cursor sweep_cursor_;
};

// ---- shards: which, and how many

// The shard may have left the cache between the choice and the lock (see Reset): then it says another number.
std::optional<Shard::Writer> ShardedCache::Write(uint64_t hash) {
  for (;;) {
    uint32_t count = 0;
    Shard* const shard = shards_.Of(hash, &count);
    if (shard == nullptr) return std::nullopt;
    Shard::Writer writer(shard);
    if (writer.shard_count() == count) return writer;
  }
}

// Reset and everybody else:
//   1. Reset takes both gathering locks, so no fill has room in hand without a shard's lock, and sets the count to 0:
//      from here on finds miss and fills are refused, as when caching is off;
//   2. a call that read the old count may still fill or find in a shard that is not cleared yet: it came first;
//   3. Reset clears shard by shard, each then saying 0; a call that read the old count and comes later sees the
//      difference and asks again;
//   4. when all are clear every budget is back to 0, and the new limits and then the new count are set.
// At no time are two shards' locks held.
void ShardedCache::Reset(int64_t cache_bytes) {
  {
    Graveyard dead(options_.on_evict, LimboOfThisThread());
    std::lock_guard<std::mutex> resetting(resetting_);
    std::scoped_lock gathering(tiers_[0].gathering, tiers_[1].gathering);
    Close(&dead);
    Open(cache_bytes);
  }
  for (Limbo& limbo : limbos_) limbo.Empty();
  for (TierState& state : tiers_) {
    if (state.custom != nullptr) state.custom->Clear();
  }
}

void ShardedCache::Close(Graveyard* dead) {
  enabled_.store(false, std::memory_order_release);
  shards_.SetCount(0, false);
  for (uint32_t i = 0; i < kMaxShards; ++i) {
    Shard* const shard = shards_.At(i);
    if (shard == nullptr) continue;
    Shard::Writer(shard).Clear(0, [&](Entry* entry) {
      tiers_[entry->tier()].budget.Give(Room{entry->ChargedBytes(), 1});
      dead->Add(entry);
    });
  }
}

// REQUIRES: closed. If it throws, caching stays off.
void ShardedCache::Open(int64_t cache_bytes) {
  const uint32_t count = ShardsOf(cache_bytes, options_.max_entries);
  counts_.Restart();
  for (uint32_t i = 0; i < count; ++i) {
    if (shards_.At(i) != nullptr) continue;
    shards_.Put(i, new Shard(options_.policy, {&tiers_[0].judge, &tiers_[1].judge}));
  }
  for (unsigned tier = 0; tier < kTiers; ++tier) {
    TierState& state = tiers_[tier];
    const Limits limits = LimitsOf(tier, cache_bytes, options_.max_entries);
    state.budget.SetLimits(limits.bytes, limits.items);
    state.judge.SetLimits(limits.bytes, limits.items);
    for (auto* counter : {&state.evictions, &state.expirations, &state.rejected}) {
      counter->store(0, std::memory_order_relaxed);
    }
    for (uint32_t i = 0; i < count; ++i) {
      Shard::Writer shard(shards_.At(i));
      shard.SetCapacity(tier, limits.bytes / count, limits.items == kNoLimit ? kNoLimit : limits.items / count,
                        count == 1);
    }
  }
  for (uint32_t i = 0; i < count; ++i) {
    Shard::Writer(shards_.At(i)).Clear(count, [](Entry*) {});
  }
  shards_.SetCount(count, GlanceHelps(count));
  enabled_.store(count != 0, std::memory_order_release);
}

// ---- finding

void ShardedCache::Fetch(const uint64_t* hashes, size_t count) const {
  const Reading reading;
  uint32_t shards = 0;
  for (size_t i = 0; i < count; ++i) {
    if (const Shard* const shard = shards_.Of(hashes[i], &shards); shard != nullptr) shard->FetchSlot(hashes[i]);
  }
  for (size_t i = 0; i < count; ++i) {
    if (const Shard* const shard = shards_.Of(hashes[i], &shards); shard != nullptr) shard->FetchEntry(hashes[i]);
  }
}

template <typename Take>
Shard::Found ShardedCache::Look(std::string_view key, uint64_t hash, const LazyTime& now, const Take& take) {
  uint32_t count = 0;
  Shard* const shard = has_custom_ ? nullptr : shards_.Of(hash, &count);
  if (shard == nullptr) return Shard::Found::kUnsure;
  unsigned tier = 0;
  const Shard::Found found = shard->Find(count, key, hash, now, [&](Entry* entry) {
    tier = entry->tier();
    take(entry, tier);
  });
  if (found == Shard::Found::kHit) {
    counts_.Add(kHits + tier);
  } else if (found == Shard::Found::kMiss) {
    counts_.Add(kMisses);
  }
  return found;
}

ValueRef ShardedCache::Find(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) {
  ValueRef value;
  const Shard::Found found = Look(key, hash, now, [&](Entry* entry, unsigned number) {
    entry->Ref();
    value = ValueRef(entry);
    *tier = TierOf(number);
  });
  return found == Shard::Found::kUnsure ? FindSlowly(key, hash, now(), tier) : value;
}

HeldValue ShardedCache::Lend(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) {
  HeldValue value;
  const Shard::Found found = Look(key, hash, now, [&](Entry* entry, unsigned number) {
    value = HeldValue::Lend(entry, ReadingThread::Current());
    *tier = TierOf(number);
  });
  return found == Shard::Found::kUnsure ? HeldValue(FindSlowly(key, hash, now(), tier)) : value;
}

bool ShardedCache::FindCopy(std::string_view key, uint64_t hash, const LazyTime& now, char* to, size_t room,
                            FoundCopy* found) {
  ValueRef large;
  const Shard::Found how = Look(key, hash, now, [&](Entry* entry, unsigned number) {
    const std::string_view bytes = entry->bytes();
    found->tier = TierOf(number);
    found->size = static_cast<int64_t>(bytes.size());
    found->expire_unix_ns = entry->expire_unix_ns();
    if (bytes.size() <= std::min(room, kMostInOneStay)) {
      if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    } else {
      entry->Ref();
      large = ValueRef(entry);
    }
  });
  if (how == Shard::Found::kUnsure) return CopyOf(FindSlowly(key, hash, now(), &found->tier), to, room, found);
  return large ? CopyOf(large, to, room, found) : how == Shard::Found::kHit;
}

bool ShardedCache::CopyOf(const ValueRef& value, char* to, size_t room, FoundCopy* found) {
  if (!value) return false;
  const std::string_view bytes = value->bytes();
  found->size = static_cast<int64_t>(bytes.size());
  found->expire_unix_ns = value->expire_unix_ns();
  if (bytes.size() > room) {
    found->value = value;
  } else if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return true;
}

ValueRef ShardedCache::FindSlowly(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier) {
  return has_custom_ ? FindBeside(key, hash, now_unix_ns, tier) : FindOurs(key, hash, now_unix_ns, tier);
}

// With the lock.
ValueRef ShardedCache::FindOurs(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier) {
  for (;;) {
    uint32_t count = 0;
    Shard* const shard = shards_.Of(hash, &count);
    if (shard == nullptr) return ValueRef();
    ValueRef value;
    unsigned number = 0;
    switch (shard->FindAlone(count, key, hash, now_unix_ns, &value, &number)) {
      case Shard::Found::kElsewhere:
        continue;
      case Shard::Found::kHit:
        counts_.Add(kHits + number);
        *tier = TierOf(number);
        return value;
      case Shard::Found::kExpired:
        DropExpired(key, hash, now_unix_ns);
        [[fallthrough]];
      default:
        counts_.Add(kMisses);
        return ValueRef();
    }
  }
}

// With a tier of the host's own in place of one of ours, or both.
ValueRef ShardedCache::FindBeside(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier) {
  if (!enabled()) return ValueRef();
  ValueRef value;
  for (unsigned number = 0; number < kTiers; ++number) {
    value = tiers_[number].custom == nullptr ? FindOurs(key, hash, now_unix_ns, tier)
                                             : FindCustom(number, key, now_unix_ns);
    if (!value) continue;
    *tier = TierOf(number);
    return value;
  }
  return value;
}

ValueRef ShardedCache::FindCustom(unsigned tier, std::string_view key, int64_t now_unix_ns) {
  TierState& state = tiers_[tier];
  counts_.Add(kCustomGets + tier);
  ValueRef value = state.custom->Get(key);
  if (!value) return value;
  if (value->ExpiredAt(now_unix_ns)) {
    state.custom->Remove(key);
    return ValueRef();
  }
  counts_.Add(kCustomHits + tier);
  return value;
}

// A find has only shared the shard, so by now the entry may be another, and live:
//   1. the find sees an expired entry and leaves the shard;
//   2. a fill replaces it;
//   3. here the new one is found, and stays.
void ShardedCache::DropExpired(std::string_view key, uint64_t hash, int64_t now_unix_ns) {
  Graveyard dead(options_.on_evict, LimboOfThisThread());
  std::optional<Shard::Writer> shard = Write(hash);
  if (!shard) return;
  Entry* const entry = shard->Find(key, hash);
  if (entry == nullptr || !entry->ExpiredAt(now_unix_ns)) return;
  shard->Remove(entry);
  TierState& state = tiers_[entry->tier()];
  state.budget.Give(Room{entry->ChargedBytes(), 1});
  state.expirations.fetch_add(1, std::memory_order_relaxed);
  dead.AddEvicted(entry, EvictReason::kExpired);
}

// ---- filling

bool ShardedCache::Fill(Tier tier, std::string_view key, uint64_t hash, ValueRef value, int64_t now_unix_ns,
                        Origin origin) {
  if (!enabled()) return false;
  const unsigned number = NumberOf(tier);
  TierState& state = tiers_[number];
  if (!value || value->ExpiredAt(now_unix_ns)) {
    Drop(key, hash);
    return false;
  }
  if (TierState& other = tiers_[1 - number]; other.custom != nullptr) other.custom->Remove(key);
  if (state.custom != nullptr) {
    DropOurs(key, hash);
    state.custom->Add(key, value);
    return true;
  }
  Graveyard dead(options_.on_evict, LimboOfThisThread());
  Entry* const entry = Adopt(key, &value);
  if (entry == nullptr) {
    DropOurs(key, hash);
    state.rejected.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  entry->SetHash(hash);
  entry->set_tier(number);
  const Newcomer newcomer{entry, hash, number, entry->ChargedBytes(), now_unix_ns, origin};
  Filled filled = FillFromShard(newcomer, &dead);
  if (filled == Filled::kShardIsEmpty) filled = FillFromAllShards(newcomer, &dead);
  if (filled != Filled::kYes) dead.Add(entry);
  return filled == Filled::kYes;
}

// The value itself as an entry for this cache, if it has this key and no other cache has it; else a new one around it.
// Null: no memory.
Entry* ShardedCache::Adopt(std::string_view key, ValueRef* value) {
  if ((*value)->key() == key && Entry::Of(value->get())->Claim()) return Entry::Of(value->release());
  try {
    Entry* const entry = Entry::Of(Value::Wrap(key, *value, (*value)->expire_unix_ns()).release());
    entry->Claim();
    return entry;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// Fills with room from the key's own shard: what the old value leaves, what is free, what victims leave. Everything
// happens in one hold of its lock, and the room of what leaves passes to the newcomer without being free in between; so
// no get sees the key absent, and no other fill takes the room.
ShardedCache::Filled ShardedCache::FillFromShard(const Newcomer& newcomer, Graveyard* dead) {
  std::optional<Shard::Writer> shard = Write(newcomer.hash);
  if (!shard) return Filled::kNo;
  TierState& state = tiers_[newcomer.tier];
  Room room;
  shard->Arrive(newcomer.entry, newcomer.hash);
  RemoveOld(&*shard, newcomer, &room, dead);
  if (!state.budget.Fits(newcomer.charged_bytes)) return Reject(newcomer, room);
  while (!state.budget.Cover(newcomer.charged_bytes, &room)) {
    Entry* const victim =
        shard->Victim(newcomer.tier, newcomer.entry, newcomer.origin == Origin::kLoad, state.budget.Spare(room));
    if (victim == newcomer.entry) return Reject(newcomer, room);
    if (victim == nullptr) {
      state.budget.Give(room);
      return Filled::kShardIsEmpty;
    }
    Evict(&*shard, victim, newcomer, &room, dead);
  }
  return Insert(&*shard, newcomer, room, dead);
}

// Fills a value that needs more room than its own shard can give: the shards give up one entry each in turn. Only one
// shard's lock is held at a time, so this cannot wait in a circle with anybody; and one fill of a tier gathers at a
// time, because of
//   1. two fills that each need the whole tier and each have half of it in hand;
//   2. neither ever gets the other half.
// What it has in hand stays charged, and others can only take what is free, so it ends.
ShardedCache::Filled ShardedCache::FillFromAllShards(const Newcomer& newcomer, Graveyard* dead) {
  TierState& state = tiers_[newcomer.tier];
  std::lock_guard<std::mutex> gathering(state.gathering);  // Keeps Reset out, so the count stays as it is.
  const uint32_t count = shards_.count();
  if (count == 0) return Filled::kNo;
  Room room;
  if (!state.budget.Fits(newcomer.charged_bytes)) return Reject(newcomer, room);
  while (!state.budget.Cover(newcomer.charged_bytes, &room)) {
    const uint32_t next = next_to_give_.fetch_add(1, std::memory_order_relaxed) & (count - 1);
    Shard::Writer shard(shards_.At(next));
    Entry* const victim = shard.Victim(newcomer.tier, nullptr, false, Room());
    if (victim != nullptr) Evict(&shard, victim, newcomer, &room, dead);
  }
  Shard::Writer shard(shards_.At(Shards::PlaceOf(newcomer.hash, count)));
  Room old;
  RemoveOld(&shard, newcomer, &old, dead);  // Another fill of the key may have come in between.
  state.budget.Give(old);
  return Insert(&shard, newcomer, room, dead);
}

// Removes what either tier has under the key; room in the newcomer's own tier goes to it.
void ShardedCache::RemoveOld(Shard::Writer* shard, const Newcomer& newcomer, Room* room, Graveyard* dead) {
  Entry* const old = shard->Find(newcomer.entry->key(), newcomer.hash);
  if (old == nullptr) return;
  shard->Remove(old);
  const int64_t charged_bytes = old->ChargedBytes();
  if (old->tier() == newcomer.tier) {
    room->bytes += charged_bytes;
    room->items += 1;
  } else {
    tiers_[old->tier()].budget.Give(Room{charged_bytes, 1});
  }
  dead->Add(old);
}

// The room goes to the newcomer, or free if it was in the other tier.
void ShardedCache::Evict(Shard::Writer* shard, Entry* victim, const Newcomer& newcomer, Room* room, Graveyard* dead) {
  shard->Remove(victim);
  TierState& state = tiers_[victim->tier()];
  const int64_t charged_bytes = victim->ChargedBytes();
  if (victim->tier() == newcomer.tier) {
    room->bytes += charged_bytes;
    room->items += 1;
  } else {
    state.budget.Give(Room{charged_bytes, 1});
  }
  const bool expired = victim->ExpiredAt(newcomer.now_unix_ns);
  (expired ? state.expirations : state.evictions).fetch_add(1, std::memory_order_relaxed);
  dead->AddEvicted(victim, expired ? EvictReason::kExpired : EvictReason::kRoom);
}

// REQUIRES: `room` is what the newcomer needs; the shard has nothing under its key.
ShardedCache::Filled ShardedCache::Insert(Shard::Writer* shard, const Newcomer& newcomer, Room room, Graveyard* dead) {
  if (!Index::Addressable(newcomer.entry)) return Reject(newcomer, room);
  try {
    while (Entry* const in_the_way = shard->MakeRoom(newcomer.hash)) {
      Room freed;
      Evict(shard, in_the_way, newcomer, &freed, dead);
      tiers_[newcomer.tier].budget.Give(freed);
    }
  } catch (const std::bad_alloc&) {
    return Reject(newcomer, room);
  }
  return shard->Insert(newcomer.entry) ? Filled::kYes : Reject(newcomer, room);
}

ShardedCache::Filled ShardedCache::Reject(const Newcomer& newcomer, Room room) {
  TierState& state = tiers_[newcomer.tier];
  state.budget.Give(room);
  state.rejected.fetch_add(1, std::memory_order_relaxed);
  return Filled::kNo;
}

// ---- leaving

void ShardedCache::Drop(std::string_view key, uint64_t hash) {
  for (TierState& state : tiers_) {
    if (state.custom != nullptr) state.custom->Remove(key);
  }
  DropOurs(key, hash);
}

void ShardedCache::DropOurs(std::string_view key, uint64_t hash) {
  Graveyard dead(options_.on_evict, LimboOfThisThread());
  std::optional<Shard::Writer> shard = Write(hash);
  if (!shard) return;
  Entry* const entry = shard->Find(key, hash);
  if (entry == nullptr) return;
  shard->Remove(entry);
  tiers_[entry->tier()].budget.Give(Room{entry->ChargedBytes(), 1});
  dead.Add(entry);
}

// Holds a shard for one segment of its index at a time. Ends at the end of the last shard, where the next sweep begins
// anew; shards in which nothing can expire are passed over.
int64_t ShardedCache::Sweep(int64_t now_unix_ns, int64_t max_entries) {
  int64_t looked_at = 0;
  bool ended = false;
  while (!ended && looked_at < max_entries) {
    Graveyard dead(options_.on_evict, LimboOfThisThread());
    std::lock_guard<std::mutex> sweeping(sweeping_);
    if (sweep_shard_ < shards_.count()) {
      Shard::Writer shard(shards_.At(sweep_shard_));
      looked_at += shard.Walk(&sweep_cursor_, max_entries - looked_at, now_unix_ns, [&](Entry* entry) {
        TierState& state = tiers_[entry->tier()];
        state.budget.Give(Room{entry->ChargedBytes(), 1});
        state.expirations.fetch_add(1, std::memory_order_relaxed);
        dead.AddEvicted(entry, EvictReason::kExpired);
      });
    } else {
      sweep_cursor_.Finish();
    }
    if (!sweep_cursor_.done()) continue;
    sweep_cursor_ = Index::Cursor();
    if (++sweep_shard_ >= shards_.count()) {
      sweep_shard_ = 0;
      ended = true;
    }
  }
  return looked_at;
}

// ---- counting

TierStats ShardedCache::Stats(Tier tier) const {
  const unsigned number = NumberOf(tier);
  const TierState& state = tiers_[number];
  TierStats stats;
  if (state.custom != nullptr) {
    stats.gets = counts_.Sum(kCustomGets + number);
    stats.hits = counts_.Sum(kCustomHits + number);
    return stats;
  }
  const uint32_t count = shards_.count();
  for (uint32_t i = 0; i < count; ++i) stats.bytes += shards_.At(i)->payload_bytes(number);
  stats.hits = counts_.Sum(kHits + number);
  stats.gets = counts_.Sum(kHits + 1) + counts_.Sum(kMisses) + (number == 0 ? stats.hits : 0);
  stats.charged_bytes = state.budget.bytes();
  stats.budget_bytes = state.budget.limit_bytes();
  stats.items = state.budget.items();
  stats.evictions = state.evictions.load(std::memory_order_relaxed);
  stats.expirations = state.expirations.load(std::memory_order_relaxed);
  stats.rejected = state.rejected.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace

std::unique_ptr<LocalCache> LocalCache::New(CacheOptions options) {
  return std::make_unique<ShardedCache>(std::move(options));
}

uint64_t LocalCache::Hash(std::string_view key) { return KeyHash(key); }

int64_t LocalCache::HitsEver() const {
  int64_t hits = 0;
  for (unsigned tier = 0; tier < kTiers; ++tier) hits += counts_.Ever(kHits + tier) + counts_.Ever(kCustomHits + tier);
  return hits;
}

}  // namespace cohort
