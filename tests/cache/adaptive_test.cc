// The adaptive policy through a cache: it resists scans, follows what changes, admits what is set, and stays in budget.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cache/cache_fixture.h"

namespace cohort {
namespace {

class AdaptiveTest : public testing::Test {
 protected:
  // As a loader's value: it may be refused.
  static bool Load(TestCache* cache, const std::string& key, const std::string& bytes) {
    return cache->cache->Fill(Tier::kMain, key, LocalCache::Hash(key), Value::Copy(key, bytes, 0), cache->now,
                              Origin::kLoad);
  }
  // Asks for it, loads it on a miss; whether it was a hit.
  static bool Ask(TestCache* cache, uint64_t key, size_t size = 10) {
    const std::string name = "key" + std::to_string(key);
    if (cache->Has(name)) return true;
    Load(cache, name, std::string(size, 'v'));
    return false;
  }
  template <typename NextKey>
  static double HitRatio(TestCache* cache, int requests, NextKey&& next_key) {
    int hits = 0;
    for (int i = 0; i < requests; ++i) hits += Ask(cache, next_key()) ? 1 : 0;
    return static_cast<double>(hits) / requests;
  }
  static CacheOptions MainHoldsEntries(int64_t entries, Policy policy = Policy::kAdaptive) {
    CacheOptions options = Entries(entries / 7 * 8 + entries % 7);
    options.policy = policy;
    options.cache_bytes = int64_t{1} << 32;
    return options;
  }

