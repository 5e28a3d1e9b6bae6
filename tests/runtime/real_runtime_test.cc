// Timers, pools, threads and clocks of the real runtime do what runtime.h says.
#include "runtime/real_runtime.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/condition.h"
#include "runtime/system_clock.h"
#include "runtime/thread.h"
#include "runtime/thread_pool.h"
#include "runtime/timer_queue.h"

namespace cohort {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kNever = -1;

// Counts events; waits for a number of them.
class Counter {
 public:
  void Add() {
    std::lock_guard<std::mutex> lock(mutex_);
    count_++;
    changed_.NotifyAll();
  }
  void WaitFor(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.WaitUntil(lock, kNever, [&] { return count_ >= count; });
  }
  int count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  Condition changed_;
  int count_ = 0;
};

// Tells when it is destroyed.
std::shared_ptr<int> Token(Counter& destroyed) {
  return std::shared_ptr<int>(new int(0), [&destroyed](int* token) {
    delete token;
    destroyed.Add();
  });
}

TEST(Timers, RunInTheOrderOfTheirTimes) {
  constexpr int kCount = 40;
  TimerQueue timers("test-timer");
  SystemClock clock;
  Counter begun, gate, ran;
  timers.After(0, [&] {
    begun.Add();
    gate.WaitFor(1);
  });
  begun.WaitFor(1);
  // All wait when the first may run. When each is due is known but for the time that After took.
  std::mutex mutex;
  std::vector<int> order;
  int64_t due_after_ns[kCount], due_before_ns[kCount];
  for (int i = 0; i < kCount; i++) {
    const int64_t delay_ns = i * 17 % kCount * kMs / 8;
    due_after_ns[i] = clock.MonotonicNs() + delay_ns;
    timers.After(delay_ns, [&, i] {
      {
        std::lock_guard<std::mutex> lock(mutex);
        order.push_back(i);
      }
      ran.Add();
    });
    due_before_ns[i] = clock.MonotonicNs() + delay_ns;
  }
  gate.Add();
  ran.WaitFor(kCount);
  for (int first = 0; first < kCount; first++) {
    for (int later = first + 1; later < kCount; later++) {
      EXPECT_FALSE(due_before_ns[order[later]] < due_after_ns[order[first]]) << first << " " << later;
    }
  }
}

TEST(Timers, NeverRunEarly) {
  TimerQueue timers("test-timer");
  SystemClock clock;
  std::atomic<int64_t> ran_ns{0};
  Counter ran;
  const int64_t begin_ns = clock.MonotonicNs();
  timers.After(15 * kMs, [&] {
    ran_ns = clock.MonotonicNs();
    ran.Add();
  });
  ran.WaitFor(1);
  EXPECT_GE(ran_ns - begin_ns, 15 * kMs);
}

TEST(Timers, ACancelledTimerIsDestroyedAndNeverRuns) {
  TimerQueue timers("test-timer");
  Counter destroyed, ran, other;
  const TimerId id = timers.After(60'000 * kMs, [token = Token(destroyed), &ran] { ran.Add(); });
  EXPECT_NE(id, 0u);
  EXPECT_TRUE(timers.Cancel(id));
  EXPECT_EQ(destroyed.count(), 1);  // Gone: nothing is left that could run.
  EXPECT_FALSE(timers.Cancel(id));
  timers.After(1 * kMs, [&] { other.Add(); });
  other.WaitFor(1);
  EXPECT_EQ(ran.count(), 0);
}

TEST(Timers, CancelIsFalseOnceATimerRan) {
  TimerQueue timers("test-timer");
  Counter ran;
  const TimerId id = timers.After(0, [&] { ran.Add(); });
  ran.WaitFor(1);
  EXPECT_FALSE(timers.Cancel(id));
  EXPECT_FALSE(timers.Cancel(0));
}

TEST(Timers, HundredThousandWaitAndHalfAreCancelled) {
  TimerQueue timers("test-timer");
  constexpr int kCount = 100'000;
  std::vector<TimerId> ids;
  Counter ran;
  std::atomic<int> cancelled_ran{0};
  for (int i = 0; i < kCount; i++) {
    const int64_t delay_ns = (i * 7919LL % 50) * kMs;
    if (i % 2 == 0) {
      timers.After(delay_ns, [&] { ran.Add(); });
    } else {
      ids.push_back(timers.After(3600'000 * kMs, [&] { cancelled_ran++; }));
    }
  }
  for (const TimerId id : ids) EXPECT_TRUE(timers.Cancel(id));
  ran.WaitFor(kCount / 2);
  EXPECT_EQ(cancelled_ran, 0);
}

TEST(Timers, ATimerMaySetAndCancelTimers) {
  TimerQueue timers("test-timer");
  Counter ran;
  const TimerId victim = timers.After(3600'000 * kMs, [] { FAIL(); });
  timers.After(0, [&] {
    EXPECT_TRUE(timers.Cancel(victim));
    timers.After(0, [&] { ran.Add(); });
  });
  ran.WaitFor(1);
}

TEST(Timers, StopDestroysWhatHasNotRun) {
  Counter destroyed;
  TimerQueue timers("test-timer");
  timers.After(3600'000 * kMs, [token = Token(destroyed)] { FAIL(); });
  timers.Stop();
  EXPECT_EQ(destroyed.count(), 1);
  EXPECT_EQ(timers.After(0, [token = Token(destroyed)] { FAIL(); }), 0u);
  EXPECT_EQ(destroyed.count(), 2);
  timers.Stop();
}

TEST(Timers, ADelayBeyondTheEndOfTimeIsNeverDue) {
  TimerQueue timers("test-timer");
  Counter ran;
  const TimerId id = timers.After(INT64_MAX, [] { FAIL(); });
  timers.After(kMs, [&] { ran.Add(); });
  ran.WaitFor(1);
  EXPECT_TRUE(timers.Cancel(id));
}

TEST(ThreadPool, GrowsWhileItsThreadsAreBusyUpToItsLimit) {
  ThreadPool pool({"test", 3});
  Counter begun, done;
  Counter gate;
  for (int i = 0; i < 5; i++) {
    pool.Post([&] {
      begun.Add();
      gate.WaitFor(1);
      done.Add();
    });
  }
  begun.WaitFor(3);
  EXPECT_EQ(pool.threads(), 3u);
  gate.Add();
  done.WaitFor(5);
}

TEST(ThreadPool, OneThreadRunsTasksInOrder) {
  ThreadPool pool({"test", 1});
  std::vector<int> order;
  for (int i = 0; i < 100; i++) {
    pool.Post([&order, i] { order.push_back(i); });
  }
  pool.Stop();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; i++) EXPECT_EQ(order[i], i);
}

TEST(ThreadPool, AnIdleThreadIsUsedBeforeANewOneIsMade) {
  ThreadPool pool({"test", 8});
  std::mutex mutex;
  std::set<pthread_t> threads;
  for (int i = 0; i < 50; i++) {
    Counter done;
    pool.Post([&] {
      {
        std::lock_guard<std::mutex> lock(mutex);
        threads.insert(pthread_self());
      }
      done.Add();
    });
    done.WaitFor(1);
  }
  // The next task may come before the last one's thread has sat down.
  EXPECT_LE(threads.size(), 8u);
  EXPECT_LE(pool.threads(), 8u);
}

// Destroyed when its thread leaves.
struct Leaving {
  Counter* counter = nullptr;
  ~Leaving() {
    if (counter != nullptr) counter->Add();
  }
};
thread_local Leaving leaving;

TEST(ThreadPool, IdleThreadsLeaveAndNewOnesCome) {
  ThreadPool pool({"test", 2, 0, 2 * kMs});
  Counter left, ran;
  pool.Post([&] { leaving.counter = &left; });
  left.WaitFor(1);
  pool.Post([&] { ran.Add(); });
  ran.WaitFor(1);
  pool.Stop();
}

TEST(ThreadPool, StopRunsWhatWasPostedAndRefusesTheRest) {
  Counter ran, destroyed;
  ThreadPool pool({"test", 2});
  for (int i = 0; i < 200; i++) {
    pool.Post([&] { ran.Add(); });
  }
  pool.Stop();
  EXPECT_EQ(ran.count(), 200);
  EXPECT_EQ(pool.threads(), 0u);
  EXPECT_FALSE(pool.Post([token = Token(destroyed)] { FAIL(); }));
  EXPECT_EQ(destroyed.count(), 1);
  pool.Stop();
}

TEST(ThreadPool, PostsFromManyThreadsAllRun) {
  ThreadPool pool({"test", 4});
  ThreadPool posters({"posters", 4});
  std::atomic<int> ran{0};
  for (int i = 0; i < 8; i++) {
    posters.Post([&] {
      for (int j = 0; j < 500; j++) pool.Post([&] { ran++; });
    });
  }
  posters.Stop();
  pool.Stop();
  EXPECT_EQ(ran, 4000);
}

TEST(Thread, BlocksTheHostsSignalsButNotItsOwnFaults) {
  sigset_t mask;
  Task body = [&mask] { pthread_sigmask(SIG_BLOCK, nullptr, &mask); };
  sigset_t before, after;
  pthread_sigmask(SIG_BLOCK, nullptr, &before);
  Thread thread;
  ASSERT_TRUE(thread.Start("signals", 0, body));
  thread.Join();
  for (int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGPROF}) {
    EXPECT_EQ(sigismember(&mask, signal), 1) << signal;
  }
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) EXPECT_EQ(sigismember(&mask, signal), 0) << signal;
  pthread_sigmask(SIG_BLOCK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGPIPE), sigismember(&after, SIGPIPE));
}

TEST(Thread, CarriesItsName) {
  char name[16] = {};
  Task body = [&name] { pthread_getname_np(pthread_self(), name, sizeof name); };
  Thread thread;
  ASSERT_TRUE(thread.Start(ThreadName("a-rather-long-owner", "timer"), 64 * 1024, body));
  thread.Join();
  EXPECT_EQ(std::string(name), "a-rather--timer");
}

TEST(RealRuntime, AnIdleRuntimeHasNoThreads) {
  auto count = [] {
    int threads = 0;
    DIR* tasks = opendir("/proc/self/task");
    while (readdir(tasks) != nullptr) threads++;
    closedir(tasks);
    return threads;
  };
  const int before = count();
  auto runtime = NewRealRuntime();
  EXPECT_EQ(count(), before);
}

TEST(RealRuntime, BlockingTasksDoNotHoldUpQuickOnes) {
  Counter gate, quick, blocked;  // They outlive the runtime, whose threads end in its destructor.
  auto runtime = NewRealRuntime({"test", 4});
  for (int i = 0; i < 4; i++) {
    runtime->executor().PostBlocking([&] {
      blocked.Add();
      gate.WaitFor(1);
    });
  }
  blocked.WaitFor(4);
  runtime->executor().Post([&] { quick.Add(); });
  quick.WaitFor(1);
  gate.Add();
}

TEST(RealRuntime, StopIsIdempotentAndLaterTasksAreDestroyed) {
  Counter destroyed, ran;
  auto runtime = NewRealRuntime();
  runtime->executor().Post([&] { ran.Add(); });
  runtime->executor().PostBlocking([&] { ran.Add(); });
  runtime->timers().After(3600'000 * kMs, [token = Token(destroyed)] { FAIL(); });
  runtime->Stop();
  EXPECT_EQ(ran.count(), 2);
  EXPECT_EQ(destroyed.count(), 1);
  runtime->Stop();
  runtime->executor().Post([token = Token(destroyed)] { FAIL(); });
  runtime->executor().PostBlocking([token = Token(destroyed)] { FAIL(); });
  runtime->timers().After(0, [token = Token(destroyed)] { FAIL(); });
  EXPECT_EQ(destroyed.count(), 4);
}

TEST(RealRuntime, ClocksGoForward) {
  auto runtime = NewRealRuntime();
  int64_t last_ns = runtime->clock().MonotonicNs();
  for (int i = 0; i < 1000; i++) {
    const int64_t now_ns = runtime->clock().MonotonicNs();
    ASSERT_GE(now_ns, last_ns);
    last_ns = now_ns;
  }
  EXPECT_GT(runtime->clock().UnixNs(), 1'600'000'000'000'000'000);
}

TEST(RealRuntime, RandomBitsAreBalancedAndRuntimesDiffer) {
  auto one = NewRealRuntime();
  auto two = NewRealRuntime();
  EXPECT_NE(one->random().Next(), two->random().Next());
  int ones[64] = {};
  std::set<uint64_t> seen;
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; i++) {
    const uint64_t bits = one->random().Next();
    seen.insert(bits);
    for (int bit = 0; bit < 64; bit++) ones[bit] += (bits >> bit) & 1;
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kDraws));
  for (int bit = 0; bit < 64; bit++) {
    EXPECT_GT(ones[bit], kDraws / 2 - 400) << bit;  // Eight standard deviations.
    EXPECT_LT(ones[bit], kDraws / 2 + 400) << bit;
  }
}

TEST(Condition, AWaitEndsByItsDeadline) {
  std::mutex mutex;
  Condition condition;
  SystemClock clock;
  std::unique_lock<std::mutex> lock(mutex);
  const int64_t deadline_ns = clock.MonotonicNs() + 5 * kMs;
  EXPECT_FALSE(condition.WaitUntil(lock, deadline_ns, [] { return false; }));
  EXPECT_GE(clock.MonotonicNs(), deadline_ns);
  EXPECT_FALSE(condition.WaitUntil(lock, 0));
}

}  // namespace
}  // namespace cohort
