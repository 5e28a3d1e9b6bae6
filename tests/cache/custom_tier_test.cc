// A tier of the host's own takes the place of ours, and hears of everything that concerns it.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "cache/cache_fixture.h"

namespace cohort {
namespace {

class MapTier final : public CustomTier {
 public:
  ValueRef Get(std::string_view key) override {
    const auto found = values.find(std::string(key));
    return found == values.end() ? ValueRef() : found->second;
  }
  void Add(std::string_view key, const ValueRef& value) override { values[std::string(key)] = value; }
  void Remove(std::string_view key) override { values.erase(std::string(key)); }
  void Clear() override { values.clear(); }

  std::map<std::string, ValueRef> values;
};

TEST(CustomTier, MainGoesToTheHostAndHotStaysOurs) {
  CacheOptions options = Bytes(1 << 20);
  const auto tier = std::make_shared<MapTier>();
  options.custom_main = tier;
  TestCache cache(std::move(options));
  EXPECT_TRUE(cache.Put("m", "main"));
  EXPECT_EQ(tier->values.count("m"), 1U);
  EXPECT_TRUE(cache.PutHot("h", "hot"));
  EXPECT_EQ(tier->values.count("h"), 0U);
  Tier found = Tier::kHot;
  EXPECT_EQ(cache.Find("m", &found)->bytes(), "main");
  EXPECT_EQ(found, Tier::kMain);
  EXPECT_EQ(cache.Find("h", &found)->bytes(), "hot");
  EXPECT_EQ(found, Tier::kHot);
  EXPECT_FALSE(cache.Has("absent"));
  EXPECT_EQ(cache.Main().gets, 3);
  EXPECT_EQ(cache.Main().hits, 1);
  EXPECT_EQ(cache.Main().items + cache.Main().bytes + cache.Main().charged_bytes + cache.Main().budget_bytes, 0);
  EXPECT_EQ(cache.Hot().gets, 2);
  EXPECT_EQ(cache.Hot().hits, 1);
  EXPECT_EQ(cache.Hot().items, 1);
}

TEST(CustomTier, HotGoesToTheHostAndMainStaysOurs) {
  CacheOptions options = Bytes(1 << 20);
  const auto tier = std::make_shared<MapTier>();
  options.custom_hot = tier;
  TestCache cache(std::move(options));
  cache.Put("m", "main");
  cache.PutHot("h", "hot");
  EXPECT_EQ(tier->values.count("h"), 1U);
  EXPECT_EQ(cache.Get("m"), "main");
  EXPECT_EQ(cache.Get("h"), "hot");
  EXPECT_EQ(cache.Main().gets, 2);
  EXPECT_EQ(cache.Main().hits, 1);
  EXPECT_EQ(cache.Hot().gets, 1);
  EXPECT_EQ(cache.Hot().hits, 1);
  EXPECT_EQ(cache.Hot().items, 0);
}

TEST(CustomTier, FillDropsTheKeyFromTheOtherTier) {
  CacheOptions options = Bytes(1 << 20);
  const auto tier = std::make_shared<MapTier>();
  options.custom_main = tier;
  TestCache cache(std::move(options));
  cache.Put("k", "main");
  cache.PutHot("k", "hot");
  EXPECT_TRUE(tier->values.empty());
  EXPECT_EQ(cache.Get("k"), "hot");
  cache.Put("k", "main");
  EXPECT_EQ(cache.Hot().items, 0);
  EXPECT_EQ(cache.Get("k"), "main");
}

TEST(CustomTier, WhatIsHitInOursBesideItStays) {
  for (const Policy policy : {Policy::kLru, Policy::kAdaptive}) {
    CacheOptions options = Bytes(16 << 20);
    options.policy = policy;
    options.custom_hot = std::make_shared<MapTier>();
    TestCache cache(std::move(options));
    constexpr int kUsed = 100;
    constexpr int kFills = 60'000;  // Several times what there is room for.
    for (int i = 0; i < kUsed; ++i) cache.Put("used" + std::to_string(i), std::string(1'000, 'x'));
    int hits = 0;
    for (int i = 0; i < kFills; ++i) {
      cache.Put("new" + std::to_string(i), std::string(1'000, 'x'));
      if (cache.Has("used" + std::to_string(i % kUsed))) ++hits;
    }
    EXPECT_GT(hits, kFills * 95 / 100) << static_cast<int>(policy);
  }
}

TEST(CustomTier, DropResetAndExpiryReachTheHost) {
  CacheOptions options = Bytes(1 << 20);
  const auto main = std::make_shared<MapTier>();
  const auto hot = std::make_shared<MapTier>();
  options.custom_main = main;
  options.custom_hot = hot;
  TestCache cache(std::move(options));
  cache.Put("a", "v");
  cache.PutHot("b", "v");
  cache.Drop("a");
  cache.Drop("b");
  EXPECT_TRUE(main->values.empty());
  EXPECT_TRUE(hot->values.empty());
  cache.Put("e", "v", 1500);
  cache.now = 1500;
  EXPECT_FALSE(cache.Has("e"));
  EXPECT_TRUE(main->values.empty());
  EXPECT_EQ(cache.Main().hits, 0);
  cache.Put("f", "old");
  EXPECT_FALSE(cache.Put("f", "expired", 1500));
  EXPECT_TRUE(main->values.empty());
  cache.Put("c", "v");
  cache.PutHot("d", "v");
  cache.cache->Reset(0);
  EXPECT_TRUE(main->values.empty());
  EXPECT_TRUE(hot->values.empty());
  EXPECT_FALSE(cache.Put("c", "v"));
  EXPECT_TRUE(main->values.empty());
}

}  // namespace
}  // namespace cohort
