#include "engine/deliveries.h"

#include <iterator>
#include <utility>

#include "runtime/burst.h"

namespace cohort {
namespace {

constexpr size_t kMostCallbacks = 64;  // Of one task, so that a long burst keeps every thread of the executor busy.

struct ForQueue {
  std::shared_ptr<EventQueue> queue;
  std::vector<std::unique_ptr<EventNode>> nodes;
};
struct Callback {
  CallbackWaiter::Done done;
  Outcome outcome;
};
struct ForExecutor {
  Executor* executor;
  std::vector<Callback> callbacks;
};

// What this thread's burst has to hand over.
struct Pending {
  std::vector<ForQueue> queues;
  std::vector<ForExecutor> executors;
  std::vector<std::shared_ptr<Blocked>> sleepers;
};
thread_local std::unique_ptr<Pending> pending;

void Post(Executor& executor, std::vector<Callback> callbacks) {
  executor.Post([callbacks = std::move(callbacks)]() mutable {
    const Burst burst;  // What the callbacks ask peers for travels together.
    for (Callback& callback : callbacks) {
      callback.done(callback.outcome);
      callback = {};
    }
  });
}

void HandOver() {
  const std::unique_ptr<Pending> all = std::move(pending);
  for (ForQueue& to : all->queues) to.queue->DeliverAll(std::move(to.nodes));
  for (ForExecutor& to : all->executors) {
    if (!to.callbacks.empty()) Post(*to.executor, std::move(to.callbacks));
  }
  for (const std::shared_ptr<Blocked>& blocked : all->sleepers) Deliveries::WakeNow(*blocked);
}

Pending& OfBurst() {
  if (pending == nullptr) {
    pending = std::make_unique<Pending>();
    Burst::PutOff(HandOver);
  }
  return *pending;
}

}  // namespace

void Deliveries::ToQueue(const std::shared_ptr<EventQueue>& queue, std::vector<std::unique_ptr<EventNode>> nodes) {
  if (!Burst::open()) return queue->DeliverAll(std::move(nodes));
  std::vector<ForQueue>& queues = OfBurst().queues;
  for (ForQueue& to : queues) {
    if (to.queue != queue) continue;
    to.nodes.insert(to.nodes.end(), std::make_move_iterator(nodes.begin()), std::make_move_iterator(nodes.end()));
    return;
  }
  queues.push_back({queue, std::move(nodes)});
}

void Deliveries::WakeNow(Blocked& blocked) { blocked.turnstile_.Wake(); }

void Deliveries::Wake(const std::shared_ptr<Blocked>& blocked) {
  if (!Burst::open()) return WakeNow(*blocked);
  OfBurst().sleepers.push_back(blocked);
}

void Deliveries::ToCallback(Executor& executor, CallbackWaiter::Done done, Outcome outcome) {
  if (!Burst::open()) {
    executor.Post([done = std::move(done), outcome = std::move(outcome)]() mutable { done(outcome); });
    return;
  }
  std::vector<ForExecutor>& executors = OfBurst().executors;
  if (executors.empty() || executors.back().executor != &executor) executors.push_back({&executor, {}});
  std::vector<Callback>& callbacks = executors.back().callbacks;
  callbacks.push_back({std::move(done), std::move(outcome)});
  if (callbacks.size() == kMostCallbacks) Post(executor, std::exchange(callbacks, {}));
}

}  // namespace cohort
