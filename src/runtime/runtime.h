// Runtime is the engine's whole view of time, threads and chance. The real one is real_runtime.h; the simulator brings
// its own, so that the same engine runs on one thread under one seed.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

#include "base/unique_function.h"
#include "runtime/condition.h"

namespace cohort {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since the Unix epoch; may jump.
  virtual int64_t UnixNs() const = 0;
  // Nanoseconds since some fixed point; never goes back.
  virtual int64_t MonotonicNs() const = 0;
};

using TimerId = uint64_t;  // 0 is no timer.

class Timers {
 public:
  virtual ~Timers() = default;
  // Runs `task` once, not before `delay_ns` from now, on the timer thread with no lock held; it must not block. Thread
  // safe.
  virtual TimerId After(int64_t delay_ns, Task task) = 0;
  // True: the task will never run (it is destroyed). False: it has run, runs now, or the id is 0. Never waits for it.
  virtual bool Cancel(TimerId id) = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` soon on one of a few threads; it must not block.
  virtual void Post(Task task) = 0;
  // Runs `task` on a pool that grows while its threads are busy, up to its limit, and shrinks when idle; it may block.
  // Beyond the limit tasks wait in order.
  virtual void PostBlocking(Task task) = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  // 64 uniform bits. Thread safe. Not for secrets.
  virtual uint64_t Next() = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual Clock& clock() = 0;
  virtual Timers& timers() = 0;
  virtual Executor& executor() = 0;
  virtual Random& random() = 0;
  // Blocks this thread until `ready()` holds or that point of the monotonic clock has passed (negative: there is none);
  // returns what `ready()` says then. Whoever may change that notifies `condition`. A runtime whose time is not real
  // lets its time pass meanwhile. REQUIRES: lock holds its mutex, under which `ready` is called.
  virtual bool Await(Condition& condition, std::unique_lock<std::mutex>& lock, int64_t deadline_ns,
                     const std::function<bool()>& ready) {
    return condition.WaitUntil(lock, deadline_ns, ready);
  }
  // Drops timers that have not run, runs what was posted, joins every thread. Later After and Post calls drop their
  // tasks (destroying them). Idempotent. Not from one of its own threads.
  virtual void Stop() = 0;
};

}  // namespace cohort
