// What was unlinked is not freed while somebody may read it, and is once they have left.
#include "runtime/epochs.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "runtime/thread_counts.h"

namespace cohort {
namespace {

// Threads that wait for one another.
class Turns {
 public:
  void Await(int turn) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return turn_ >= turn; });
  }
  void Next() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++turn_;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int turn_ = 0;
};

TEST(Epochs, GraceWaitsForThoseWhoCameBefore) {
  Turns turns;
  std::thread reader([&] {
    {
      const Reading reading;
      turns.Next();
      turns.Await(2);
    }
    turns.Next();
  });
  turns.Await(1);
  const Grace grace = Grace::Begin();
  EXPECT_FALSE(grace.Passed());
  EXPECT_FALSE(grace.Passed());
  turns.Next();
  turns.Await(3);
  EXPECT_TRUE(grace.Passed());
  reader.join();
}

TEST(Epochs, GraceDoesNotWaitForThoseWhoCameAfter) {
  const Grace grace = Grace::Begin();
  Turns turns;
  std::thread reader([&] {
    const Reading reading;
    turns.Next();
    turns.Await(2);
  });
  turns.Await(1);
  EXPECT_TRUE(grace.Passed());
  EXPECT_FALSE(Grace::Begin().Passed());
  turns.Next();
  reader.join();
  EXPECT_TRUE(Grace::Begin().Passed());
  EXPECT_TRUE(Grace().Passed());
}

TEST(Epochs, NothingThatIsReadIsFreed) {
  constexpr int kReaders = 2;
  constexpr int kRounds = 300;
  struct Box {
    explicit Box(int n) : number(n) {}
    std::atomic<int> number;
  };
  std::atomic<Box*> shown{new Box(0)};
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        const Reading reading;
        EXPECT_GE(shown.load(std::memory_order_acquire)->number.load(std::memory_order_relaxed), 0);
      }
    });
  }
  for (int i = 1; i <= kRounds; ++i) {
    Box* const old = shown.exchange(new Box(i), std::memory_order_acq_rel);
    Grace::Begin().Await();
    old->number.store(-1, std::memory_order_relaxed);
    delete old;
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  delete shown.load();
}

TEST(Epochs, NumbersOfThreadsThatHaveEndedAreUsedAgain) {
  const uint32_t mine = ThreadNumber();
  std::set<uint32_t> seen;
  for (int i = 0; i < 50; ++i) {
    std::thread([&] { seen.insert(ThreadNumber()); }).join();
  }
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.count(mine), 0U);
}

TEST(Epochs, NoTwoThreadsShareANumber) {
  constexpr int kThreads = 100;
  std::mutex mutex;
  std::set<uint32_t> numbers;
  Turns turns;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      {
        const std::lock_guard<std::mutex> lock(mutex);
        numbers.insert(ThreadNumber());
      }
      turns.Next();
      turns.Await(kThreads);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(numbers.size(), static_cast<size_t>(kThreads));
}

TEST(Epochs, AForkedChildWaitsForNobodyOfItsParent) {
  Turns turns;
  std::thread reader([&] {
    const Reading reading;
    turns.Next();
    turns.Await(2);
  });
  turns.Await(1);
  const pid_t child = fork();
  if (child == 0) _exit(Grace::Begin().Passed() ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_FALSE(Grace::Begin().Passed());
  turns.Next();
  reader.join();
}

TEST(ThreadCounts, CountsEveryThreadAlsoBeyondItsLines) {
  constexpr int kThreads = 150;
  constexpr int kTimes = 200;
  ThreadCounts<2> counts;
  counts.Add(0, 5);
  counts.Restart();
  Turns turns;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kTimes; ++n) counts.Add(1);
      counts.Add(0, -1);
      turns.Next();
      turns.Await(kThreads);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counts.Sum(1), kThreads * kTimes);
  EXPECT_EQ(counts.Sum(0), -kThreads);
}

}  // namespace
}  // namespace cohort
