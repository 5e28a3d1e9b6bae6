// Which shards there are, and how entries leave them.
#include "cache/sharded_cache.h"

#include <utility>

#include "cache/tiers.h"

namespace cohort {

ShardedCache::ShardedCache(CacheOptions options) : LocalCache(options.policy), options_(std::move(options)) {
  tiers_[0].custom = std::move(options_.custom_main);
  tiers_[1].custom = std::move(options_.custom_hot);
  has_custom_ = tiers_[0].custom != nullptr || tiers_[1].custom != nullptr;
  Open(options_.cache_bytes);
}

ShardedCache::~ShardedCache() {
  Graveyard dead(options_.on_evict, &limbos_[0]);
  Close(&dead);
}

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
    shards_.Put(i, new Shard(options_.policy, {&tiers_[0].judge, &tiers_[1].judge}, &ages_));
  }
  for (unsigned tier = 0; tier < kTiers; ++tier) {
    TierState& state = tiers_[tier];
    const Limits limits = LimitsOf(tier, cache_bytes, options_.max_entries);
    state.budget.SetLimits(limits.bytes, limits.items);
    state.judge.SetLimits(limits.bytes, limits.items);
    state.rejected.store(0, std::memory_order_relaxed);
    ages_[tier].Restart(stamping_ && count > 1);
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
        shard.CountExpired(entry->tier());
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
  for (uint32_t i = 0; i < count; ++i) {
    const Shard::Totals& totals = shards_.At(i)->totals(number);
    stats.bytes += totals.payload_bytes.load(std::memory_order_relaxed);
    stats.items += totals.items.load(std::memory_order_relaxed);
    stats.evictions += totals.evictions.load(std::memory_order_relaxed);
    stats.expirations += totals.expirations.load(std::memory_order_relaxed);
  }
  // Shards are looked at one after the other: only the budget's number never exceeds the limit.
  if (state.budget.counts_items()) stats.items = state.budget.items();
  stats.hits = counts_.Sum(kHits + number);
  stats.gets = counts_.Sum(kHits + 1) + counts_.Sum(kMisses) + (number == 0 ? stats.hits : 0);
  stats.charged_bytes = state.budget.bytes();
  stats.budget_bytes = state.budget.limit_bytes();
  stats.rejected = state.rejected.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace cohort
