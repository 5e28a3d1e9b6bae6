#include "sim/sim_runtime.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace cohort::sim {

SimRuntime::SimRuntime(World& world, const SimRuntimeOptions& options, Rng rng)
    : world_(world),
      options_(options),
      rng_(rng),
      engine_rng_(rng_.Fork()),
      monotonic_ahead_ns_(rng_.Between(0, 1000 * kS)) {}

// Mostly soon, sometimes as late as may be.
int64_t SimRuntime::Lateness(int64_t latest_ns) {
  return rng_.Chance(100) ? rng_.Between(0, latest_ns) : rng_.Between(0, latest_ns / 50);
}

TimerId SimRuntime::After(int64_t delay_ns, Task task) {
  if (stopped_) return 0;
  const int64_t late_ns = Lateness(options_.latest_timer_ns);
  const auto id = std::make_shared<World::EventId>(0);
  *id = world_.After(delay_ns + late_ns, options_.owner, [this, id, task = std::move(task)]() mutable {
    timers_.erase(*id);
    task();
  });
  timers_.insert(*id);
  return *id;
}

bool SimRuntime::Cancel(TimerId id) {
  if (timers_.erase(id) == 0) return false;
  const Task dropped = world_.Take(id);
  return true;
}

void SimRuntime::Post(Task task, int64_t latest_ns) {
  if (stopped_) return;
  const auto id = std::make_shared<World::EventId>(0);
  *id = world_.After(Lateness(latest_ns), options_.owner, [this, id, task = std::move(task)]() mutable {
    posts_.erase(*id);
    task();
  });
  posts_.insert(*id);
}

bool SimRuntime::Await(Condition& /*condition*/, std::unique_lock<std::mutex>& lock, int64_t deadline_ns,
                       const std::function<bool()>& ready) {
  const int64_t until_ns = deadline_ns < 0 ? -1 : std::max<int64_t>(0, deadline_ns - monotonic_ahead_ns_);
  lock.unlock();
  const bool is_ready = world_.Await(until_ns, [&] {
    lock.lock();
    const bool now = ready();
    lock.unlock();
    return now;
  });
  lock.lock();
  return is_ready;
}

void SimRuntime::Stop() {
  while (!timers_.empty()) {
    const World::EventId id = *timers_.begin();
    timers_.erase(timers_.begin());
    const Task dropped = world_.Take(id);
  }
  while (!posts_.empty()) {
    Task task = world_.Take(*posts_.begin());
    posts_.erase(posts_.begin());
    task();
  }
  stopped_ = true;
  // What ran last may have armed timers.
  while (!timers_.empty()) {
    const World::EventId id = *timers_.begin();
    timers_.erase(timers_.begin());
    const Task dropped = world_.Take(id);
  }
}

}  // namespace cohort::sim
