// ThreadPool runs tasks in order on threads that are made when all others are busy, up to a limit, and that leave when
// nothing has come for a while.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/unique_function.h"
#include "runtime/condition.h"
#include "runtime/thread.h"

namespace cohort {

class ThreadPool {
 public:
  struct Options {
    std::string thread_name;
    size_t max_threads = 2;
    size_t stack_bytes = 0;  // 0 = the system's default.
    int64_t idle_ns = 10'000'000'000;
  };

  explicit ThreadPool(Options options);
  ~ThreadPool();

  // Runs `task` after those posted before it have begun; while the system gives no thread at all it waits for the next
  // Post. After Stop it is destroyed instead, and false is returned.
  bool Post(Task task);
  // Runs what was posted, then joins every thread. Idempotent. Not from one of the pool's own threads.
  void Stop();

  size_t threads() const;

 private:
  struct Worker {
    Thread thread;
    Condition wake;
    bool called = false;  // Taken from idle_, to look at the queue.
  };
  using Workers = std::list<Worker>;

  void Run(Workers::iterator self);
  // Makes threads and wakes them so that the queue is looked after. REQUIRES: mutex_ held.
  void Staff();

  const Options options_;
  mutable std::mutex mutex_;
  std::deque<Task> queue_;
  Workers workers_;
  std::vector<Worker*> idle_;  // Last in, first called: those below grow old and leave.
  Workers gone_;               // Have left, or are just leaving: to be joined.
  Condition all_gone_;
  bool stopping_ = false;
};

}  // namespace cohort
