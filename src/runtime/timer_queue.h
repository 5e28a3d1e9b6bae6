// TimerQueue runs tasks when their time has come, on one thread that exists only once a timer does.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "runtime/condition.h"
#include "runtime/runtime.h"
#include "runtime/system_clock.h"
#include "runtime/thread.h"

namespace cohort {

class TimerQueue final : public Timers {
 public:
  explicit TimerQueue(std::string thread_name) : thread_name_(std::move(thread_name)) {}
  ~TimerQueue() override { Stop(); }

  TimerId After(int64_t delay_ns, Task task) override;
  bool Cancel(TimerId id) override;
  // Destroys what has not run and joins the thread. Idempotent. Not from a timer.
  void Stop();

 private:
  using Key = std::pair<int64_t, TimerId>;  // When it is due, on the monotonic clock; then the order of arrival.

  void Run();

  const std::string thread_name_;
  const SystemClock clock_;
  std::mutex mutex_;
  Condition changed_;
  std::map<Key, Task> waiting_;
  std::unordered_map<TimerId, int64_t> due_ns_;
  TimerId next_id_ = 1;
  Thread thread_;
  bool stopping_ = false;
};

}  // namespace cohort
