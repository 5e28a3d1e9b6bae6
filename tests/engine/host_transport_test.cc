// What the host of a custom transport is told about a request.
#include "engine/host_transport.h"

#include <gtest/gtest.h>

#include "cluster/fakes.h"

namespace cohort {
namespace {

TEST(HostRequest, TheTimeLeftIsRoundedUpSoThatNoPeerGivesUpFirst) {
  FakeClock clock;
  const auto call = std::make_shared<HostCall>();
  call->op = HostOp::kRemove;
  call->ack_done = [](const Status&) {};
  call->clock = &clock;
  call->deadline_ns = clock.MonotonicNs() + 100'000'000;
  const HostRequest request(call);
  EXPECT_EQ(request.TimeLeftMs(), 100);
  clock.monotonic_ns += 1;
  EXPECT_EQ(request.TimeLeftMs(), 100);
  clock.monotonic_ns += 99'999'998;
  EXPECT_EQ(request.TimeLeftMs(), 1);
  clock.monotonic_ns += 1;
  EXPECT_EQ(request.TimeLeftMs(), 0);
  clock.Advance(1);
  EXPECT_EQ(request.TimeLeftMs(), 0);
}

}  // namespace
}  // namespace cohort
