// Virtual time is an order of events, the same each time; the runtime on top of it keeps a real runtime's promises.
#include "sim/world.h"

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <vector>

#include "sim/sim_runtime.h"

namespace cohort::sim {
namespace {

TEST(World, ThingsHappenInOrderOfTimeAndThenOfPlanning) {
  World world("world_test");
  std::vector<int> seen;
  world.After(2 * kMs, kNoOwner, [&] { seen.push_back(3); });
  world.After(kMs, kNoOwner, [&] {
    seen.push_back(1);
    world.After(kMs, kNoOwner, [&] { seen.push_back(4); });
  });
  world.After(kMs, kNoOwner, [&] { seen.push_back(2); });
  world.RunUntil(10 * kMs);
  EXPECT_EQ((std::vector<int>{1, 2, 3, 4}), seen);
  EXPECT_EQ(10 * kMs, world.now_ns());
}

TEST(World, WhatIsPlannedInheritsItsCause) {
  World world("world_test");
  uint64_t inner = 99;
  {
    const World::CauseScope scope(world, 7);
    world.After(kMs, kNoOwner, [&] { world.After(kMs, kNoOwner, [&] { inner = world.cause(); }); });
  }
  EXPECT_EQ(kNoCause, world.cause());
  world.RunOut();
  EXPECT_EQ(7u, inner);
}

TEST(World, AwaitLetsTimePassUntilItIsReadyOrOver) {
  World world("world_test");
  bool done = false;
  world.After(3 * kMs, kNoOwner, [&] { done = true; });
  EXPECT_FALSE(world.Await(kMs, [&] { return done; }));
  EXPECT_EQ(kMs, world.now_ns());
  EXPECT_TRUE(world.Await(-1, [&] { return done; }));
  EXPECT_EQ(3 * kMs, world.now_ns());
}

TEST(SimRuntime, ATimerIsNeverEarlyAndRunsUnlessCancelled) {
  World world("world_test");
  SimRuntime runtime(world, {}, Rng(1));
  const int64_t begun_ns = runtime.clock().MonotonicNs();
  int64_t ran_ns = 0;
  bool cancelled_ran = false;
  runtime.timers().After(kS, [&] { ran_ns = runtime.clock().MonotonicNs(); });
  const TimerId id = runtime.timers().After(kS, [&] { cancelled_ran = true; });
  EXPECT_TRUE(runtime.timers().Cancel(id));
  EXPECT_FALSE(runtime.timers().Cancel(id));
  EXPECT_FALSE(runtime.timers().Cancel(0));
  world.RunOut();
  EXPECT_GE(ran_ns, begun_ns + kS);
  EXPECT_FALSE(cancelled_ran);
}

TEST(SimRuntime, StopRunsWhatWasPostedAndDropsTimersAndWhatComesLater) {
  World world("world_test");
  SimRuntime runtime(world, {}, Rng(1));
  const auto held = std::make_shared<int>(0);
  int ran = 0;
  runtime.executor().Post([&ran, held] { ++ran; });
  runtime.executor().PostBlocking([&ran, held] { ++ran; });
  runtime.timers().After(kS, [&ran, held] { ran += 100; });
  runtime.Stop();
  EXPECT_EQ(2, ran);
  runtime.executor().Post([&ran, held] { ran += 100; });
  EXPECT_EQ(0u, runtime.timers().After(kS, [&ran, held] { ran += 100; }));
  world.RunOut();
  EXPECT_EQ(2, ran);
  EXPECT_EQ(1, held.use_count());
}

TEST(SimRuntime, AwaitLetsOthersActMeanwhile) {
  World world("world_test");
  SimRuntime runtime(world, {}, Rng(1));
  std::mutex mutex;
  Condition condition;
  bool done = false;
  world.After(kMs, kNoOwner, [&] {
    std::lock_guard lock(mutex);
    done = true;
  });
  std::unique_lock lock(mutex);
  EXPECT_TRUE(runtime.Await(condition, lock, -1, [&] { return done; }));
  EXPECT_TRUE(lock.owns_lock());
  EXPECT_EQ(kMs, world.now_ns());
}

}  // namespace
}  // namespace cohort::sim
