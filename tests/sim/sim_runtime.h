// SimRuntime is one incarnation's clock, timers, executor and chance, all of them the world's. Its clocks are as wrong
// as the schedule wants; its timers and tasks are never early, and late by chance.
#pragma once

#include <cstdint>
#include <set>

#include "runtime/runtime.h"
#include "sim/rng.h"
#include "sim/world.h"

namespace cohort::sim {

struct SimRuntimeOptions {
  int owner = kNoOwner;       // The incarnation.
  int64_t unix_ahead_ns = 0;  // Of the true time.
  int64_t latest_post_ns = 2 * kMs;
  int64_t latest_blocking_ns = 30 * kMs;  // As if the pool were busy.
  int64_t latest_timer_ns = 2 * kMs;
};

class SimRuntime final : public Runtime, private Clock, private Timers, private Executor, private Random {
 public:
  SimRuntime(World& world, const SimRuntimeOptions& options, Rng rng);
  ~SimRuntime() override { Stop(); }

  Clock& clock() override { return *this; }
  Timers& timers() override { return *this; }
  Executor& executor() override { return *this; }
  Random& random() override { return *this; }
  bool Await(Condition& condition, std::unique_lock<std::mutex>& lock, int64_t deadline_ns,
             const std::function<bool()>& ready) override;
  void Stop() override;

  // The world's time as this clock shows it, and as one that is so far ahead does.
  int64_t UnixAt(int64_t world_ns) const { return UnixOf(world_ns, options_.unix_ahead_ns); }
  static int64_t UnixOf(int64_t world_ns, int64_t ahead_ns) {
    return int64_t{1'700'000'000} * kS + ahead_ns + world_ns;
  }

 private:
  int64_t UnixNs() const override { return UnixAt(world_.now_ns()); }
  int64_t MonotonicNs() const override { return world_.now_ns() + monotonic_ahead_ns_; }
  TimerId After(int64_t delay_ns, Task task) override;
  bool Cancel(TimerId id) override;
  void Post(Task task) override { Post(std::move(task), options_.latest_post_ns); }
  void PostBlocking(Task task) override { Post(std::move(task), options_.latest_blocking_ns); }
  uint64_t Next() override { return engine_rng_.Next(); }

  void Post(Task task, int64_t latest_ns);
  int64_t Lateness(int64_t latest_ns);

  World& world_;
  const SimRuntimeOptions options_;
  Rng rng_;
  Rng engine_rng_;  // What the engine asks for.
  const int64_t monotonic_ahead_ns_;
  std::set<World::EventId> timers_;
  std::set<World::EventId> posts_;
  bool stopped_ = false;
};

}  // namespace cohort::sim
