// Short words for tests of LocalCache: keys need no hash, values no ValueRef.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "cache/entry.h"
#include "cache/local_cache.h"

namespace cohort {

inline CacheOptions Bytes(int64_t cache_bytes) {
  CacheOptions options;
  options.cache_bytes = cache_bytes;
  return options;
}

inline CacheOptions Entries(int64_t max_entries) {
  CacheOptions options;
  options.max_entries = max_entries;
  return options;
}

inline int64_t ChargeOf(std::string_view key, std::string_view bytes, int64_t expire = 0) {
  return Entry::Of(Value::Copy(key, bytes, expire).get())->ChargedBytes();
}

// A cache of which main holds just `charged_bytes`.
inline CacheOptions MainHolds(int64_t charged_bytes) { return Bytes(charged_bytes / 7 * 8 + charged_bytes % 7 + 1); }

struct TestCache {
  explicit TestCache(CacheOptions options) : cache(LocalCache::New(std::move(options))) {}

  bool Fill(Tier tier, std::string_view key, ValueRef value) {
    return cache->Fill(tier, key, LocalCache::Hash(key), std::move(value), now, Origin::kSet);
  }
  bool Put(std::string_view key, std::string_view bytes, int64_t expire = 0, Tier tier = Tier::kMain) {
    return Fill(tier, key, Value::Copy(key, bytes, expire));
  }
  bool PutHot(std::string_view key, std::string_view bytes, int64_t expire = 0) {
    return Put(key, bytes, expire, Tier::kHot);
  }
  ValueRef Find(std::string_view key, Tier* tier = nullptr) {
    Tier ignored = Tier::kMain;
    return cache->Find(key, LocalCache::Hash(key), now, tier != nullptr ? tier : &ignored);
  }
  // As a host's hit: at a glance, else with a closer look.
  HeldValue Lend(std::string_view key, Tier* tier = nullptr) {
    Tier ignored = Tier::kMain;
    if (tier == nullptr) tier = &ignored;
    const HeldValue value = LendAtAGlance(key, tier);
    return value ? value : cache->Lend(key, LocalCache::Hash(key), now, tier);
  }
  HeldValue LendAtAGlance(std::string_view key, Tier* tier = nullptr) {
    HeldValue value;
    if (!LocalCache::MayGlance(key)) return value;
    cache->Glance(key, LocalCache::Hash(key), [&](Entry* entry, unsigned number, ReadingThread thread) {
      value = HeldValue::Lend(entry, thread);
      if (tier != nullptr) *tier = TierOf(number);
      return true;
    });
    return value;
  }
  std::optional<std::string> Get(std::string_view key) {
    const ValueRef value = Find(key);
    if (!value) return std::nullopt;
    return std::string(value->bytes());
  }
  bool Has(std::string_view key) { return static_cast<bool>(Find(key)); }
  void Drop(std::string_view key) { cache->Drop(key, LocalCache::Hash(key)); }
  TierStats Main() const { return cache->Stats(Tier::kMain); }
  TierStats Hot() const { return cache->Stats(Tier::kHot); }

  int64_t now = 1000;
  std::unique_ptr<LocalCache> cache;
};

// Counts how often destroy(user) runs.
struct Destroyed {
  static void Count(void* user) { static_cast<Destroyed*>(user)->times.fetch_add(1); }
  std::atomic<int64_t> times{0};
};

}  // namespace cohort
