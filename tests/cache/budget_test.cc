// A budget never gives out more than it has, and a refusal changes nothing.
#include "cache/budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "cache/tiers.h"

namespace cohort {
namespace {

TEST(Budget, TakesWhatIsMissingAndGivesBackTheRest) {
  Budget budget;
  budget.SetLimits(100, 2);
  Room room;
  ASSERT_TRUE(budget.Cover(60, &room));
  EXPECT_EQ(budget.bytes(), 60);
  EXPECT_EQ(budget.items(), 1);
  ASSERT_TRUE(budget.Cover(100, &room));
  EXPECT_EQ(budget.bytes(), 100);
  room.items = 2;
  budget.Give(Room{0, -1});  // Two victims' items in hand.
  ASSERT_TRUE(budget.Cover(30, &room));
  EXPECT_EQ(budget.bytes(), 30);
  EXPECT_EQ(budget.items(), 1);
  budget.Give(room);
  EXPECT_EQ(budget.bytes(), 0);
  EXPECT_EQ(budget.items(), 0);
}

TEST(Budget, RefusalChangesNothing) {
  Budget budget;
  budget.SetLimits(100, 1);
  Room first;
  ASSERT_TRUE(budget.Cover(40, &first));
  Room room;
  EXPECT_FALSE(budget.Cover(10, &room));  // Too many entries.
  EXPECT_EQ(budget.bytes(), 40);
  budget.SetLimits(100, 2);
  EXPECT_FALSE(budget.Cover(61, &room));
  EXPECT_EQ(budget.bytes(), 40);
  EXPECT_EQ(budget.items(), 1);
  EXPECT_EQ(room.bytes, 0);
  EXPECT_TRUE(budget.Cover(60, &room));
  EXPECT_FALSE(budget.Fits(101));
  EXPECT_TRUE(budget.Fits(100));
}

TEST(Budget, HugeAmountsDoNotOverflow) {
  Budget budget;
  budget.SetLimits(kNoLimit, kNoLimit);
  Room room;
  ASSERT_TRUE(budget.Cover(kNoLimit, &room));
  Room another;
  EXPECT_FALSE(budget.Cover(1, &another));
}

TEST(Tiers, MainGetsSevenEighthsAndAtLeastOneEntry) {
  EXPECT_EQ(LimitsOf(0, 800, 0).bytes, 700);
  EXPECT_EQ(LimitsOf(1, 800, 0).bytes, 100);
  EXPECT_EQ(LimitsOf(0, 800, 0).items, kNoLimit);
  EXPECT_EQ(LimitsOf(0, 800, 80).items, 70);
  EXPECT_EQ(LimitsOf(1, 800, 80).items, 10);
  EXPECT_EQ(LimitsOf(0, 800, 1).items, 1);
  EXPECT_EQ(LimitsOf(1, 800, 1).items, 0);
  EXPECT_EQ(LimitsOf(0, kNoLimit, 0).bytes + LimitsOf(1, kNoLimit, 0).bytes, kNoLimit);
  EXPECT_EQ(LimitsOf(0, 0, 5).items, 0);
  EXPECT_EQ(LimitsOf(0, -5, 0).bytes, 0);
}

TEST(Tiers, SmallCachesHaveOneShardAndLargeOnesNoMoreThanSixtyFour) {
  EXPECT_EQ(ShardsOf(0, 0), 0U);
  EXPECT_EQ(ShardsOf(-1, 0), 0U);
  EXPECT_EQ(ShardsOf(1, 0), 1U);
  EXPECT_EQ(ShardsOf((int64_t{4} << 20) - 1, 0), 1U);
  EXPECT_EQ(ShardsOf(int64_t{4} << 20, 0), 2U);
  EXPECT_EQ(ShardsOf(int64_t{64} << 20, 0), 32U);
  EXPECT_EQ(ShardsOf(int64_t{64} << 20, 1000), 1U);
  EXPECT_EQ(ShardsOf(int64_t{64} << 20, 10'000), 8U);
  EXPECT_EQ(ShardsOf(kNoLimit, 0), kMaxShards);
  EXPECT_EQ(ShardsOf(kNoLimit, kNoLimit), kMaxShards);
}

}  // namespace
}  // namespace cohort
