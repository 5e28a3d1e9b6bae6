// Deliveries hands over the ends of gets: to their queue, to a callback on the executor, or to a thread that sleeps.
// Those of one burst go together, with one wake for each queue, one task for many callbacks, and sleepers last.
#pragma once

#include <memory>
#include <vector>

#include "engine/context.h"
#include "engine/event_queue.h"
#include "engine/waiter.h"
#include "runtime/runtime.h"

namespace cohort {

class Deliveries {
 public:
  // As EventQueue::DeliverAll, now or when the burst is over.
  static void ToQueue(EventQueue& queue, EventChain nodes);
  // The same with one.
  static void ToQueue(EventQueue& queue, std::unique_ptr<EventNode> node);
  // Runs done(outcome) on the executor. REQUIRES: the executor lives until this thread's burst is over.
  static void ToCallback(Executor& executor, CallbackWaiter::Done done, Outcome outcome);
  // As Context::End, when what was delivered before is there.
  static void EndOne(const std::shared_ptr<Context>& context);
  // Wakes the thread, whose turnstile is open.
  static void Wake(const std::shared_ptr<Blocked>& blocked, uint64_t wait);
  struct Sleeper {
    std::shared_ptr<Blocked> blocked;
    uint64_t wait;  // Which of its waits has ended.
  };
  static void WakeAll(const std::vector<Sleeper>& sleepers);
};

}  // namespace cohort
