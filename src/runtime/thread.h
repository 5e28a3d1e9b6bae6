// Thread is a joinable thread with a name and a stack of a chosen size, on which no signal of the host is delivered.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <string>

#include "base/unique_function.h"

namespace cohort {

class Thread {
 public:
  Thread() = default;
  // REQUIRES: joined, detached, or never started.
  ~Thread();
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // Runs `body` on a new thread that bears `name` (its first 15 bytes). `stack_bytes` 0 is the system's default. Every
  // signal is blocked on it except those that a thread's own faults raise: a language runtime whose code runs there
  // may need them. False when the system gives no thread; `body` is then left as it was.
  // REQUIRES: not started.
  bool Start(const std::string& name, size_t stack_bytes, Task& body);
  void Join();
  // Nobody will join it.
  void Detach();
  bool started() const { return started_; }

 private:
  pthread_t handle_{};
  bool started_ = false;
};

// The name of a thread of that role: the owner's name is cut so that the role stays readable in 15 bytes.
std::string ThreadName(const std::string& owner, const std::string& role);

}  // namespace cohort
