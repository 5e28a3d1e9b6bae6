#include "engine/deliveries.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/burst.h"

namespace cohort {
namespace {

constexpr size_t kMostInRow = 8;
constexpr size_t kMostCallbacks = 64;  // Of one task, so that a long burst keeps every thread of the executor busy.

struct ForQueue {
  EventQueue* queue;  // Which lives as long as they have not come.
  EventChain nodes;
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
  std::vector<Deliveries::Sleeper> sleepers;
  std::shared_ptr<Context> context;
  int64_t ended = 0;  // There.
};
// Made by what is delivered first in a burst, and gone with the burst. Reading it is one instruction (as in epochs.h).
constinit thread_local Pending* pending __attribute__((tls_model("initial-exec"))) = nullptr;

void Post(Executor& executor, std::vector<Callback> callbacks) {
  executor.Post([callbacks = std::move(callbacks)]() mutable {
    const Burst burst(Burst::Of::kCallbacks);  // What they ask peers for travels together.
    for (Callback& callback : callbacks) {
      callback.done(callback.outcome);
      callback = {};
    }
  });
}

void HandOver() {
  const std::unique_ptr<Pending> all(std::exchange(pending, nullptr));
  for (ForQueue& to : all->queues) to.queue->DeliverAll(std::move(to.nodes));
  for (ForExecutor& to : all->executors) {
    if (!to.callbacks.empty()) Post(*to.executor, std::move(to.callbacks));
  }
  Deliveries::WakeAll(all->sleepers);
  if (all->ended > 0) all->context->End(all->ended);
}

Pending& OfBurst() {
  if (pending == nullptr) {
    auto made = std::make_unique<Pending>();
    Burst::PutOff(HandOver);
    pending = made.release();
  }
  return *pending;
}

EventChain& OfBurst(EventQueue& queue) {
  std::vector<ForQueue>& queues = OfBurst().queues;
  for (ForQueue& to : queues) {
    if (to.queue == &queue) return to.nodes;
  }
  return queues.emplace_back(ForQueue{&queue, {}}).nodes;
}

}  // namespace

void Deliveries::ToQueue(EventQueue& queue, EventChain nodes) {
  if (!Burst::is_of_ends()) return queue.DeliverAll(std::move(nodes));
  OfBurst(queue).Append(std::move(nodes));
}

void Deliveries::ToQueue(EventQueue& queue, std::unique_ptr<EventNode> node) {
  if (!Burst::is_of_ends()) return queue.Deliver(std::move(node));
  OfBurst(queue).Push(std::move(node));
}

void Deliveries::EndOne(const std::shared_ptr<Context>& context) {
  if (!Burst::is_of_ends()) return context->End();
  Pending& all = OfBurst();
  if (all.context == nullptr) all.context = context;
  if (all.context != context) return context->End();
  ++all.ended;
}

// A thread that wakes many is made to wait for each of them, where there are fewer processors than threads. So it wakes
// some, each of which wakes the next of its row: short rows, for one that is slow to wake keeps those behind it asleep.
void Deliveries::WakeAll(const std::vector<Sleeper>& sleepers) {
  const size_t rows = (sleepers.size() + kMostInRow - 1) / kMostInRow;
  std::vector<Blocked*> first;
  for (size_t i = sleepers.size(); i-- > 0;) {
    const bool woken = i >= rows && sleepers[i - rows].blocked->WakesNext(sleepers[i - rows].wait, sleepers[i].blocked);
    if (!woken) first.push_back(sleepers[i].blocked.get());
  }
  for (Blocked* blocked : first) blocked->turnstile_.Wake();
}

void Deliveries::Wake(const std::shared_ptr<Blocked>& blocked, uint64_t wait) {
  if (!Burst::is_of_ends()) return blocked->turnstile_.Wake();
  OfBurst().sleepers.push_back({blocked, wait});
}

void Deliveries::ToCallback(Executor& executor, CallbackWaiter::Done done, Outcome outcome) {
  if (!Burst::is_of_ends()) {
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
