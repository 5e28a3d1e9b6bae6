// Condition is a condition variable whose waits end by a point of the monotonic clock. It stands on
// pthread_cond_timedwait with CLOCK_MONOTONIC, which every version of ThreadSanitizer understands, and which a jump of
// the wall clock leaves alone.
#pragma once

#include <pthread.h>
#include <time.h>

#include <cstdint>
#include <mutex>

namespace cohort {

class Condition {
 public:
  Condition() {
#if defined(__APPLE__)
    pthread_cond_init(&cond_, nullptr);
#else
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&cond_, &attributes);
    pthread_condattr_destroy(&attributes);
#endif
  }
  // REQUIRES: nobody waits.
  ~Condition() { pthread_cond_destroy(&cond_); }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // False: the deadline has passed. True: woken, perhaps for no reason, so wait in a loop. A negative deadline is
  // never. REQUIRES: lock holds its mutex.
  bool WaitUntil(std::unique_lock<std::mutex>& lock, int64_t deadline_monotonic_ns) {
    pthread_mutex_t* mutex = lock.mutex()->native_handle();
    if (deadline_monotonic_ns < 0) {
      pthread_cond_wait(&cond_, mutex);
      return true;
    }
#if defined(__APPLE__)
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t left_ns = deadline_monotonic_ns - (now.tv_sec * kNsPerSecond + now.tv_nsec);
    if (left_ns <= 0) return false;
    const timespec left = ToTimespec(left_ns);
    return pthread_cond_timedwait_relative_np(&cond_, mutex, &left) == 0;
#else
    const timespec deadline = ToTimespec(deadline_monotonic_ns);
    return pthread_cond_timedwait(&cond_, mutex, &deadline) == 0;
#endif
  }
  void Wait(std::unique_lock<std::mutex>& lock) { WaitUntil(lock, -1); }
  // Waits until `ready()` holds, true, or the deadline passes: then what `ready()` says.
  template <typename Ready>
  bool WaitUntil(std::unique_lock<std::mutex>& lock, int64_t deadline_monotonic_ns, Ready ready) {
    while (!ready()) {
      if (!WaitUntil(lock, deadline_monotonic_ns)) return ready();
    }
    return true;
  }

  void NotifyOne() { pthread_cond_signal(&cond_); }
  void NotifyAll() { pthread_cond_broadcast(&cond_); }

 private:
  static constexpr int64_t kNsPerSecond = 1'000'000'000;
  static timespec ToTimespec(int64_t ns) {
    timespec result;
    result.tv_sec = static_cast<time_t>(ns / kNsPerSecond);
    result.tv_nsec = static_cast<long>(ns % kNsPerSecond);
    return result;
  }

  pthread_cond_t cond_;
};

}  // namespace cohort
