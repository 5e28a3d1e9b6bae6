// Measuring: n threads do an operation for a time; how often, how long each one took, and what it cost in CPU time.
#ifndef COHORT_BENCH_MEASURE_H
#define COHORT_BENCH_MEASURE_H

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "session.h"

namespace bench {

using SteadyClock = std::chrono::steady_clock;

// Times in buckets that are at most 1 % wide.
class Histogram {
 public:
  Histogram() : counts_(kBuckets) {}
  void Add(int64_t ns) { ++counts_[Bucket(ns)]; }
  void Add(const Histogram& other);
  double QuantileUs(double q) const;

 private:
  static constexpr size_t kBits = 7, kBuckets = size_t{64} << kBits;
  static size_t Bucket(int64_t ns) {
    const uint64_t x = ns < 0 ? 0 : static_cast<uint64_t>(ns);
    if (x < (1U << kBits)) return x;
    const int shift = 63 - __builtin_clzll(x) - static_cast<int>(kBits);
    return (static_cast<size_t>(shift + 1) << kBits) + ((x >> shift) & ((1U << kBits) - 1));
  }
  std::vector<int64_t> counts_;
};

// The CPU time that a process has used, in seconds; 0: this one.
double CpuSeconds(int64_t pid);

// Established TCP connections of this machine to `port`.
int ConnectionsTo(int port);
int PortOf(const std::string& address);

// A peer that is watched while asking it: its process and its port, 0 for none.
struct Watched {
  int64_t pid = 0;
  int port = 0;
};

// The stretch in which something is measured: waits, and says what it saw.
class Stretch {
 public:
  explicit Stretch(const Watched& watched);
  // Waits for the time, looking at the connections on the way.
  void Wait(double seconds);
  // What `operations` in the time since cost.
  void Report(double operations, Json* json) const;

 private:
  Watched watched_;
  SteadyClock::time_point begin_;
  double cpu_, watched_cpu_;
  int connections_ = 0;
};

void ReportTimes(const Histogram& times, Json* json);

// Runs op(thread, count) on n threads for the given time; op returns how many operations it was. Operations take turns
// of `turn` between looks at the clock's end, so that looking costs the fast ones nothing. With times, each one is
// timed.
template <bool kTimes, typename Op>
Json Measure(int n, double seconds, const Watched& watched, int turn, const Op& op) {
  std::atomic<bool> stop{false};
  std::atomic<int64_t> total{0};
  std::vector<Histogram> times(kTimes ? static_cast<size_t>(n) : 0);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(n));
  Stretch stretch(watched);
  for (int t = 0; t < n; ++t) {
    threads.emplace_back([&, t] {
      int64_t calls = 0, done = 0;
      while (calls == 0 || !stop.load(std::memory_order_relaxed)) {
        for (int i = 0; i < turn; ++i, ++calls) {
          if constexpr (kTimes) {
            const auto begin = SteadyClock::now();
            done += op(t, calls);
            times[static_cast<size_t>(t)].Add((SteadyClock::now() - begin).count());
          } else {
            done += op(t, calls);
          }
        }
      }
      total += done;
    });
  }
  stretch.Wait(seconds);
  stop = true;
  for (auto& thread : threads) thread.join();
  Json json;
  stretch.Report(static_cast<double>(total.load()), &json);
  if constexpr (kTimes) {
    for (size_t t = 1; t < times.size(); ++t) times[0].Add(times[t]);
    ReportTimes(times[0], &json);
  }
  return json;
}

// Resident memory of this process, in bytes, and its threads.
double ResidentBytes();
int Threads();

}  // namespace bench

#endif
