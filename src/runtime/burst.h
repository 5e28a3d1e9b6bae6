// Burst is a stretch of work in which one thread ends many things at once, as an answer for a hundred keys does. What
// the ends set off (events, callbacks, requests) can be put off until it is over, and then goes together.
#pragma once

#include <vector>

#include "base/unique_function.h"

namespace cohort {

class Burst {
 public:
  // Callbacks are code of the host, which may wait for what others are told, or take down what is used here.
  enum class Of { kEnds, kCallbacks };

  // One within another is a part of it.
  explicit Burst(Of of = Of::kEnds);
  // Runs what was put off, in order, with what that puts off in turn.
  ~Burst();
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  // This thread is in a burst,
  static bool open() { return innermost_ != nullptr; }
  // and no code of the host runs in it.
  static bool is_of_ends() { return innermost_ != nullptr && innermost_->of_ == Of::kEnds; }
  // Runs `task` when this thread's burst is over, or before the thread blocks. REQUIRES: open().
  static void PutOff(Task task);
  // Runs now what has been put off. To be called where a thread is about to wait for others.
  static void BeforeBlocking();

 private:
  void RunAll();

  // Of this thread. Reading it is one instruction (as in epochs.h).
  static constinit thread_local Burst* innermost_ __attribute__((tls_model("initial-exec")));

  const Of of_;
  Burst* const within_;
  Burst* const outermost_;
  std::vector<Task> put_off_;  // Of the outermost.
};

}  // namespace cohort
