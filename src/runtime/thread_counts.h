// ThreadCounts are counters to which every thread adds in a cache line of its own, with an ordinary addition: threads
// that count at once do not meet.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/epochs.h"

namespace cohort {

template <size_t kCounters>
class ThreadCounts {
 public:
  // Whether a thread has a line of its own.
  static bool HasOwn(uint32_t thread) { return thread < kOwnLines; }
  // REQUIRES: HasOwn(thread), which is the current one.
  // Returns what that line has counted.
  int64_t AddOwn(uint32_t thread, size_t counter, int64_t n = 1) {
    // Nobody else writes here.
    std::atomic<int64_t>& count = lines_[thread].counts[counter];
    const int64_t sum = count.load(std::memory_order_relaxed) + n;
    count.store(sum, std::memory_order_relaxed);
    return sum;
  }
  int64_t Add(size_t counter, int64_t n = 1) {
    const uint32_t thread = ThreadNumber();
    if (HasOwn(thread)) [[likely]]
      return AddOwn(thread, counter, n);
    return lines_[kOwnLines + thread % kSharedLines].counts[counter].fetch_add(n, std::memory_order_relaxed) + n;
  }
  // All that was added since the last Restart. What others add meanwhile may be in it or not.
  int64_t Sum(size_t counter) const { return Ever(counter) - before_[counter].load(std::memory_order_relaxed); }
  // The same, as if there had been no Restart.
  int64_t Ever(size_t counter) const {
    int64_t sum = 0;
    for (const Line& line : lines_) sum += line.counts[counter].load(std::memory_order_relaxed);
    return sum;
  }
  void Restart() {
    for (size_t i = 0; i < kCounters; ++i) before_[i].store(Ever(i), std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kOwnLines = 64;
  static constexpr size_t kSharedLines = 16;  // Of the threads beyond.
  struct alignas(64) Line {
    std::array<std::atomic<int64_t>, kCounters> counts{};
  };

  std::array<Line, kOwnLines + kSharedLines> lines_;
  std::array<std::atomic<int64_t>, kCounters> before_{};
};

}  // namespace cohort
