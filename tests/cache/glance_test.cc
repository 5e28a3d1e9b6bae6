// What may be found at a glance is found so, and what needs a closer look is left to it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "cache/cache_fixture.h"
#include "cache/tiers.h"

namespace cohort {
namespace {

// So small that no judge samples its keys, whose hits would need to be noted.
constexpr int64_t kUnjudged = 30 << 10;

bool FoundAtAGlance(TestCache* cache, std::string_view key) {
  static_cast<void>(ThreadNumber());  // A thread's first get takes a closer look, to be known.
  const HeldValue value = cache->LendAtAGlance(key);
  if (!value) return false;
  EXPECT_EQ(value.get()->key(), key);
  value.Free();
  return true;
}

TEST(Glance, FindsKeysOfEveryLengthThatItCanCompare) {
  TestCache cache(Bytes(kUnjudged));
  for (size_t size = 0; size <= 40; ++size) {
    const std::string key(size, static_cast<char>('a' + size % 26));
    ASSERT_TRUE(cache.Put(key, "value"));
    EXPECT_EQ(LocalCache::MayGlance(key), size >= 4 && size <= 32) << size;
    if (size >= 4 && size <= 32) {
      EXPECT_TRUE(FoundAtAGlance(&cache, key)) << size;
    }
    const HeldValue found = cache.Lend(key);
    ASSERT_TRUE(found) << size;
    EXPECT_EQ(found.get()->key(), key);
    found.Free();
  }
}

// Keys that differ in one place only, under one hash.
TEST(Glance, ComparesEveryByte) {
  constexpr uint64_t kHash = 42;
  for (size_t size = 4; size <= 32; ++size) {
    TestCache cache(Bytes(kUnjudged));
    static_cast<void>(ThreadNumber());
    const std::string key(size, 'k');
    ASSERT_TRUE(cache.cache->Fill(Tier::kMain, key, kHash, Value::Copy(key, "value", 0), 1, Origin::kSet));
    const auto glance = [&](const std::string& asked) {
      return cache.cache->Glance(asked, kHash, [](Entry*, unsigned, ReadingThread) { return true; });
    };
    EXPECT_TRUE(glance(key)) << size;
    for (size_t i = 0; i < size; ++i) {
      std::string other = key;
      other[i] = 'K';
      EXPECT_FALSE(glance(other)) << size << " at " << i;
    }
    if (size < 32) {
      EXPECT_FALSE(glance(key + 'k')) << size;
    }
    if (size > 4) {
      EXPECT_FALSE(glance(key.substr(1))) << size;
    }
  }
}

TEST(Glance, LeavesWhatExpiresIsTheHostsOrIsNotOursToACloserLook) {
  TestCache cache(Bytes(kUnjudged));
  ASSERT_TRUE(cache.Put("expires", "value", 5000));
  EXPECT_FALSE(FoundAtAGlance(&cache, "expires"));
  EXPECT_TRUE(cache.Has("expires"));
  const std::string bytes = "borrowed";
  Destroyed destroyed;
  ASSERT_TRUE(cache.Fill(Tier::kMain, "host's", Value::Borrow("host's", bytes, 0, Destroyed::Count, &destroyed)));
  EXPECT_FALSE(FoundAtAGlance(&cache, "host's"));
  EXPECT_TRUE(cache.Has("host's"));
  cache.Drop("host's");
  EXPECT_EQ(destroyed.times, 1);
}

// In one shard every hit is noted, so there a glance would be one look too many.
TEST(Glance, LeavesALruOfOneShardAlone) {
  for (const int64_t bytes : {int64_t{1} << 20, int64_t{64} << 20}) {
    CacheOptions options = Bytes(bytes);
    options.policy = Policy::kLru;
    TestCache cache(std::move(options));
    ASSERT_TRUE(cache.Put("a key", "value"));
    EXPECT_EQ(FoundAtAGlance(&cache, "a key"), ShardsOf(bytes, 0) > 1);
    EXPECT_TRUE(cache.Has("a key"));
  }
}

// By glances alone, in a cache that is full of what is newer.
TEST(Glance, TellsThePolicyOfHits) {
  CacheOptions options = Bytes(64 << 20);
  options.policy = Policy::kLru;
  TestCache cache(std::move(options));
  static_cast<void>(ThreadNumber());
  ASSERT_TRUE(cache.Put("used", "value"));
  ASSERT_TRUE(cache.Put("idle", "value"));
  const std::string bytes(8 << 10, '.');
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(cache.Put("key-" + std::to_string(i), bytes));
    if (i % 10 != 0) continue;
    const HeldValue used = cache.LendAtAGlance("used");
    ASSERT_TRUE(used) << i;
    used.Free();
  }
  EXPECT_TRUE(cache.Has("used"));
  EXPECT_FALSE(cache.Has("idle"));
}

TEST(Glance, FindsNothingWhileCachingIsOff) {
  TestCache cache(Bytes(kUnjudged));
  ASSERT_TRUE(cache.Put("a key", "value"));
  EXPECT_TRUE(FoundAtAGlance(&cache, "a key"));
  cache.cache->Reset(0);
  EXPECT_FALSE(FoundAtAGlance(&cache, "a key"));
  cache.cache->Reset(kUnjudged);
  EXPECT_FALSE(FoundAtAGlance(&cache, "a key"));
  ASSERT_TRUE(cache.Put("a key", "value"));
  EXPECT_TRUE(FoundAtAGlance(&cache, "a key"));
}

TEST(Glance, MostKeysOfAFullCacheAreFoundSoAndCounted) {
  constexpr int kKeys = 20'000;
  TestCache cache(Bytes(64 << 20));
  static_cast<void>(ThreadNumber());
  int at_a_glance = 0;
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(cache.Put("key-" + std::to_string(i), "value"));
  for (int i = 0; i < kKeys; ++i) at_a_glance += FoundAtAGlance(&cache, "key-" + std::to_string(i)) ? 1 : 0;
  EXPECT_GT(at_a_glance, kKeys * 8 / 10);
  EXPECT_EQ(cache.Main().hits, at_a_glance);
  EXPECT_EQ(cache.Main().gets, at_a_glance);
  EXPECT_EQ(cache.cache->HitsEver(), at_a_glance);
  cache.cache->Reset(64 << 20);
  EXPECT_EQ(cache.Main().hits, 0);
  EXPECT_EQ(cache.cache->HitsEver(), at_a_glance);
}

}  // namespace
}  // namespace cohort
