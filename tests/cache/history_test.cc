// The history tells popular keys from others and recent leavers from others, in little memory.
#include "cache/history.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "cache/failing_new.h"

namespace cohort {
namespace {

uint64_t HashOf(uint64_t key) {
  key = (key + 1) * 0x9E3779B97F4A7C15;
  key = (key ^ key >> 32) * 0xD6E8FEB86659FD93;
  return key ^ key >> 32;
}

TEST(History, CountsUpToItsMost) {
  History history;
  history.Fit(100);
  EXPECT_EQ(history.Frequency(HashOf(1)), 0U);
  history.Add(HashOf(1));
  EXPECT_EQ(history.Frequency(HashOf(1)), 1U);
  history.Add(HashOf(1), 4);
  EXPECT_EQ(history.Frequency(HashOf(1)), 5U);
  history.Add(HashOf(1), 100);
  EXPECT_EQ(history.Frequency(HashOf(1)), History::kMost);
  EXPECT_EQ(history.Frequency(HashOf(2)), 0U);
}

TEST(History, NeverCountsTooFewBeforeItHalves) {
  History history;
  history.Fit(1000);
  for (uint64_t key = 0; key < 3000; ++key) history.Add(HashOf(key), key % 3 + 1);
  for (uint64_t key = 0; key < 3000; ++key) ASSERT_GE(history.Frequency(HashOf(key)), key % 3 + 1);
}

TEST(History, ForgetsWhatWasPopularOnce) {
  History history;
  history.Fit(1000);
  history.Add(HashOf(1), 15);
  for (uint64_t key = 2; key < 60'000; ++key) history.Add(HashOf(key));
  EXPECT_LT(history.Frequency(HashOf(1)), 8U);
}

TEST(History, KeepsWhatItKnowsAsItGrows) {
  History history;
  history.Fit(20);
  for (uint64_t key = 0; key < 20; ++key) history.Add(HashOf(key), 7);
  history.Left(HashOf(100));
  for (int64_t entries = 20; entries < 50'000; entries += 100) history.Fit(entries);
  for (uint64_t key = 0; key < 20; ++key) EXPECT_GE(history.Frequency(HashOf(key)), 7U);
  EXPECT_TRUE(history.LeftRecently(HashOf(100)));
}

TEST(History, KnowsRecentLeaversAndFewOthers) {
  History history;
  history.Fit(10'000);
  for (uint64_t key = 0; key < 100'000; ++key) history.Left(HashOf(key));
  for (uint64_t key = 94'001; key < 100'000; ++key) ASSERT_TRUE(history.LeftRecently(HashOf(key)));
  int wrong = 0;
  for (uint64_t key = 200'000; key < 210'000; ++key) wrong += history.LeftRecently(HashOf(key)) ? 1 : 0;
  for (uint64_t key = 0; key < 80'000; ++key) wrong += history.LeftRecently(HashOf(key)) ? 1 : 0;
  EXPECT_LT(wrong, 90'000 / 20);
}

TEST(History, TakesNineBytesAnEntryAndGivesThemBack) {
  History history;
  for (int64_t entries = 1; entries <= 1'000'000; entries += entries / 10 + 1) {
    history.Fit(entries);
    if (entries > 3000) {
      ASSERT_LE(history.MemoryBytes(), 9 * entries) << entries;
    }
  }
  history.Fit(1000);
  EXPECT_LE(history.MemoryBytes(), 20'000);
}

TEST(History, RemembersNothingWithoutMemory) {
  if (!FailingNew::Works()) GTEST_SKIP() << "operator new is the sanitizer's";
  for (int allocations = 0; allocations < 3; ++allocations) {
    History history;
    {
      const FailingNew failing(allocations);
      history.Fit(1000);
    }
    history.Add(HashOf(1));
    history.Left(HashOf(1));
    EXPECT_EQ(history.Frequency(HashOf(1)), 0U);
    EXPECT_FALSE(history.LeftRecently(HashOf(1)));
  }
}

}  // namespace
}  // namespace cohort
