// Threads that find, fill, drop, expire and evict the same keys at once; the sanitizers are the judges.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache_fixture.h"

namespace cohort {
namespace {

std::string Key(uint64_t i) { return "key-" + std::to_string(i); }

void OnThreads(int threads, const std::function<void(std::mt19937_64*)>& work) {
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t) + 100);
      work(&random);
    });
  }
  for (auto& thread : all) thread.join();
}

TEST(Stress, ReadersOutliveEvictionExpiryAndReplacement) {
  for (const int64_t cache_bytes : {int64_t{20'000}, int64_t{8} << 20}) {
    Destroyed destroyed;
    std::atomic<int64_t> lent{0};
    std::atomic<int64_t> heard{0};
    {
      CacheOptions options = Bytes(cache_bytes);
      options.on_evict = [&](Tier, EvictReason reason, const ValueRef& value) {
        EXPECT_EQ(value->bytes().size(), 300U);
        if (reason == EvictReason::kExpired) {
          EXPECT_NE(value->expire_unix_ns(), 0);
        }
        heard.fetch_add(1);
      };
      TestCache cache(std::move(options));
      const std::string bytes(300, 'v');
      OnThreads(4, [&](std::mt19937_64* random) {
        ValueRef held;
        for (int i = 0; i < 10'000; ++i) {
          const std::string key = Key((*random)() % 200);
          const uint64_t hash = LocalCache::Hash(key);
          const uint64_t what = (*random)() % 100;
          const int64_t now = 1000 + i;
          Tier tier = Tier::kMain;
          if (what < 60) {
            if (ValueRef value = cache.cache->Find(key, hash, now, &tier)) {
              EXPECT_EQ(value->key(), key);
              EXPECT_EQ(value->bytes(), bytes);
              held = std::move(value);
            }
          } else if (what < 90) {
            lent.fetch_add(1);
            const int64_t expire = what % 2 == 0 ? now + 100 : 0;
            cache.cache->Fill(what % 3 == 0 ? Tier::kHot : Tier::kMain, key, hash,
                              Value::Borrow(key, bytes, expire, Destroyed::Count, &destroyed), now,
                              what % 4 < 2 ? Origin::kLoad : Origin::kSet);
          } else if (what < 94) {
            cache.cache->Drop(key, hash);
          } else if (what < 98 && held) {
            cache.cache->Fill(what % 2 == 0 ? Tier::kHot : Tier::kMain, held->key(), LocalCache::Hash(held->key()),
                              held, now, Origin::kSet);
          } else {
            cache.cache->Sweep(now, 100);
            cache.cache->Stats(Tier::kMain);
          }
        }
      });
    }
    EXPECT_GT(heard, 0);
    EXPECT_EQ(destroyed.times, lent);
  }
}

TEST(Stress, EveryGetIsCountedOnce) {
  TestCache cache(Bytes(int64_t{16} << 20));
  for (uint64_t i = 0; i < 50; ++i) cache.Put(Key(i), "v", 0, i % 5 == 0 ? Tier::kHot : Tier::kMain);
  OnThreads(4, [&](std::mt19937_64*) {
    for (uint64_t i = 0; i < 10'000; ++i) EXPECT_EQ(cache.Has(Key(i % 100)), i % 100 < 50);
  });
  EXPECT_EQ(cache.Main().gets, 40'000);
  EXPECT_EQ(cache.Main().hits, 16'000);
  EXPECT_EQ(cache.Hot().gets, 24'000);
  EXPECT_EQ(cache.Hot().hits, 4'000);
}

TEST(Stress, LargeFillsOfOneKeyLeaveOneEntry) {
  // Two fills of one key find their shard without room at the same time, and both go to collect it from all shards. The
  // first works through the small entries before it comes to the one whose leaving makes room for both; the second then
  // has room at once, and must see that the key has been filled meanwhile.
  const std::string bytes(size_t{12} << 20, 'v');
  const auto part = [&](size_t size) { return std::string_view(bytes).substr(0, size); };
  const std::string key = "large";
  std::string other = "other";
  const auto shard_of = [](std::string_view of) { return (LocalCache::Hash(of) >> 58) % 8; };
  while (shard_of(other) == shard_of(key)) other += "r";
  TestCache cache(Bytes(int64_t{16} << 20));
  for (int round = 0; round < 10; ++round) {
    for (uint64_t i = 0; i < 4000; ++i) {
      cache.Fill(Tier::kMain, Key(i), Value::Borrow(Key(i), part(400), 0, nullptr, nullptr));
    }
    cache.Fill(Tier::kMain, other, Value::Borrow(other, bytes, 0, nullptr, nullptr));
    std::atomic<int> ready{0};
    OnThreads(2, [&](std::mt19937_64*) {
      ready.fetch_add(1);
      while (ready.load() < 2) std::this_thread::yield();
      EXPECT_TRUE(cache.Fill(Tier::kMain, key, Value::Borrow(key, part(size_t{6} << 20), 0, nullptr, nullptr)));
    });
    EXPECT_FALSE(cache.Has(other));
    cache.Drop(key);
    EXPECT_FALSE(cache.Has(key));
  }
  for (uint64_t i = 0; i < 4000; ++i) cache.Drop(Key(i));
  EXPECT_EQ(cache.Main().items, 0);
}

TEST(Stress, SameValueFilledEverywhereAtOnce) {
  Destroyed destroyed;
  {
    TestCache one(Entries(8));
    TestCache two(Bytes(1 << 20));
    for (int round = 0; round < 300; ++round) {
      const ValueRef value = Value::Borrow("k", "bytes", 0, Destroyed::Count, &destroyed);
      OnThreads(3, [&](std::mt19937_64* random) {
        for (int i = 0; i < 10; ++i) {
          TestCache& cache = (*random)() % 2 == 0 ? one : two;
          cache.Fill((*random)() % 2 == 0 ? Tier::kMain : Tier::kHot, (*random)() % 2 == 0 ? "k" : "other", value);
          if ((*random)() % 4 == 0) cache.Drop("k");
          const ValueRef found = cache.Find("k");
          if (found) {
            EXPECT_EQ(found->bytes(), "bytes");
          }
        }
      });
    }
  }
  EXPECT_EQ(destroyed.times, 300);
}

}  // namespace
}  // namespace cohort