  std::mt19937_64 random_{1};
};

TEST_F(AdaptiveTest, IsTheDefault) { EXPECT_EQ(CacheOptions().policy, Policy::kAdaptive); }

TEST_F(AdaptiveTest, KeepsWhatIsPopularThroughScans) {
  for (const int64_t entries : {300, 20'000}) {  // One shard; many.
    TestCache adaptive(MainHoldsEntries(entries));
    TestCache lru(MainHoldsEntries(entries, Policy::kLru));
    uint64_t scan = 1'000'000;
    int step = 0;
    const auto next_key = [&] {
      ++step;
      return step % 3 == 0 ? random_() % static_cast<uint64_t>(entries * 8 / 10) : ++scan;
    };
    const int requests = static_cast<int>(entries) * 60;
    HitRatio(&adaptive, requests, next_key);
    const double kept = HitRatio(&adaptive, requests, next_key);
    HitRatio(&lru, requests, next_key);
    EXPECT_GT(kept, 0.27) << entries;  // Of a third.
    EXPECT_LT(HitRatio(&lru, requests, next_key), 0.15) << entries;
  }
}

TEST_F(AdaptiveTest, HitsInALoopThatIsLargerThanTheCache) {
  TestCache cache(MainHoldsEntries(1000));
  uint64_t step = 0;
  HitRatio(&cache, 20'000, [&] { return step++ % 2000; });
  EXPECT_GT(HitRatio(&cache, 20'000, [&] { return step++ % 2000; }), 0.4);
}

TEST_F(AdaptiveTest, HitsWhatIsAskedForTwiceAndNeverAgain) {
  TestCache cache(MainHoldsEntries(1000));
  uint64_t step = 0;
  const auto next_key = [&] {
    ++step;
    return step % 2 == 0 ? step / 2 + 1000 : step / 2 + 700;
  };
  HitRatio(&cache, 40'000, next_key);
  EXPECT_GT(HitRatio(&cache, 40'000, next_key), 0.45);
}

TEST_F(AdaptiveTest, FollowsAShift) {
  TestCache cache(MainHoldsEntries(1000));
  for (uint64_t phase = 0; phase < 4; ++phase) {
    const auto next_key = [&] { return phase * 100'000 + random_() % 900; };
    HitRatio(&cache, 30'000, next_key);
    EXPECT_GT(HitRatio(&cache, 10'000, next_key), 0.95) << phase;
  }
}

TEST_F(AdaptiveTest, AdmitsWhatIsSetWhateverThePlan) {
  TestCache cache(MainHolds(200'000));
  uint64_t step = 0;
  for (int round = 0; round < 3; ++round) {
    // Small values, popular enough to refuse large ones.
    for (int i = 0; i < 30'000; ++i) Ask(&cache, round == 2 ? ++step : random_() % 1500, 20);
    for (int i = 0; i < 50; ++i) {
      const std::string key = "set" + std::to_string(i);
      ASSERT_TRUE(cache.Put(key, std::string(random_() % 50'000, 's')));
      ASSERT_TRUE(cache.Has(key));
    }
  }
}

TEST_F(AdaptiveTest, KeepsALargeValueThatIsUsed) {
  TestCache cache(MainHolds(400'000));
  int found = 0;
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    // Values that are asked for once, and one of a tenth of the room that is asked for all the time.
    for (int i = 0; i < 200; ++i) {
      Ask(&cache, 1'000'000 + static_cast<uint64_t>(round) * 200 + static_cast<uint64_t>(i), 100);
      if (i % 20 != 0) continue;
      if (cache.Has("large")) {
        ++found;
      } else {
        Load(&cache, "large", std::string(40'000, 'l'));
      }
    }
  }
  EXPECT_GT(found, kRounds * 10 * 9 / 10);
}

TEST_F(AdaptiveTest, LargeValuesThatAreAskedForOnceDoNotWipeOutSmallOnes) {
  TestCache cache(MainHolds(400'000));
  const auto ask_small = [&] {
    int hits = 0;
    for (int i = 0; i < 1000; ++i) hits += Ask(&cache, random_() % 1000, 100) ? 1 : 0;
    return hits;
  };
  uint64_t large = 0;
  int hits = 0;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 3; ++i) Ask(&cache, 1'000'000 + ++large, 100'000);
    const int now = ask_small();
    if (round >= 50) hits += now;
  }
  EXPECT_GT(hits, 50 * 850);
}

TEST_F(AdaptiveTest, KeepsManySmallValuesForOneLargeThatIsAskedForAsOften) {
  for (const uint64_t keys : {2'000, 40'000}) {  // One shard; many.
    TestCache cache(MainHolds(static_cast<int64_t>(keys) * 200));
    int64_t hits = 0;
    int64_t asked = 0;
    for (uint64_t step = 0; step < keys * 24; ++step) {
      const uint64_t key = random_() % keys;
      const bool hit = Ask(&cache, key, key % 2 == 0 ? 100 : 8'000);
      if (step < keys * 16) continue;
      ++asked;
      hits += hit ? 1 : 0;
    }
    // All small ones fit, which are asked for half of the time; of all sizes alike, one in twenty would.
    EXPECT_GT(hits, asked * 45 / 100) << keys;
  }
}

TEST_F(AdaptiveTest, SmallValuesThatAreAskedForOnceDoNotWipeOutLargeOnes) {
  for (const uint64_t large : {400, 8'000}) {  // One shard; many.
    TestCache cache(MainHolds(static_cast<int64_t>(large) * 2'000));
    uint64_t small = 1'000'000;
    uint64_t hits = 0;
    for (uint64_t step = 0; step < large * 60; ++step) {
      const bool hit = Ask(&cache, random_() % large, 1'000);
      for (int i = 0; i < 3; ++i) Ask(&cache, ++small, 50);
      if (step >= large * 40 && hit) ++hits;
    }
    EXPECT_GT(hits, large * 20 * 9 / 10) << large;
  }
}

TEST_F(AdaptiveTest, FollowsAShiftToLargerValues) {
  TestCache cache(MainHolds(4'000'000));
  const auto ratio = [&](uint64_t first, uint64_t keys, size_t size) {
    const auto next_key = [&] { return first + random_() % keys; };
    for (uint64_t i = 0; i < keys * 8; ++i) Ask(&cache, next_key(), size);
    int hits = 0;
    for (int i = 0; i < 10'000; ++i) hits += Ask(&cache, next_key(), size) ? 1 : 0;
    return hits / 10'000.0;
  };
  EXPECT_GT(ratio(0, 15'000, 100), 0.95);
  // The small ones, which were popular, are asked for no more.
  EXPECT_GT(ratio(100'000, 350, 10'000), 0.95);
  EXPECT_GT(ratio(200'000, 3'000, 1'000), 0.95);
  EXPECT_GT(ratio(300'000, 15'000, 100), 0.95);
}

// Whatever the plan keeps its entries in, the next finds them.
TEST_F(AdaptiveTest, ChangesOfPlanLoseNothing) {
  TestCache cache(MainHolds(400'000));
  constexpr uint64_t kKeys = 4'000;
  const auto size = [](uint64_t key) { return size_t{64} << (key * 0x9E3779B97F4A7C15 >> 61); };
  for (int phase = 0; phase < 6; ++phase) {
    for (uint64_t step = 0; step < 40'000; ++step) {
      // By density; then by recency: each is asked for twice, and never again.
      const uint64_t key =
          phase % 2 == 0 ? random_() % kKeys : kKeys + (step % 2 == 0 ? step / 2 : step / 2 - step % 100 / 2);
      Ask(&cache, key, size(key));
      ASSERT_LE(cache.Main().charged_bytes, cache.Main().budget_bytes);
    }
    EXPECT_GT(cache.Main().charged_bytes, cache.Main().budget_bytes * 8 / 10) << phase;
  }
  for (uint64_t key = 0; key < kKeys + 40'000; ++key) cache.Drop("key" + std::to_string(key));
  EXPECT_EQ(cache.Main().items, 0);
  EXPECT_EQ(cache.Main().charged_bytes, 0);
}

// Values of many sizes leave room over, which whichever shard comes next takes: that is no reason to exchange, in a
// loop that is larger than the cache, what it has for what comes.
TEST_F(AdaptiveTest, ShardsThatShareABudgetExchangeNothingForNothing) {
  constexpr uint64_t kKeys = 8000;  // Of 17 MB.
  constexpr int kRounds = 20;
  TestCache cache(MainHolds(6'000'000));
  int hits = 0;
  for (uint64_t step = 0; step < kKeys * kRounds; ++step) {
    const uint64_t key = step % kKeys;
    hits += Ask(&cache, key, size_t{64} << (key * 0x9E3779B97F4A7C15 >> 61)) ? 1 : 0;
  }
  EXPECT_GT(hits, 0.44 * kKeys * kRounds);
}

// Random fills of all sizes, sets, drops and gets of both tiers against a map: what is found is right, what left was
// told, the budget holds all the time, and nothing is lost.
TEST_F(AdaptiveTest, LosesNothingAndStaysInBudget) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    random_.seed(seed);
    CacheOptions options = seed % 2 == 0 ? Bytes(100'000) : Entries(300);
    int64_t told = 0;
    options.on_evict = [&](Tier, EvictReason, const ValueRef&) { ++told; };
    TestCache cache(std::move(options));
    std::map<std::string, std::string> last;
    for (int step = 0; step < 60'000; ++step) {
      const std::string key =
          std::to_string(static_cast<int>(std::pow(1.0 + static_cast<double>(random_() % 1000), 1.2)));
      const unsigned what = random_() % 100;
      if (what < 60) {
        if (const auto found = cache.Get(key)) {
          ASSERT_EQ(*found, last[key]);
        }
      } else if (what < 95) {
        const size_t size = random_() % 50 == 0 ? random_() % 90'000 : random_() % 400;
        const std::string bytes(size, static_cast<char>('a' + random_() % 26));
        last[key] = bytes;
        const bool set = random_() % 3 == 0;
        const Tier tier = random_() % 5 == 0 ? Tier::kHot : Tier::kMain;
        const bool kept = cache.cache->Fill(tier, key, LocalCache::Hash(key), Value::Copy(key, bytes, 0), cache.now,
                                            set ? Origin::kSet : Origin::kLoad);
        if (kept) {
          ASSERT_EQ(cache.Get(key), bytes);
        } else {
          ASSERT_FALSE(cache.Has(key));
        }
      } else {
        cache.Drop(key);
        ASSERT_FALSE(cache.Has(key));
      }
      for (const TierStats& stats : {cache.Main(), cache.Hot()}) {
        ASSERT_LE(stats.charged_bytes, stats.budget_bytes);
        if (seed % 2 != 0) {
          ASSERT_LE(stats.items, 300);
        }
      }
    }
    EXPECT_GT(told, 1000);
    EXPECT_EQ(told, cache.Main().evictions + cache.Hot().evictions);
    for (const auto& [key, bytes] : last) cache.Drop(key);
    EXPECT_EQ(cache.Main().charged_bytes + cache.Hot().charged_bytes, 0);
    EXPECT_EQ(cache.Main().items + cache.Hot().items, 0);
  }
}

}  // namespace
}  // namespace cohort
