// An alarm rings once, at the earliest time that it was set to.
#include "runtime/alarm.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "cluster/fakes.h"

namespace cohort {
namespace {

constexpr int64_t kMs = 1'000'000;

class AlarmTest : public testing::Test {
 protected:
  int64_t In(int64_t ms) { return runtime_.clock().MonotonicNs() + ms * kMs; }
  void Set(int64_t due_ns, int name) {
    alarm_.Set(due_ns, [this, name](uint64_t set) {
      if (alarm_.HasRung(set)) rung_.push_back(name);
    });
  }

  FakeRuntime runtime_;
  Alarm alarm_{runtime_};
  std::vector<int> rung_;
};

TEST_F(AlarmTest, AnEarlierTimeTakesThePlaceOfALater) {
  EXPECT_TRUE(alarm_.IsLate(In(50)));
  Set(In(50), 1);
  EXPECT_FALSE(alarm_.IsLate(In(50)));
  EXPECT_TRUE(alarm_.IsLate(In(20)));
  Set(In(20), 2);
  runtime_.Pass(20);
  EXPECT_EQ(rung_, std::vector<int>{2});
  EXPECT_TRUE(alarm_.IsLate(In(1'000))) << "none is set";
  runtime_.Pass(100);
  EXPECT_EQ(rung_, std::vector<int>{2});
}

TEST_F(AlarmTest, WhatRingsTooLateToBeCancelledLeavesTheNextOneSet) {
  const int64_t due_ns = In(50);
  alarm_.Set(due_ns, [&](uint64_t set) {
    Set(due_ns, 2);  // By another thread, which had the lock first.
    if (alarm_.HasRung(set)) rung_.push_back(1);
    EXPECT_FALSE(alarm_.IsLate(due_ns));
  });
  runtime_.Pass(50);
  EXPECT_EQ(rung_, std::vector<int>{2});
  EXPECT_EQ(runtime_.timers_armed(), 0u);
}

}  // namespace
}  // namespace cohort
