// ShardedCache is the cache that LocalCache::New makes: shards by hash, one budget for each tier, and tiers of the
// host's own in their place. How it finds is in sharded_cache_find.cc, how it fills in sharded_cache_fill.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "cache/budget.h"
#include "cache/graveyard.h"
#include "cache/judge.h"
#include "cache/limbo.h"
#include "cache/local_cache.h"
#include "cache/shard.h"

namespace cohort {

class ShardedCache final : public LocalCache {
 public:
  explicit ShardedCache(CacheOptions options);
  ~ShardedCache() override;

  ValueRef Find(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) override;
  HeldValue Lend(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) override;
  bool FindCopy(std::string_view key, uint64_t hash, const LazyTime& now, char* to, size_t room,
                FoundCopy* found) override;
  void Fetch(const uint64_t* hashes, size_t count) const override;
  bool Fill(Tier tier, std::string_view key, uint64_t hash, ValueRef value, const LazyTime& now,
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
    std::atomic<int64_t> rejected{0};
  };
  struct Newcomer {
    Entry* entry;
    uint64_t hash;
    unsigned tier;
    int64_t charged_bytes;
    const LazyTime& now;
    Origin origin;
  };
  enum class Filled { kYes, kNo, kNeedsAllShards };

  void Open(int64_t cache_bytes);
  void Close(Graveyard* dead);
  std::optional<Shard::Writer> Write(uint64_t hash);
  void DropOurs(std::string_view key, uint64_t hash);
  // A policy that is told of every hit, or another's tier, needs more than a glance.
  bool GlanceHelps(uint32_t count) const { return !has_custom_ && (options_.policy != Policy::kLru || count > 1); }
  Limbo* LimboOfThisThread() { return &limbos_[ThreadNumber() % kLimbos]; }

  // In our own tiers, without a lock; `take(entry, tier)`.
  template <typename Take>
  Shard::Found Look(std::string_view key, uint64_t hash, const LazyTime& now, const Take& take);
  // What Look is not sure of: with the lock, or in tiers of the host's own.
  ValueRef FindSlowly(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier);
  ValueRef FindBeside(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier);
  ValueRef FindOurs(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier);
  ValueRef FindCustom(unsigned tier, std::string_view key, int64_t now_unix_ns);
  [[gnu::noinline]] void DropExpired(std::string_view key, uint64_t hash, int64_t now_unix_ns);

  Filled FillFromShard(const Newcomer& newcomer, Graveyard* dead);
  Filled FillFromAllShards(const Newcomer& newcomer, Graveyard* dead);
  void RemoveOld(Shard::Writer* shard, const Newcomer& newcomer, Room* room, Graveyard* dead);
  void Evict(Shard::Writer* shard, Entry* victim, const Newcomer& newcomer, Room* room, Graveyard* dead);
  Filled Insert(Shard::Writer* shard, const Newcomer& newcomer, Room room, Graveyard* dead);
  Filled Reject(const Newcomer& newcomer, Room room);

  static constexpr uint32_t kLimbos = 4;
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

}  // namespace cohort
