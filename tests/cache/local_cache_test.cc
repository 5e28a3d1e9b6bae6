// The local cache as the engine sees it: two tiers, one budget, the least recently used leaves first.
#include "cache/local_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "cache/cache_fixture.h"
#include "cache/failing_new.h"

namespace cohort {
namespace {

using namespace std::string_literals;

std::string Key(int i) { return "key-" + std::to_string(i); }

TEST(LocalCache, FindsWhatWasFilledAndSaysInWhichTier) {
  TestCache cache(Bytes(1 << 20));
  EXPECT_TRUE(cache.Put("m", "main"));
  EXPECT_TRUE(cache.PutHot("h", "hot"));
  Tier tier = Tier::kHot;
  EXPECT_EQ(cache.Find("m", &tier)->bytes(), "main");
  EXPECT_EQ(tier, Tier::kMain);
  EXPECT_EQ(cache.Find("h", &tier)->bytes(), "hot");
  EXPECT_EQ(tier, Tier::kHot);
  EXPECT_FALSE(cache.Has("absent"));
}

TEST(LocalCache, BinaryAndEmptyKeysAndEmptyValuesAreKept) {
  TestCache cache(Bytes(1 << 20));
  const std::vector<std::string> keys = {""s, "\0"s, "\0\0"s, "a\0b"s, "a\0c"s, "\xff\xfe"s};
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_TRUE(cache.Put(keys[i], std::string(i, 'v')));
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(cache.Get(keys[i]), std::string(i, 'v'));
  EXPECT_EQ(cache.Main().items, 6);
  cache.Drop("");
  EXPECT_FALSE(cache.Has(""));
  EXPECT_TRUE(cache.Has("\0"s));
}

TEST(LocalCache, FillReplacesAndMovesBetweenTiers) {
  TestCache cache(Bytes(1 << 20));
  cache.Put("k", "one");
  cache.Put("k", "two");
  EXPECT_EQ(cache.Get("k"), "two");
  EXPECT_EQ(cache.Main().items, 1);
  cache.PutHot("k", "three");
  Tier tier = Tier::kMain;
  EXPECT_EQ(cache.Find("k", &tier)->bytes(), "three");
  EXPECT_EQ(tier, Tier::kHot);
  EXPECT_EQ(cache.Main().items, 0);
  EXPECT_EQ(cache.Main().bytes, 0);
  EXPECT_EQ(cache.Main().charged_bytes, 0);
  EXPECT_EQ(cache.Hot().items, 1);
  cache.Put("k", "four");
  EXPECT_EQ(cache.Hot().charged_bytes, 0);
  EXPECT_EQ(cache.Get("k"), "four");
}

TEST(LocalCache, DropForgetsInEitherTier) {
  TestCache cache(Bytes(1 << 20));
  cache.Put("m", "v");
  cache.PutHot("h", "v");
  cache.Drop("m");
  cache.Drop("h");
  cache.Drop("absent");
  EXPECT_FALSE(cache.Has("m"));
  EXPECT_FALSE(cache.Has("h"));
  EXPECT_EQ(cache.Main().charged_bytes + cache.Hot().charged_bytes, 0);
}

TEST(LocalCache, StatsCountPayloadChargeGetsAndHits) {
  TestCache cache(Bytes(8000));
  cache.Put("key", "value");
  cache.PutHot("hot", "12");
  cache.Has("key");
  cache.Has("hot");
  cache.Has("absent");
  const TierStats main = cache.Main();
  EXPECT_EQ(main.bytes, 8);
  EXPECT_EQ(main.charged_bytes, ChargeOf("key", "value"));
  EXPECT_EQ(main.budget_bytes, 7000);
  EXPECT_EQ(main.items, 1);
  EXPECT_EQ(main.gets, 3);
  EXPECT_EQ(main.hits, 1);
  const TierStats hot = cache.Hot();
  EXPECT_EQ(hot.bytes, 5);
  EXPECT_EQ(hot.budget_bytes, 1000);
  EXPECT_EQ(hot.gets, 2);
  EXPECT_EQ(hot.hits, 1);
  for (int i = 0; i < 1000; ++i) cache.Has("key");
  EXPECT_EQ(cache.Main().gets, 1003);
  EXPECT_EQ(cache.Main().hits, 1001);
}

TEST(LocalCache, OverheadIsEightyBytesAnEntryOrLess) {
  EXPECT_LE(ChargeOf("0123456789ab", std::string(100, 'v')) - 112, 80);
  EXPECT_LE(ChargeOf("0123456789ab", "") - 12, 80);
}

TEST(LocalCache, LeastRecentlyUsedLeavesFirst) {
  CacheOptions options = MainHolds(ChargeOf("a", "v") * 3);
  options.policy = Policy::kLru;
  TestCache cache(std::move(options));
  for (const char* key : {"a", "b", "c"}) cache.Put(key, "v");
  cache.Has("a");
  cache.Put("d", "v");
  EXPECT_FALSE(cache.Has("b"));
  EXPECT_TRUE(cache.Has("a"));
  EXPECT_EQ(cache.Main().evictions, 1);
}

TEST(LocalCache, OrderOfUseSurvivesMoreHitsThanTheRingHolds) {
  CacheOptions options = Entries(8);  // Main: 7.
  options.policy = Policy::kLru;
  TestCache cache(std::move(options));
  for (int i = 0; i < 7; ++i) cache.Put(Key(i), "v");
  for (int round = 0; round < 1000; ++round) {
    cache.Has(Key(round % 3));
    cache.Has("absent");
  }
  for (int i = 10; i < 14; ++i) cache.Put(Key(i), "v");
  for (int i = 0; i < 7; ++i) EXPECT_EQ(cache.Has(Key(i)), i < 3) << i;
}

TEST(LocalCache, EntryLimitIsSplitAsTheBytesAre) {
  TestCache cache(Entries(80));
  for (int i = 0; i < 200; ++i) {
    cache.Put(Key(i), "v");
    cache.PutHot("hot-" + Key(i), "v");
  }
  EXPECT_EQ(cache.Main().items, 70);
  EXPECT_EQ(cache.Hot().items, 10);
  TestCache one(Entries(1));
  EXPECT_TRUE(one.Put("a", "v"));
  EXPECT_TRUE(one.Put("b", "v"));
  EXPECT_FALSE(one.PutHot("c", "v"));
  EXPECT_EQ(one.Main().items, 1);
  EXPECT_TRUE(one.Has("b"));
  EXPECT_EQ(one.Hot().rejected, 1);
}

TEST(LocalCache, ReplacingEvictsNobodyWhenItFits) {
  const int64_t charge = ChargeOf("a", std::string(100, 'v'));
  TestCache cache(MainHolds(charge * 2));
  cache.Put("a", std::string(100, 'v'));
  cache.Put("b", std::string(100, 'v'));
  for (int i = 0; i < 10; ++i) cache.Put("a", std::string(100, 'w'));
  EXPECT_TRUE(cache.Has("b"));
  EXPECT_EQ(cache.Main().evictions, 0);
}

TEST(LocalCache, OneLargeEntryEvictsManySmallAndTheOtherWayRound) {
  for (const int64_t cache_bytes : {int64_t{1} << 20, int64_t{12} << 20}) {
    TestCache cache(Bytes(cache_bytes));
    const int64_t main_bytes = cache.Main().budget_bytes;
    int i = 0;
    while (cache.Main().evictions == 0) ASSERT_TRUE(cache.Put(Key(i++), "small"));
    const std::string large(static_cast<size_t>(main_bytes / 2), 'L');
    ASSERT_TRUE(cache.Put("large", large));
    EXPECT_EQ(cache.Get("large"), large);
    EXPECT_GT(cache.Main().evictions, i / 3);
    EXPECT_GT(cache.Main().items, i / 4);
    EXPECT_LE(cache.Main().charged_bytes, main_bytes);
    // Everything else goes for one that needs the whole tier but a little.
    const std::string whole(static_cast<size_t>(main_bytes - 5000), 'W');
    ASSERT_TRUE(cache.Put("whole", whole));
    EXPECT_EQ(cache.Get("whole"), whole);
    EXPECT_FALSE(cache.Has("large"));
    EXPECT_LE(cache.Main().charged_bytes, main_bytes);
    // And it goes for small ones.
    for (int j = 0; j < 200; ++j) ASSERT_TRUE(cache.Put("again-" + Key(j), "small"));
    EXPECT_FALSE(cache.Has("whole"));
    EXPECT_LE(cache.Main().charged_bytes, main_bytes);
  }
}

TEST(LocalCache, TooLargeAValueIsRejectedAndTheOldOneIsGone) {
  TestCache cache(Bytes(8000));
  for (const Tier tier : {Tier::kMain, Tier::kHot}) {
    cache.Put("k", "old");
    EXPECT_FALSE(cache.Put("k", std::string(8000, 'v'), 0, tier));
    EXPECT_FALSE(cache.Has("k"));
    EXPECT_EQ(cache.cache->Stats(tier).rejected, 1);
  }
  EXPECT_FALSE(cache.PutHot("k", std::string(1000, 'v')));
  EXPECT_TRUE(cache.Put("k", std::string(1000, 'v')));
  EXPECT_EQ(cache.Hot().rejected, 2);
}

TEST(LocalCache, ExpiredEntryIsDroppedByFind) {
  TestCache cache(Bytes(1 << 20));
  cache.Put("k", "v", 2000);
  cache.PutHot("h", "v", 2000);
  cache.now = 1999;
  EXPECT_TRUE(cache.Has("k"));
  cache.now = 2000;
  EXPECT_FALSE(cache.Has("k"));
  EXPECT_FALSE(cache.Has("h"));
  EXPECT_EQ(cache.Main().items + cache.Hot().items, 0);
  EXPECT_EQ(cache.Main().expirations, 1);
  EXPECT_EQ(cache.Hot().expirations, 1);
  EXPECT_EQ(cache.Main().evictions, 0);
  EXPECT_EQ(cache.Main().hits, 1);
}

TEST(LocalCache, FillOfAnExpiredValueLeavesNothing) {
  TestCache cache(Bytes(1 << 20));
  cache.Put("k", "old");
  EXPECT_FALSE(cache.Put("k", "new", 1000));
  EXPECT_FALSE(cache.Has("k"));
  cache.PutHot("k", "old");
  EXPECT_FALSE(cache.Fill(Tier::kMain, "k", ValueRef()));
  EXPECT_FALSE(cache.Has("k"));
}

TEST(LocalCache, SweepGoesOnWhereItEndedAndStopsAtTheEnd) {
  for (const int64_t cache_bytes : {int64_t{1} << 20, int64_t{64} << 20}) {
    TestCache cache(Bytes(cache_bytes));
    for (int i = 0; i < 3000; ++i) cache.Put(Key(i), "v", i % 2 == 0 ? 2000 : 9000);
    cache.now = 2000;
    EXPECT_EQ(cache.cache->Sweep(2000, 0), 0);
    EXPECT_EQ(cache.cache->Sweep(2000, 100), 100);
    const int64_t after_first = cache.Main().expirations;
    EXPECT_GT(after_first, 10);
    EXPECT_LT(after_first, 90);
    int64_t looked_at = 100;
    for (;;) {
      const int64_t some = cache.cache->Sweep(2000, 64);
      ASSERT_LE(some, 64);
      looked_at += some;
      if (some < 64) break;
    }
    EXPECT_GE(looked_at, 3000);
    EXPECT_LE(looked_at, 3100);  // Entries that move back over the cursor are seen twice.
    EXPECT_EQ(cache.Main().expirations, 1500);
    EXPECT_EQ(cache.Main().items, 1500);
    EXPECT_EQ(cache.cache->Sweep(9000, 1 << 30), 1500);
    EXPECT_EQ(cache.Main().items, 0);
    EXPECT_EQ(cache.Main().charged_bytes, 0);
    EXPECT_EQ(cache.cache->Sweep(9000, 1 << 30), 0);
  }
}

TEST(LocalCache, SweepPassesOverShardsInWhichNothingExpires) {
  TestCache cache(Bytes(1 << 20));
  for (int i = 0; i < 100; ++i) cache.Put(Key(i), "v");
  EXPECT_EQ(cache.cache->Sweep(5000, 1000), 0);
  cache.Put("e", "v", 2000);
  EXPECT_EQ(cache.cache->Sweep(5000, 1000), 101);
  EXPECT_EQ(cache.cache->Sweep(5000, 1000), 0);
}

TEST(LocalCache, ListenerHearsOfRoomAndExpiryOnly) {
  using Event = std::tuple<Tier, EvictReason, std::string, std::string>;
  std::vector<Event> events;
  CacheOptions options = Entries(8);
  options.on_evict = [&](Tier tier, EvictReason reason, const ValueRef& value) {
    events.emplace_back(tier, reason, std::string(value->key()), std::string(value->bytes()));
  };
  {
    TestCache cache(std::move(options));
    cache.Put("replaced", "1");
    cache.Put("replaced", "2");
    cache.Drop("replaced");
    cache.PutHot("h1", "v1");
    cache.PutHot("h2", "v2");
    cache.Put("x", "vx", 1500);
    cache.Put("y", "vy", 1500);
    cache.now = 1500;
    cache.Has("x");
    cache.cache->Sweep(1500, 100);
    cache.cache->Reset(1 << 20);
    cache.Put("left", "v");
  }
  EXPECT_EQ(events, (std::vector<Event>{{Tier::kHot, EvictReason::kRoom, "h1", "v1"},
                                        {Tier::kMain, EvictReason::kExpired, "x", "vx"},
                                        {Tier::kMain, EvictReason::kExpired, "y", "vy"}}));
}

TEST(LocalCache, VictimThatHasExpiredCountsAsExpired) {
  std::vector<EvictReason> reasons;
  CacheOptions options = Entries(1);
  options.on_evict = [&](Tier, EvictReason reason, const ValueRef&) { reasons.push_back(reason); };
  TestCache cache(std::move(options));
  cache.Put("a", "v", 1500);
  cache.now = 2000;
  cache.Put("b", "v");
  EXPECT_EQ(reasons, std::vector<EvictReason>{EvictReason::kExpired});
  EXPECT_EQ(cache.Main().evictions, 0);
  EXPECT_EQ(cache.Main().expirations, 1);
}

TEST(LocalCache, ListenerMayUseTheCache) {
  // Large values make fills gather from all shards, which holds most locks.
  TestCache* cache_in_listener = nullptr;
  int heard = 0;
  CacheOptions options = Bytes(int64_t{16} << 20);
  options.on_evict = [&](Tier, EvictReason, const ValueRef& value) {
    ++heard;
    EXPECT_FALSE(cache_in_listener->Has(value->key()));
    cache_in_listener->Drop(value->key());
    if (heard < 20) cache_in_listener->Put(std::string(value->key()) + "-again", std::string(1 << 20, 'v'));
    cache_in_listener->Main();
  };
  TestCache cache(std::move(options));
  cache_in_listener = &cache;
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(cache.Put(Key(i), std::string(3 << 20, 'v')));
  EXPECT_GT(heard, 20);
}

TEST(LocalCache, ReaderKeepsAnEvictedValue) {
  TestCache cache(Entries(1));
  cache.Put("a", "first");
  const ValueRef held = cache.Find("a");
  cache.Put("b", "second");
  EXPECT_FALSE(cache.Has("a"));
  EXPECT_EQ(held->bytes(), "first");
  EXPECT_TRUE(cache.Fill(Tier::kMain, "a", held));  // And may fill it again.
  EXPECT_EQ(cache.Find("a")->bytes().data(), held->bytes().data());
}

TEST(LocalCache, OneValueInTwoCachesAndTiersGetsAnEntryInEach) {
  TestCache one(Bytes(1 << 20));
  TestCache two(Bytes(1 << 20));
  const ValueRef value = Value::Copy("k", "bytes", 5000);
  EXPECT_TRUE(one.Fill(Tier::kMain, "k", value));
  EXPECT_TRUE(two.Fill(Tier::kHot, "k", value));
  EXPECT_TRUE(one.Fill(Tier::kHot, "other", value));
  EXPECT_EQ(one.Find("k").get(), value.get());
  EXPECT_NE(two.Find("k").get(), value.get());
  EXPECT_EQ(two.Find("k")->bytes().data(), value->bytes().data());
  EXPECT_EQ(two.Find("k")->expire_unix_ns(), 5000);
  EXPECT_EQ(one.Find("other")->key(), "other");
  one.Drop("k");
  EXPECT_EQ(two.Get("k"), "bytes");
  EXPECT_EQ(one.Get("other"), "bytes");
  EXPECT_TRUE(one.Fill(Tier::kMain, "k", value));
  EXPECT_EQ(one.Find("k")->bytes().data(), value->bytes().data());
  EXPECT_TRUE(one.Fill(Tier::kMain, "k", one.Find("k")));  // Itself, over itself.
  EXPECT_EQ(one.Get("k"), "bytes");
  EXPECT_EQ(one.Main().items, 1);
}

TEST(LocalCache, ValueWithoutAKeyIsKeptUnderTheKeyOfTheFill) {
  TestCache cache(Bytes(1 << 20));
  EXPECT_TRUE(cache.Fill(Tier::kMain, "k", Value::Copy("", "v", 5000)));
  EXPECT_EQ(cache.Find("k")->key(), "k");
  EXPECT_EQ(cache.Find("k")->expire_unix_ns(), 5000);
}

TEST(LocalCache, BorrowedMemoryIsDestroyedOnceHoweverItLeaves) {
  Destroyed destroyed;
  const std::string bytes(100, 'b');
  const auto borrow = [&](std::string_view key, int64_t expire) {
    return Value::Borrow(key, bytes, expire, Destroyed::Count, &destroyed);
  };
  {
    TestCache cache(Entries(8));
    cache.Fill(Tier::kMain, "dropped", borrow("dropped", 0));
    cache.Drop("dropped");
    EXPECT_EQ(destroyed.times, 1);
    cache.Fill(Tier::kMain, "replaced", borrow("replaced", 0));
    cache.Put("replaced", "v");
    EXPECT_EQ(destroyed.times, 2);
    cache.Fill(Tier::kHot, "evicted", borrow("evicted", 0));
    cache.PutHot("newer", "v");
    EXPECT_EQ(destroyed.times, 3);
    cache.Fill(Tier::kMain, "expired", borrow("expired", 1500));
    cache.now = 1500;
    cache.Has("expired");
    EXPECT_EQ(destroyed.times, 4);
    cache.Fill(Tier::kMain, "refused", borrow("refused", 1500));
    EXPECT_EQ(destroyed.times, 5);
    cache.Fill(Tier::kMain, "other key", borrow("key", 0));
    cache.cache->Reset(1 << 20);
    EXPECT_EQ(destroyed.times, 6);
    cache.Fill(Tier::kMain, "at the end", borrow("at the end", 0));
    const ValueRef held = cache.Find("at the end");
    cache.cache.reset();
    EXPECT_EQ(destroyed.times, 6);
    EXPECT_EQ(held->bytes(), bytes);
  }
  EXPECT_EQ(destroyed.times, 7);
}

TEST(LocalCache, DestroyRunsWithNoLockHeld) {
  struct Host {
    static void Call(void* user) { static_cast<TestCache*>(user)->Put("from destroy", "v"); }
  };
  TestCache cache(Bytes(int64_t{16} << 20));
  for (int i = 0; i < 3; ++i) {
    cache.Fill(Tier::kMain, "k", Value::Borrow("k", "v", 0, Host::Call, &cache));
    cache.Put("k", std::string(size_t{13} << 20, 'v'));  // Gathers from all shards.
    EXPECT_TRUE(cache.Has("from destroy"));
  }
}

TEST(LocalCache, SixtyFourMebibytesGoInAndComeOut) {
  TestCache cache(Bytes(int64_t{80} << 20));
  for (int i = 0; i < 500; ++i) cache.Put(Key(i), std::string(1000, 'v'));
  std::string large(size_t{64} << 20, 'L');
  large.back() = 'E';
  EXPECT_TRUE(cache.Put("large", large));
  EXPECT_EQ(cache.Get("large"), large);
  EXPECT_FALSE(cache.PutHot("large", large));
  EXPECT_FALSE(cache.Has("large"));
}

TEST(LocalCache, IsOffWithoutABudget) {
  for (const int64_t cache_bytes : {int64_t{0}, int64_t{-1}, INT64_MIN}) {
    TestCache cache(Bytes(cache_bytes));
    EXPECT_FALSE(cache.cache->enabled());
    EXPECT_FALSE(cache.Put("k", "v"));
    EXPECT_FALSE(cache.Has("k"));
    cache.Drop("k");
    EXPECT_EQ(cache.cache->Sweep(1, 100), 0);
    for (const TierStats& stats : {cache.Main(), cache.Hot()}) {
      EXPECT_EQ(stats.bytes + stats.charged_bytes + stats.budget_bytes + stats.items, 0);
      EXPECT_EQ(stats.gets + stats.hits + stats.evictions + stats.expirations + stats.rejected, 0);
    }
  }
}

TEST(LocalCache, ResetClearsResizesAndTurnsOnAndOff) {
  TestCache cache(Bytes(int64_t{64} << 20));
  for (int i = 0; i < 1000; ++i) cache.Put(Key(i), "v");
  cache.Has(Key(1));
  const std::vector<int64_t> sizes = {8000, 0, int64_t{256} << 20, -1, int64_t{16} << 20};
  for (const int64_t size : sizes) {
    cache.cache->Reset(size);
    EXPECT_EQ(cache.cache->enabled(), size > 0);
    EXPECT_EQ(cache.Main().items, 0);
    EXPECT_EQ(cache.Main().charged_bytes, 0);
    EXPECT_EQ(cache.Main().bytes, 0);
    EXPECT_EQ(cache.Main().gets, 0);
    EXPECT_EQ(cache.Main().hits, 0);
    EXPECT_EQ(cache.Main().budget_bytes + cache.Hot().budget_bytes, size > 0 ? size : 0);
    EXPECT_FALSE(cache.Has(Key(1)));
    for (int i = 0; i < 200; ++i) EXPECT_EQ(cache.Put(Key(i), "v"), size > 0);
    EXPECT_EQ(cache.Has(Key(199)), size > 0);
    EXPECT_LE(cache.Main().charged_bytes, cache.Main().budget_bytes);
    if (size > 0) {
      EXPECT_EQ(cache.Main().gets, 2);
    }
  }
}

TEST(LocalCache, FillWithoutMemoryReturnsFalseAndKeepsTheBooks) {
  if (!FailingNew::Works()) GTEST_SKIP() << "operator new is the sanitizer's";
  TestCache cache(Bytes(1 << 20));
  int failures = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string key = Key(i);
    ValueRef value = Value::Copy(i % 2 == 0 ? key : "", "v", 0);
    bool filled = true;
    bool failed = false;
    {
      FailingNew failing(i % 3);
      filled = cache.Fill(Tier::kMain, key, value);
      failed = failing.failed();
    }
    ASSERT_EQ(filled, cache.Has(key));
    if (!filled) {
      EXPECT_TRUE(failed);
      ++failures;
    }
  }
  EXPECT_GT(failures, 300);
  EXPECT_EQ(cache.Main().rejected, failures);
  EXPECT_EQ(cache.Main().items, 2000 - failures);
  for (int i = 0; i < 2000; ++i) cache.Drop(Key(i));
  EXPECT_EQ(cache.Main().charged_bytes, 0);
  EXPECT_EQ(cache.Main().items, 0);
}

TEST(LocalCache, KeysThatCollideAreKeptApart) {
  TestCache cache(Bytes(int64_t{64} << 20));
  for (int i = 0; i < 4000; ++i) {
    const std::string key = Key(i);
    ASSERT_TRUE(cache.cache->Fill(Tier::kMain, key, 7, Value::Copy(key, key, 0), 1, Origin::kSet));
  }
  int found = 0;
  Tier tier = Tier::kMain;
  for (int i = 0; i < 4000; ++i) {
    const ValueRef value = cache.cache->Find(Key(i), 7, 1, &tier);
    if (!value) continue;
    EXPECT_EQ(value->bytes(), Key(i));
    ++found;
  }
  EXPECT_EQ(found, cache.Main().items);
  EXPECT_EQ(found + cache.Main().evictions, 4000);
  EXPECT_GT(found, 3000);
}

TEST(LocalCache, HashIsTheSameForEqualKeysAndSpreads) {
  const std::string a = "key";
  const std::string b = "key";
  EXPECT_EQ(LocalCache::Hash(a), LocalCache::Hash(b));
  EXPECT_NE(LocalCache::Hash("key"), LocalCache::Hash("kez"));
  EXPECT_EQ(LocalCache::Hash({}), LocalCache::Hash(""));
}

}  // namespace
}  // namespace cohort
