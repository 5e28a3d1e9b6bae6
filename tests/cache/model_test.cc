// Random operations against a cache that is simple enough to be right: two lists in the order of use.
#include <gtest/gtest.h>

#include <list>
#include <optional>
#include <random>
#include <string>

#include "cache/cache_fixture.h"
#include "cache/tiers.h"

namespace cohort {
namespace {

class ModelTier {
 public:
  struct Item {
    std::string key;
    std::string bytes;
    int64_t expire;
  };

  ModelTier(unsigned tier, int64_t cache_bytes, int64_t max_entries)
      : limits_(LimitsOf(tier, cache_bytes, max_entries)) {}

  Item* Find(const std::string& key) {
    for (auto it = items_.begin(); it != items_.end(); ++it) {
      if (it->key != key) continue;
      items_.splice(items_.begin(), items_, it);
      return &items_.front();
    }
    return nullptr;
  }
  void Drop(const std::string& key) {
    items_.remove_if([&](const Item& item) { return item.key == key; });
  }
  bool Fill(Item item, int64_t now) {
    Drop(item.key);
    const int64_t charge = ChargeOf(item.key, item.bytes, item.expire);
    if (charge > limits_.bytes || limits_.items == 0) {
      ++stats.rejected;
      return false;
    }
    while (Charged() + charge > limits_.bytes || static_cast<int64_t>(items_.size()) >= limits_.items) {
      const bool expired = items_.back().expire != 0 && items_.back().expire <= now;
      ++(expired ? stats.expirations : stats.evictions);
      items_.pop_back();
    }
    items_.push_front(std::move(item));
    return true;
  }
  void Sweep(int64_t now) {
    const size_t before = items_.size();
    items_.remove_if([&](const Item& item) { return item.expire != 0 && item.expire <= now; });
    stats.expirations += static_cast<int64_t>(before - items_.size());
  }
  void Clear(unsigned tier, int64_t cache_bytes, int64_t max_entries) {
    items_.clear();
    stats = TierStats();
    limits_ = LimitsOf(tier, cache_bytes, max_entries);
  }
  int64_t Charged() const {
    int64_t sum = 0;
    for (const Item& item : items_) sum += ChargeOf(item.key, item.bytes, item.expire);
    return sum;
  }
  int64_t Payload() const {
    int64_t sum = 0;
    for (const Item& item : items_) sum += static_cast<int64_t>(item.key.size() + item.bytes.size());
    return sum;
  }
  int64_t size() const { return static_cast<int64_t>(items_.size()); }

  TierStats stats;

 private:
  Limits limits_;
  std::list<Item> items_;
};

void ExpectSame(const ModelTier& model, const TierStats& stats) {
  EXPECT_EQ(stats.items, model.size());
  EXPECT_EQ(stats.charged_bytes, model.Charged());
  EXPECT_EQ(stats.bytes, model.Payload());
  EXPECT_LE(stats.charged_bytes, stats.budget_bytes);
  EXPECT_EQ(stats.gets, model.stats.gets);
  EXPECT_EQ(stats.hits, model.stats.hits);
  EXPECT_EQ(stats.evictions, model.stats.evictions);
  EXPECT_EQ(stats.expirations, model.stats.expirations);
  EXPECT_EQ(stats.rejected, model.stats.rejected);
}

class ModelTest : public testing::TestWithParam<int> {};

TEST_P(ModelTest, OneShardIsExactlyLru) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  int64_t cache_bytes = 4000 + static_cast<int64_t>(random() % 30'000);
  const int64_t max_entries = GetParam() % 3 == 0 ? 40 : 0;
  CacheOptions options = Bytes(cache_bytes);
  options.policy = Policy::kLru;
  options.max_entries = max_entries;
  TestCache cache(std::move(options));
  ModelTier tiers[2] = {{0, cache_bytes, max_entries}, {1, cache_bytes, max_entries}};

  for (int step = 0; step < 20'000; ++step) {
    const std::string key = "k" + std::to_string(random() % 150);
    const uint64_t what = random() % 1000;
    if (what < 550) {
      ++tiers[0].stats.gets;
      std::optional<std::string> expected;
      for (ModelTier& tier : tiers) {
        if (&tier == &tiers[1]) ++tier.stats.gets;
        ModelTier::Item* const item = tier.Find(key);
        if (item == nullptr) continue;
        if (item->expire != 0 && item->expire <= cache.now) {
          tier.Drop(key);
          ++tier.stats.expirations;
          continue;
        }
        expected = item->bytes;
        ++tier.stats.hits;
        break;
      }
      ASSERT_EQ(cache.Get(key), expected) << "step " << step;
    } else if (what < 930) {
      const unsigned tier = random() % 3 == 0 ? 1 : 0;
      const size_t size = random() % 20 == 0 ? random() % 5000 : random() % 200;
      const int64_t expire = random() % 4 == 0 ? cache.now + static_cast<int64_t>(random() % 300) : 0;
      const std::string bytes(size, static_cast<char>('a' + random() % 26));
      const bool filled = cache.Put(key, bytes, expire, tier == 0 ? Tier::kMain : Tier::kHot);
      bool expected = false;
      tiers[1 - tier].Drop(key);
      if (expire != 0 && expire <= cache.now) {
        tiers[tier].Drop(key);
      } else {
        expected = tiers[tier].Fill({key, bytes, expire}, cache.now);
      }
      ASSERT_EQ(filled, expected) << "step " << step;
    } else if (what < 980) {
      cache.Drop(key);
      for (ModelTier& tier : tiers) tier.Drop(key);
    } else if (what < 995) {
      cache.now += 50;
    } else if (what < 999) {
      cache.cache->Sweep(cache.now, 1 << 30);
      for (ModelTier& tier : tiers) tier.Sweep(cache.now);
    } else {
      cache_bytes = 4000 + static_cast<int64_t>(random() % 30'000);
      cache.cache->Reset(cache_bytes);
      for (unsigned tier = 0; tier < 2; ++tier) tiers[tier].Clear(tier, cache_bytes, max_entries);
    }
    if (step % 64 == 0) {
      ExpectSame(tiers[0], cache.Main());
      ExpectSame(tiers[1], cache.Hot());
      if (HasFailure()) FAIL() << "step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, testing::Range(1, 9));

}  // namespace
}  // namespace cohort
