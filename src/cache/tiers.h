// How a group's budget is split between the tiers: main 7/8, hot the rest; and into how many shards it goes.
#pragma once

#include <cstdint>
#include <limits>

namespace cohort {

struct Limits {
  int64_t bytes = 0;
  int64_t items = 0;
};

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr uint32_t kMaxShards = 64;

// `tier`: 0 main, 1 hot. `max_entries` 0 or less: no limit.
constexpr Limits LimitsOf(unsigned tier, int64_t cache_bytes, int64_t max_entries) {
  const auto part = [tier](int64_t all) { return tier == 0 ? all - all / 8 : all / 8; };
  if (cache_bytes <= 0) return Limits{};
  return Limits{part(cache_bytes), max_entries > 0 ? part(max_entries) : kNoLimit};
}

// A power of two, or 0 when caching is off. A shard orders its own entries only, so small caches have one, and are
// exactly LRU; larger ones have a shard for each 2 MiB and 1024 entries, so that hits seldom meet.
constexpr uint32_t ShardsOf(int64_t cache_bytes, int64_t max_entries) {
  constexpr int64_t kShardBytes = int64_t{2} << 20;
  constexpr int64_t kShardEntries = 1024;
  if (cache_bytes <= 0) return 0;
  uint32_t shards = 1;
  while (shards < kMaxShards && cache_bytes / kShardBytes >= shards * 2 &&
         (max_entries <= 0 || max_entries / kShardEntries >= shards * 2)) {
    shards *= 2;
  }
  return shards;
}

}  // namespace cohort
