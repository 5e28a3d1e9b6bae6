// Gets that take no lock, beside everything that changes a cache: a key that is always there is always found, what is
// found is whole, and values end exactly once.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache_fixture.h"

namespace cohort {
namespace {

std::string Key(int i) { return "key-" + std::to_string(i); }
// A value that says whose it is, with its length.
std::string ValueOf(int i, size_t round) {
  return Key(i) + std::string(1 + (static_cast<size_t>(i) * 7 + round) % 90, '.');
}
bool IsValueOf(int i, std::string_view bytes) {
  const std::string key = Key(i);
  return bytes.substr(0, key.size()) == key && bytes.find_first_not_of('.', key.size()) == std::string_view::npos;
}

// Even readers with a closer look, odd ones at a glance where they can.
ValueRef FindInOneWay(TestCache* cache, std::string_view key, int reader) {
  if (reader % 2 == 0) return cache->Find(key);
  const HeldValue lent = cache->Lend(key);
  return lent ? lent.Adopt() : ValueRef();
}

// Runs `read(thread)` again and again on a few threads while `change()` runs once.
template <typename Read, typename Change>
void Beside(int readers, Read read, Change change) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  std::atomic<int> started{0};
  for (int t = 0; t < readers; ++t) {
    threads.emplace_back([&, t] {
      started.fetch_add(1);
      while (!stop.load(std::memory_order_relaxed)) read(t);
    });
  }
  while (started.load() < readers) std::this_thread::yield();
  change();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// The same segment all the time: keys come and go around those that stay, so that slots move, segments grow, split and
// shrink.
TEST(ReadRace, AKeyThatStaysIsAlwaysFound) {
  constexpr int kStay = 50;
  constexpr int kCome = 2'000;
  TestCache cache(Bytes(3 << 20));
  for (int i = 0; i < kStay; ++i) ASSERT_TRUE(cache.Put(Key(i), ValueOf(i, 0)));
  std::atomic<int> missed{0};
  std::atomic<int> wrong{0};
  Beside(
      3,
      [&](int t) {
        for (int i = t; i < kStay; ++i) {
          const ValueRef value = FindInOneWay(&cache, Key(i), t);
          if (!value) {
            ++missed;
          } else if (!IsValueOf(i, value->bytes())) {
            ++wrong;
          }
        }
      },
      [&] {
        for (int round = 0; round < 4; ++round) {
          for (int i = 0; i < kCome; ++i) cache.Put(Key(kStay + i), "v");
          for (int i = 0; i < kCome; ++i) cache.Drop(Key(kStay + i));
        }
      });
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(wrong, 0);
}

TEST(ReadRace, AKeyThatIsReplacedIsNeverAbsent) {
  constexpr int kKeys = 20;
  TestCache cache(Bytes(1 << 20));
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(cache.Put(Key(i), ValueOf(i, 0)));
  std::atomic<int> missed{0};
  std::atomic<int> wrong{0};
  Beside(
      3,
      [&](int t) {
        char buffer[256];
        for (int i = 0; i < kKeys; ++i) {
          const std::string key = Key(i);
          if (t != 1) {
            const ValueRef value = FindInOneWay(&cache, key, t);
            if (!value) ++missed;
            if (value && !IsValueOf(i, value->bytes())) ++wrong;
            continue;
          }
          FoundCopy found;
          if (!cache.cache->FindCopy(key, LocalCache::Hash(key), cache.now, buffer, sizeof buffer, &found)) {
            ++missed;
          } else if (!IsValueOf(i, {buffer, static_cast<size_t>(found.size)})) {
            ++wrong;
          }
        }
      },
      [&] {
        for (size_t round = 1; round < 2'000; ++round) {
          for (int i = 0; i < kKeys; ++i) cache.Put(Key(i), ValueOf(i, round));
        }
      });
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(wrong, 0);
}

TEST(ReadRace, WhatIsDroppedIsNotFoundByWhoAsksAfterwards) {
  TestCache cache(Bytes(1 << 20));
  std::atomic<int> dropped{0};
  std::atomic<int> stale{0};
  Beside(
      2,
      [&](int t) {
        const int before = dropped.load(std::memory_order_acquire);
        const ValueRef value = FindInOneWay(&cache, "key", t);
        if (value && std::stoi(std::string(value->bytes())) < before) ++stale;
      },
      [&] {
        for (int round = 1; round < 20'000; ++round) {
          cache.Put("key", std::to_string(round));
          cache.Drop("key");
          dropped.store(round + 1, std::memory_order_release);
        }
      });
  EXPECT_EQ(stale, 0);
}

TEST(ReadRace, HostMemoryIsGivenBackOnceAndOnlyWhenNobodyReadsIt) {
  constexpr int kRounds = 3'000;
  TestCache cache(Bytes(1 << 20));
  Destroyed destroyed;
  std::string bytes(64, 'h');
  std::atomic<int> wrong{0};
  Beside(
      2,
      [&](int) {
        char buffer[64];
        FoundCopy found;
        if (!cache.cache->FindCopy("key", LocalCache::Hash("key"), cache.now, buffer, sizeof buffer, &found)) return;
        if (std::string_view(buffer, sizeof buffer) != bytes) ++wrong;
      },
      [&] {
        for (int round = 0; round < kRounds; ++round) {
          cache.Fill(Tier::kMain, "key", Value::Borrow("key", bytes, 0, Destroyed::Count, &destroyed));
          if (round % 3 == 0) cache.Drop("key");
        }
        cache.Drop("key");
        EXPECT_EQ(destroyed.times, kRounds);
      });
  EXPECT_EQ(wrong, 0);
}

TEST(ReadRace, ResetToAnotherSizeBesideGets) {
  TestCache cache(Bytes(64 << 20));
  std::atomic<int> wrong{0};
  Beside(
      2,
      [&](int t) {
        for (int i = t; i < 200; ++i) {
          const ValueRef value = FindInOneWay(&cache, Key(i), t);
          if (value && !IsValueOf(i, value->bytes())) ++wrong;
        }
      },
      [&] {
        for (int round = 0; round < 100; ++round) {
          cache.cache->Reset(round % 3 == 0 ? 0 : int64_t{1} << (20 + round % 7));
          for (int i = 0; i < 200; ++i) cache.Put(Key(i), ValueOf(i, 0));
          if (!cache.cache->enabled()) continue;
          for (int i = 0; i < 200; ++i) EXPECT_TRUE(cache.Has(Key(i))) << round;
        }
      });
  EXPECT_EQ(wrong, 0);
}

TEST(FindCopy, CopiesWhatFitsAndHandsOutWhatDoesNot) {
  TestCache cache(Bytes(8 << 20));
  const std::string large(100'000, 'l');
  cache.Put("small", "abc", 5000);
  cache.Put("large", large, 0, Tier::kHot);
  cache.Put("empty", "");
  const auto copy = [&](const std::string& key, char* to, size_t room, FoundCopy* found) {
    return cache.cache->FindCopy(key, LocalCache::Hash(key), cache.now, to, room, found);
  };
  char buffer[8] = "#######";
  FoundCopy found;
  EXPECT_FALSE(copy("absent", buffer, sizeof buffer, &found));
  ASSERT_TRUE(copy("small", buffer, sizeof buffer, &found));
  EXPECT_STREQ(buffer, "abc####");
  EXPECT_EQ(found.size, 3);
  EXPECT_EQ(found.expire_unix_ns, 5000);
  EXPECT_EQ(found.tier, Tier::kMain);
  EXPECT_FALSE(found.value);
  ASSERT_TRUE(copy("small", buffer, 2, &found));
  EXPECT_EQ(found.value->bytes(), "abc");
  found = FoundCopy();
  ASSERT_TRUE(copy("empty", nullptr, 0, &found));
  EXPECT_EQ(found.size, 0);
  std::string room(200'000, '#');
  ASSERT_TRUE(copy("large", room.data(), room.size(), &found));
  EXPECT_EQ(found.size, 100'000);
  EXPECT_EQ(found.tier, Tier::kHot);
  EXPECT_FALSE(found.value);
  EXPECT_EQ(room.substr(0, 100'000), large);
  EXPECT_EQ(room[100'000], '#');
  cache.now = 5000;
  EXPECT_FALSE(copy("small", buffer, sizeof buffer, &found));
}

}  // namespace
}  // namespace cohort
