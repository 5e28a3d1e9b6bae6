#include "runtime/real_runtime.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "runtime/system_clock.h"
#include "runtime/thread_pool.h"
#include "runtime/timer_queue.h"

namespace cohort {

namespace {

constexpr size_t kExecutorThreads = 2;

// SplitMix64: a counter that steps by the golden ratio, and a mix of its bits. One atomic add makes it thread safe.
class SplitMix final : public Random {
 public:
  SplitMix() : counter_(Seed()) {}
  uint64_t Next() override {
    uint64_t bits = counter_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed);
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

 private:
  static uint64_t Seed() {
    uint64_t seed = 0;
    if (getentropy(&seed, sizeof seed) == 0) return seed;
    const SystemClock clock;
    return static_cast<uint64_t>(clock.UnixNs()) ^ (static_cast<uint64_t>(getpid()) << 48) ^
           static_cast<uint64_t>(clock.MonotonicNs());
  }

  std::atomic<uint64_t> counter_;
};

class RealRuntime final : public Runtime, private Executor {
 public:
  explicit RealRuntime(const RealRuntimeOptions& options)
      : timers_(ThreadName(options.name, "timer")),
        quick_({ThreadName(options.name, "exec"), kExecutorThreads}),
        blocking_({ThreadName(options.name, "work"), std::max<size_t>(options.max_blocking_threads, 1)}) {}
  ~RealRuntime() override { Stop(); }

  Clock& clock() override { return clock_; }
  Timers& timers() override { return timers_; }
  Executor& executor() override { return *this; }
  Random& random() override { return random_; }

  // Timers first: they post to the pools. A pool's task that posts to the other pool during this may find it closed.
  void Stop() override {
    timers_.Stop();
    quick_.Stop();
    blocking_.Stop();
  }

 private:
  void Post(Task task) override { quick_.Post(std::move(task)); }
  void PostBlocking(Task task) override { blocking_.Post(std::move(task)); }

  SystemClock clock_;
  SplitMix random_;
  TimerQueue timers_;
  ThreadPool quick_;
  ThreadPool blocking_;
};

}  // namespace

std::unique_ptr<Runtime> NewRealRuntime(RealRuntimeOptions options) { return std::make_unique<RealRuntime>(options); }

}  // namespace cohort
