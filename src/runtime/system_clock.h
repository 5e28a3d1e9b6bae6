// SystemClock is the machine's own time. Its monotonic points are those that Condition waits for.
#pragma once

#include <time.h>

#include "runtime/runtime.h"

namespace cohort {

class SystemClock final : public Clock {
 public:
  int64_t UnixNs() const override { return Read(CLOCK_REALTIME); }
  int64_t MonotonicNs() const override { return Read(CLOCK_MONOTONIC); }

 private:
  static int64_t Read(clockid_t id) {
    timespec now;
    clock_gettime(id, &now);
    return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  }
};

// The deadline that lies `delay_ns` after `now_ns`, without overflow: a delay beyond the end of time is the end of
// time.
inline int64_t DeadlineAfter(int64_t now_ns, int64_t delay_ns) {
  if (delay_ns <= 0) return now_ns;
  return delay_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + delay_ns;
}

}  // namespace cohort
