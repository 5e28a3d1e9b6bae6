// Deliveries hands over the ends of gets: to their queue, or to a callback on the executor. Those of one burst go
// together, with one wake for each queue and one task for many callbacks.
#pragma once

#include <memory>
#include <vector>

#include "engine/event_queue.h"
#include "engine/waiter.h"
#include "runtime/runtime.h"

namespace cohort {

class Deliveries {
 public:
  // As EventQueue::DeliverAll, now or when the burst is over.
  static void ToQueue(const std::shared_ptr<EventQueue>& queue, std::vector<std::unique_ptr<EventNode>> nodes);
  // Runs done(outcome) on the executor. REQUIRES: the executor lives until this thread's burst is over.
  static void ToCallback(Executor& executor, CallbackWaiter::Done done, Outcome outcome);
};

}  // namespace cohort
