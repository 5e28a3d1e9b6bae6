// The judge finds the plan that suits the requests, samples what it cannot simulate, and changes its mind.
#include "cache/judge.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "cache/local_cache.h"
#include "cache/tiers.h"

namespace cohort {
namespace {

constexpr int64_t kMuch = int64_t{1} << 30;

class JudgeTest : public testing::Test {
 protected:
  void Ask(uint64_t key, int64_t bytes = 100) {
    const uint64_t hash = LocalCache::Hash(std::to_string(key));
    if (judge_.Samples(hash)) judge_.OnAccess(hash, bytes);
  }
  // Each key twice, a few requests apart, and never again.
  void AskRecent(int requests, uint64_t distance) {
    for (int i = 0; i < requests / 2; ++i, ++next_) {
      Ask(next_);
      Ask(next_ - distance);
    }
  }
  void AskInALoop(int requests, int length) {
    for (int i = 0; i < requests; ++i) Ask(static_cast<uint64_t>(i % length));
  }

  Judge judge_;
  uint64_t next_ = 1'000'000'000;
};

TEST_F(JudgeTest, FindsThatRecencyCounts) {
  judge_.SetLimits(kMuch, 400);
  AskRecent(20'000, 150);
  EXPECT_TRUE(judge_.plan() == Plan::kRecency || judge_.plan() == Plan::kReuse);
  EXPECT_TRUE(judge_.counting_is_far_behind());
}

TEST_F(JudgeTest, TakesAFewHitsAtFirstForChance) {
  judge_.SetLimits(kMuch, 400);
  for (uint64_t key = 0; key < 400; ++key) Ask(key);
  AskRecent(22, 6);  // Five come back, by recency only.
  EXPECT_EQ(judge_.plan(), kFirstPlan);
  AskRecent(60, 6);
  EXPECT_NE(judge_.plan(), kFirstPlan);
}

TEST_F(JudgeTest, FindsThatALoopIsBestKeptInPart) {
  judge_.SetLimits(kMuch, 400);
  AskInALoop(20'000, 800);
  EXPECT_EQ(judge_.plan(), Plan::kFrequency);
}

TEST_F(JudgeTest, ChangesItsMind) {
  judge_.SetLimits(kMuch, 400);
  for (int times = 0; times < 2; ++times) {
    AskInALoop(30'000, 800);
    EXPECT_EQ(judge_.plan(), Plan::kFrequency);
    AskRecent(30'000, 150);
    EXPECT_NE(judge_.plan(), Plan::kFrequency);
  }
}

TEST_F(JudgeTest, FindsThatSmallValuesCountForMore) {
  judge_.SetLimits(1'200'000, kNoLimit);
  std::mt19937_64 random(1);
  for (int i = 0; i < 60'000; ++i) {
    const uint64_t key = random() % 1000;
    Ask(key, key % 2 == 0 ? 4000 : 400'000);
  }
  EXPECT_EQ(judge_.plan(), Plan::kDensity);
}

TEST_F(JudgeTest, SamplesLargeCachesAndFindsTheSame) {
  judge_.SetLimits(kMuch, 20'000);
  AskInALoop(200'000, 40'000);
  EXPECT_GE(judge_.one_in(), 32U);
  EXPECT_EQ(judge_.plan(), Plan::kFrequency);
  AskRecent(400'000, 8'000);
  EXPECT_NE(judge_.plan(), Plan::kFrequency);
}

TEST_F(JudgeTest, TakesLittleMemoryForSmallBudgets) {
  for (const int64_t bytes : {int64_t{100}, int64_t{100'000}, int64_t{1'000'000}, int64_t{1} << 40}) {
    judge_.SetLimits(bytes, kNoLimit);
    for (uint64_t key = 0; key < 20'000; ++key) Ask(key);
    EXPECT_LE(judge_.MemoryBytes(), std::min(bytes / 10, int64_t{100'000}) + 6000) << bytes;
  }
}

TEST_F(JudgeTest, IsAsNewWithNewLimits) {
  judge_.SetLimits(kMuch, 20'000);
  AskRecent(100'000, 8'000);
  judge_.SetLimits(kMuch, 400);
  EXPECT_EQ(judge_.one_in(), 1U);
  EXPECT_EQ(judge_.plan(), kFirstPlan);
  AskInALoop(20'000, 800);
  EXPECT_EQ(judge_.plan(), Plan::kFrequency);
}

}  // namespace
}  // namespace cohort
