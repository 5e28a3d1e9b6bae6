// Turnstile is where one thread sleeps until others let it through. Opening it and waking who sleeps there are two
// steps, so that many may be opened before the first thread wakes.
#pragma once

#include <atomic>
#include <cstdint>

#if !defined(__linux__)
#include <mutex>

#include "runtime/condition.h"
#endif

namespace cohort {

class Turnstile {
 public:
  // Returns when it is open, and closes it again. One thread at a time.
  void Pass();
  // What happened before this is seen by who passes. True: somebody sleeps, and has to be woken. REQUIRES: closed.
  bool Open() { return state_.exchange(kOpen, std::memory_order_acq_rel) == kSleepers; }
  // REQUIRES: Open answered true.
  void Wake();

 private:
  static constexpr uint32_t kClosed = 0;
  static constexpr uint32_t kSleepers = 1;
  static constexpr uint32_t kOpen = 2;

  std::atomic<uint32_t> state_{kClosed};
#if !defined(__linux__)
  std::mutex mutex_;
  Condition opened_;
#endif
};

}  // namespace cohort
