// LentThread lets a thread that will wait for what it begins do the work itself: whoever would wake another thread for
// it leaves the work here. So a lone caller's request costs no thread's wake, on the way out or back.
#pragma once

#include <cstdint>

#include "base/unique_function.h"

namespace cohort {

class LentThread {
 public:
  // What is left here takes no longer than that; 0: the thread is not lent. It lends itself once at a time: one within
  // another takes nothing.
  explicit LentThread(int64_t most_ns);
  ~LentThread();  // Runs what was left here, if Run has not.
  LentThread(const LentThread&) = delete;
  LentThread& operator=(const LentThread&) = delete;

  // While it lives, this thread begins what its caller waits for, or what is over soon: nothing else is left here.
  class Offer {
   public:
    Offer();
    ~Offer();
    Offer(const Offer&) = delete;
    Offer& operator=(const Offer&) = delete;

   private:
    const bool before_;
  };

  // For how long this thread may be kept busy; 0: it is not lent, has its work already, or this is not for it.
  static int64_t MostNs();
  // Leaves work for this thread, which holds no lock when it runs it. REQUIRES: MostNs() != 0.
  static void Leave(Task work);

  // Runs what was left here. What that begins in turn goes to other threads.
  void Run();

 private:
  const int64_t most_ns_;
  bool lent_;
  Task work_;
};

}  // namespace cohort
