// A loan keeps its value as a reference does, whoever gives it back and whatever the cache does meanwhile, and costs
// the value no count.
#include "cache/loan.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache_fixture.h"

namespace cohort {
namespace {

// A cache with one value of the host's, whose end is counted.
struct LoanTest : ::testing::Test {
  void FillHosts(std::string_view key) {
    ASSERT_TRUE(cache.Fill(Tier::kMain, key, Value::Borrow(key, bytes, 0, Destroyed::Count, &destroyed)));
  }
  TestCache cache{Bytes(8 << 20)};
  const std::string bytes = std::string(64, 'h');
  Destroyed destroyed;
};

TEST_F(LoanTest, IsTheValueItself) {
  ASSERT_TRUE(cache.Put("the key", "the value"));
  Tier tier = Tier::kHot;
  const HeldValue lent = cache.Lend("the key", &tier);
  ASSERT_TRUE(lent);
  EXPECT_EQ(tier, Tier::kMain);
  EXPECT_EQ(lent.get()->bytes(), "the value");
  EXPECT_EQ(lent.get(), cache.Find("the key").get());
  lent.Free();
  EXPECT_FALSE(cache.Lend("another key"));
}

TEST_F(LoanTest, OutlivesRemovalReplacementResetAndTheCache) {
  std::vector<HeldValue> lent;
  for (int i = 0; i < 4; ++i) {
    FillHosts("key " + std::to_string(i));
    lent.push_back(cache.Lend("key " + std::to_string(i)));
    ASSERT_TRUE(lent.back());
  }
  cache.Drop("key 0");
  ASSERT_TRUE(cache.Put("key 1", "replaced"));
  cache.cache->Reset(8 << 20);
  cache.cache.reset();
  EXPECT_EQ(destroyed.times, 0);
  int ended = 0;
  for (const HeldValue value : lent) {
    EXPECT_EQ(value.get()->bytes(), bytes);
    value.Free();
    EXPECT_EQ(destroyed.times, ++ended);
  }
}

TEST_F(LoanTest, GivenBackFirstItIsTheCachesToEnd) {
  FillHosts("a key");
  const HeldValue lent = cache.Lend("a key");
  lent.Free();
  EXPECT_EQ(destroyed.times, 0);
  cache.Drop("a key");
  EXPECT_EQ(destroyed.times, 1);
}

TEST_F(LoanTest, TheSameValueManyTimes) {
  FillHosts("a key");
  std::vector<HeldValue> lent;  // More than a thread has hazards: the rest are counted.
  for (int i = 0; i < 100; ++i) lent.push_back(cache.Lend("a key"));
  cache.Drop("a key");
  for (const HeldValue value : lent) {
    EXPECT_EQ(value.get()->bytes(), bytes);
    EXPECT_EQ(destroyed.times, 0);
    value.Free();
  }
  EXPECT_EQ(destroyed.times, 1);
  FillHosts("a key");  // Their places are free again.
  const HeldValue again = cache.Lend("a key");
  EXPECT_EQ(again.get()->bytes(), bytes);
  again.Free();
  cache.Drop("a key");
  EXPECT_EQ(destroyed.times, 2);
}

TEST_F(LoanTest, BecomesAReference) {
  FillHosts("a key");
  const ValueRef before = cache.Lend("a key").Adopt();
  const HeldValue lent = cache.Lend("a key");
  cache.Drop("a key");
  const ValueRef after = lent.Adopt();
  EXPECT_EQ(before.get(), after.get());
  EXPECT_EQ(after->bytes(), bytes);
  EXPECT_EQ(destroyed.times, 0);
}

TEST_F(LoanTest, IsGivenBackOnAnotherThreadAndAfterItsOwnHasEnded) {
  FillHosts("a key");
  HeldValue lent;
  std::thread([&] { lent = cache.Lend("a key"); }).join();
  std::thread([&] {  // May have the state of the thread that has ended, with the loan in it.
    const HeldValue other = cache.Lend("a key");
    EXPECT_EQ(other.get()->bytes(), bytes);
    other.Free();
  })
      .join();
  cache.Drop("a key");
  EXPECT_EQ(lent.get()->bytes(), bytes);
  std::thread([&] { lent.Free(); }).join();
  EXPECT_EQ(destroyed.times, 1);
}

// Readers keep what they were lent while the value is replaced, and give some of it back on another thread.
TEST_F(LoanTest, BesideReplacement) {
  constexpr int kRounds = 4'000;
  constexpr int kReaders = 3;
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<uintptr_t> passed_on{0};
  FillHosts("a key");
  std::vector<std::thread> readers;
  for (int t = 0; t < kReaders; ++t) {
    readers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        const HeldValue lent = cache.Lend("a key");
        if (!lent) continue;
        const HeldValue second = cache.Lend("a key");
        if (lent.get()->bytes() != bytes || (second && second.get()->bytes() != bytes)) ++wrong;
        if (second) second.Free();
        const HeldValue other = HeldValue::FromBits(passed_on.exchange(lent.bits(), std::memory_order_acq_rel));
        if (!other) continue;
        if (other.get()->bytes() != bytes) ++wrong;
        other.Free();
      }
    });
  }
  int filled = 1;
  for (int round = 0; round < kRounds; ++round, ++filled) {
    FillHosts("a key");
    if (round % 3 == 0) cache.Drop("a key");
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  if (const HeldValue last = HeldValue::FromBits(passed_on)) last.Free();
  cache.Drop("a key");
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(destroyed.times, filled);
}

}  // namespace
}  // namespace cohort
