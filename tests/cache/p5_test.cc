// P5: a group never holds more than its bytes, whoever fills at the same time.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache_fixture.h"

namespace cohort {
namespace {

constexpr int64_t kLentBytes = 50'000;

std::string Key(uint64_t i) { return "key-" + std::to_string(i); }

// Runs `work(thread, random)` on each of some threads, and `watch` on this one until all have ended.
void Together(
    int threads, const std::function<void(int, std::mt19937_64*)>& work, const std::function<void()>& watch = [] {}) {
  std::atomic<int> running{threads};
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t) + 1);
      work(t, &random);
      running.fetch_sub(1);
    });
  }
  do watch();
  while (running.load() > 0);
  for (auto& thread : all) thread.join();
}

void ExpectWithin(const TierStats& stats, int64_t budget_bytes, int64_t max_items) {
  ASSERT_LE(stats.charged_bytes, budget_bytes);
  ASSERT_GE(stats.charged_bytes, 0);
  ASSERT_LE(stats.items, max_items);
  ASSERT_GE(stats.items, 0);
}

TEST(P5, ChargeStaysWithinTheBudgetUnderConcurrentFillsOfAllSizes) {
  for (const int64_t cache_bytes : {int64_t{1} << 20, int64_t{16} << 20}) {
    TestCache cache(Bytes(cache_bytes));
    const int64_t main_bytes = cache.Main().budget_bytes;
    const int64_t hot_bytes = cache.Hot().budget_bytes;
    EXPECT_EQ(main_bytes, cache_bytes / 8 * 7);
    EXPECT_EQ(hot_bytes, cache_bytes / 8);
    const std::string bytes(static_cast<size_t>(cache_bytes), 'v');
    Together(
        4,
        [&](int, std::mt19937_64* random) {
          for (int i = 0; i < 3000; ++i) {
            const std::string key = Key((*random)() % 2000);
            const uint64_t what = (*random)() % 100;
            if (what < 40) {
              const ValueRef value = cache.Find(key);
              if (value) {
                EXPECT_EQ(value->key(), key);
              }
              continue;
            }
            const int64_t tier_bytes = what < 80 ? main_bytes : hot_bytes;
            uint64_t size = (*random)() % 3000;
            if (what % 20 == 0) size = (*random)() % static_cast<uint64_t>(tier_bytes / 2);
            const std::string_view part = std::string_view(bytes).substr(0, size);
            const Tier tier = what < 80 ? Tier::kMain : Tier::kHot;
            EXPECT_TRUE(cache.Fill(tier, key, Value::Borrow(key, part, 0, nullptr, nullptr)));
          }
        },
        [&] {
          ExpectWithin(cache.Main(), main_bytes, INT64_MAX);
          ExpectWithin(cache.Hot(), hot_bytes, INT64_MAX);
        });
    EXPECT_GT(cache.Main().evictions, 0);
    for (int i = 0; i < 2000; ++i) cache.Drop(Key(static_cast<uint64_t>(i)));
    for (const TierStats& stats : {cache.Main(), cache.Hot()}) {
      EXPECT_EQ(stats.charged_bytes, 0);
      EXPECT_EQ(stats.items, 0);
      EXPECT_EQ(stats.bytes, 0);
    }
  }
}

TEST(P5, BytesThatAreReallyAliveStayWithinTheBudget) {
  // What the books say is compared with what has not been destroyed: the host's own count of lent bytes. A fill's own
  // value and the victims of fills under way come on top.
  struct Lent {
    static void Back(void* user) { static_cast<Lent*>(user)->bytes.fetch_sub(kLentBytes); }
    std::atomic<int64_t> bytes{0};
  } lent;
  constexpr int kFillers = 4;
  const std::string bytes(kLentBytes, 'v');
  TestCache cache(Bytes(int64_t{8} << 20));
  Together(
      kFillers,
      [&](int, std::mt19937_64* random) {
        for (int i = 0; i < 3000; ++i) {
          const std::string key = Key((*random)());
          lent.bytes.fetch_add(kLentBytes);
          cache.Fill(Tier::kMain, key, Value::Borrow(key, bytes, 0, Lent::Back, &lent));
        }
      },
      [&] { ASSERT_LE(lent.bytes.load(), cache.Main().budget_bytes + kFillers * 3 * kLentBytes); });
  EXPECT_LE(lent.bytes.load(), cache.Main().budget_bytes);
  EXPECT_EQ(lent.bytes.load() / kLentBytes, cache.Main().items);
  cache.cache->Reset(0);
  EXPECT_EQ(lent.bytes.load(), 0);
}

