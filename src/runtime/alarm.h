// Alarm is one timer for the first of many deadlines. The lock of its owner guards it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <utility>

#include "runtime/runtime.h"

namespace cohort {

class Alarm {
 public:
  explicit Alarm(Runtime& runtime) : runtime_(runtime) {}
  // It would ring too late for that, or not at all. Without the lock, too, if a yes is asked for again with it.
  bool IsLate(int64_t due_ns) const { return due_ns < due_ns_.load(); }
  // Has ring(set) run then, instead of what was set before. It tells HasRung first thing.
  template <typename Ring>
  void Set(int64_t due_ns, Ring ring) {
    if (timer_ != 0) runtime_.timers().Cancel(timer_);
    due_ns_.store(due_ns);
    timer_ = runtime_.timers().After(std::max<int64_t>(0, due_ns - runtime_.clock().MonotonicNs()),
                                     [ring = std::move(ring), set = ++set_]() mutable { ring(set); });
  }
  // False: it has been set anew, too late to cancel this ring, which is to do nothing: the other one comes, too.
  bool HasRung(uint64_t set) {
    if (set != set_) return false;
    due_ns_.store(kNever);
    timer_ = 0;
    return true;
  }

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  Runtime& runtime_;
  std::atomic<int64_t> due_ns_{kNever};
  TimerId timer_ = 0;  // 0: none is armed.
  uint64_t set_ = 0;   // So often.
};

}  // namespace cohort
