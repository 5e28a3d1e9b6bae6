// Sending is what everything that sends requests to one peer needs: one thread at a time that sends what there is to
// send, and one timer for the first of many deadlines. Both are guarded by the lock of their owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "base/unique_function.h"
#include "runtime/runtime.h"

namespace cohort {

// Only one thread sends at a time, and whoever finds it at work leaves: so an end that comes before Send returns
// neither recurses nor is overlooked, because the sender looks again after each Send.
class Sending {
 public:
  // `next` is called under the lock: what is to be done next without it, or nothing.
  template <typename Next>
  void Run(std::mutex& mutex, Next next) {
    std::unique_lock lock(mutex);
    if (at_work_) return;
    at_work_ = true;
    while (Task work = next()) {
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
    at_work_ = false;
  }
  bool at_work() const { return at_work_; }

 private:
  bool at_work_ = false;
};

class Alarm {
 public:
  explicit Alarm(Runtime& runtime) : runtime_(runtime) {}
  // It would ring too late for that, or not at all.
  bool IsLate(int64_t due_ns) const { return set_ns_ == 0 || due_ns < set_ns_; }
  // Has `ring` run then, instead of what was set before. It says so first thing.
  void Set(int64_t due_ns, Task ring) {
    if (set_ns_ != 0) runtime_.timers().Cancel(timer_);
    set_ns_ = due_ns;
    timer_ = runtime_.timers().After(std::max<int64_t>(0, due_ns - runtime_.clock().MonotonicNs()), std::move(ring));
  }
  void HasRung() { set_ns_ = 0; }

 private:
  Runtime& runtime_;
  TimerId timer_ = 0;
  int64_t set_ns_ = 0;  // When it is due; 0: none is armed.
};

}  // namespace cohort
