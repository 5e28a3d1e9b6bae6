// Sending is what everything that sends requests to one peer needs: one thread at a time that sends what there is to
// send. It is guarded by the lock of its owner.
#pragma once

#include <mutex>

#include "base/unique_function.h"

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

}  // namespace cohort