TEST(P5, EntriesStayWithinTheirLimitUnderConcurrentFills) {
  for (const int64_t max_entries : {int64_t{80}, int64_t{8000}}) {
    TestCache cache(Entries(max_entries));
    Together(
        4,
        [&](int, std::mt19937_64* random) {
          for (int i = 0; i < 8000; ++i) {
            const std::string key = Key((*random)() % 20'000);
            EXPECT_TRUE(i % 2 == 0 ? cache.Put(key, "v") : cache.PutHot("hot-" + key, "v"));
          }
        },
        [&] {
          ExpectWithin(cache.Main(), INT64_MAX, max_entries / 8 * 7);
          ExpectWithin(cache.Hot(), INT64_MAX, max_entries / 8);
        });
    EXPECT_EQ(cache.Main().items, max_entries / 8 * 7);
  }
}

TEST(P5, ValueFitsIfItFitsItsTierEvenAmongManySmallFills) {
  TestCache cache(Bytes(int64_t{64} << 20));
  const int64_t main_bytes = cache.Main().budget_bytes;
  const std::string whole(static_cast<size_t>(main_bytes - 200), 'W');
  std::atomic<int> wholes{2};
  Together(
      4,
      [&](int thread, std::mt19937_64* random) {
        if (thread < 2) {
          // Two that each need the whole tier.
          for (int i = 0; i < 10; ++i) {
            const std::string key = "whole-" + std::to_string(thread);
            EXPECT_TRUE(cache.Fill(Tier::kMain, key, Value::Borrow(key, whole, 0, nullptr, nullptr)));
          }
          wholes.fetch_sub(1);
        } else {
          while (wholes.load() > 0) EXPECT_TRUE(cache.Put(Key((*random)()), std::string(100, 's')));
        }
      },
      [&] { ExpectWithin(cache.Main(), main_bytes, INT64_MAX); });
}

TEST(P5, TwoFillsThatEachNeedTheWholeTierBothEnd) {
  TestCache cache(Bytes(int64_t{64} << 20));
  const int64_t main_bytes = cache.Main().budget_bytes;
  const std::string whole(static_cast<size_t>(main_bytes - 200), 'W');
  for (int round = 0; round < 5; ++round) {
    for (uint64_t i = 0; cache.Main().charged_bytes < main_bytes - 10'000; ++i) {
      const std::string key = Key(i);
      cache.Fill(Tier::kMain, key, Value::Borrow(key, std::string_view(whole).substr(0, 4000), 0, nullptr, nullptr));
    }
    std::atomic<int> ready{0};
    Together(
        2,
        [&](int thread, std::mt19937_64*) {
          const std::string key = "whole-" + std::to_string(thread);
          ready.fetch_add(1);
          while (ready.load() < 2) std::this_thread::yield();
          EXPECT_TRUE(cache.Fill(Tier::kMain, key, Value::Borrow(key, whole, 0, nullptr, nullptr)));
        },
        [&] { ExpectWithin(cache.Main(), main_bytes, INT64_MAX); });
    EXPECT_EQ(cache.Main().items, 1);
    EXPECT_NE(cache.Has("whole-0"), cache.Has("whole-1"));
    cache.Drop("whole-0");
    cache.Drop("whole-1");
  }
}

TEST(P5, ResetUnderConcurrentUseKeepsTheBooks) {
  TestCache cache(Bytes(int64_t{16} << 20));
  const std::string bytes(size_t{3} << 20, 'v');
  const std::vector<int64_t> sizes = {int64_t{16} << 20, 100'000, 0, int64_t{200} << 20, int64_t{4} << 20};
  Together(4, [&](int thread, std::mt19937_64* random) {
    for (int i = 0; i < 3000; ++i) {
      if (thread == 0) {
        if (i % 20 == 0) cache.cache->Reset(sizes[(*random)() % sizes.size()]);
        // A fill that slipped past a reset would still be charged against the new, smaller budget.
        for (const TierStats& stats : {cache.Main(), cache.Hot()}) ASSERT_LE(stats.charged_bytes, stats.budget_bytes);
        cache.cache->Sweep(2000, 50);
        continue;
      }
      const std::string key = Key((*random)() % 500);
      const uint64_t what = (*random)() % 10;
      if (what < 4) {
        const ValueRef value = cache.Find(key);
        if (value) {
          EXPECT_EQ(value->key(), key);
        }
      } else if (what < 5) {
        cache.Drop(key);
      } else {
        const std::string_view part =
            std::string_view(bytes).substr(0, (*random)() % (i % 50 == 0 ? bytes.size() : 500));
        const int64_t expire = what == 5 ? 2000 : 0;
        cache.Fill(what < 9 ? Tier::kMain : Tier::kHot, key, Value::Borrow(key, part, expire, nullptr, nullptr));
      }
    }
  });
  cache.cache->Reset(int64_t{1} << 20);
  EXPECT_EQ(cache.Main().charged_bytes + cache.Hot().charged_bytes, 0);
  EXPECT_EQ(cache.Main().items + cache.Hot().items, 0);
  EXPECT_EQ(cache.Main().bytes + cache.Hot().bytes, 0);
  EXPECT_TRUE(cache.Put("k", "v"));
  EXPECT_TRUE(cache.Has("k"));
}

TEST(P5, ZeroBudgetHoldsNothing) {
  TestCache cache(Bytes(0));
  EXPECT_FALSE(cache.Put("k", ""));
  EXPECT_EQ(cache.Main().charged_bytes, 0);
}

}  // namespace
}  // namespace cohort
