// Readers share the lock, writers are alone, and nobody sleeps for ever.
#include "cache/shard_lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace cohort {
namespace {

TEST(ShardLock, TicketsCountReadersOnly) {
  ShardLock lock;
  EXPECT_EQ(lock.LockShared(), 0U);
  lock.UnlockShared();
  lock.Lock();
  lock.Unlock();
  EXPECT_TRUE(lock.TryLock());
  lock.Unlock();
  EXPECT_EQ(lock.LockShared(), 1U);
  EXPECT_EQ(lock.LockShared(), 2U);
  lock.UnlockShared();
  lock.UnlockShared();
  EXPECT_EQ(lock.tickets(), 3U);
}

TEST(ShardLock, TryLockFailsWhileAnybodyIsIn) {
  ShardLock lock;
  lock.LockShared();
  EXPECT_FALSE(lock.TryLock());
  lock.UnlockShared();
  ASSERT_TRUE(lock.TryLock());
  EXPECT_FALSE(lock.TryLock());
  lock.Unlock();
  {
    const auto hold = lock.HoldWriters();
    EXPECT_FALSE(lock.TryLock());
    lock.LockShared();
    lock.UnlockShared();
  }
  EXPECT_TRUE(lock.TryLock());
  lock.Unlock();
}

TEST(ShardLock, WriterSleepsUntilTheLastReaderLeaves) {
  ShardLock lock;
  for (int round = 0; round < 200; ++round) {
    int shared = 0;
    std::atomic<bool> writing{false};
    lock.LockShared();
    lock.LockShared();
    std::thread writer([&] {
      writing = true;
      lock.Lock();
      shared = 1;
      lock.Unlock();
    });
    while (!writing) std::this_thread::yield();
    for (int i = 0; i < round * 20; ++i) EXPECT_EQ(shared, 0);
    lock.UnlockShared();
    EXPECT_EQ(shared, 0);
    lock.UnlockShared();
    writer.join();
    EXPECT_EQ(shared, 1);
  }
}

TEST(ShardLock, WritersAreAloneAndTicketsAreUnique) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5000;
  ShardLock lock;
  int64_t a = 0;
  int64_t b = 0;
  std::vector<std::vector<uint64_t>> tickets(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        if (i % 8 == t) {
          if (i % 16 < 8) {
            lock.Lock();
          } else if (!lock.TryLock()) {
            continue;
          }
          ++a;
          ++b;
          lock.Unlock();
        } else {
          tickets[static_cast<size_t>(t)].push_back(lock.LockShared());
          EXPECT_EQ(a, b);
          lock.UnlockShared();
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<uint64_t> all;
  size_t count = 0;
  for (const auto& some : tickets) {
    all.insert(some.begin(), some.end());
    count += some.size();
  }
  EXPECT_EQ(all.size(), count);
  EXPECT_EQ(lock.tickets(), count);
  EXPECT_GE(a, kThreads * kRounds / 16);
}

}  // namespace
}  // namespace cohort
