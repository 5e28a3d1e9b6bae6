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

TEST(HostRequest, ItEndsBeforeItsHostHearsThatNobodyWaits) {
  FakeClock clock;
  const std::shared_ptr<EventQueue> queue = *EventQueue::New();
  const auto call = std::make_shared<HostCall>();
  call->clock = &clock;
  PeerAnswer end;
  size_t heard = 0;
  call->get_done = [&](PeerAnswer answer) -> int64_t {
    end = std::move(answer);
    heard = queue->Take(1, 0).size();
    return 0;
  };
  HostRequest request(call);
  EXPECT_TRUE(request.Watch(queue, 7).ok());
  call->GiveUp(Code::kTimeout, Status(Code::kTimeout, "too late"));
  EXPECT_EQ(end.status.code(), Code::kTimeout);
  EXPECT_EQ(heard, 0U) << "a host that fails the request because of the news would have been first";
  const auto news = queue->Take(1, 0);
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0]->kind, EventKind::kCancel);
  EXPECT_EQ(news[0]->tag, 7U);
  EXPECT_EQ(news[0]->status, static_cast<int32_t>(Code::kTimeout));
  EXPECT_EQ(request.Fail(Status(Code::kRemoteFailed, "cancelled"), 1), 0);
  EXPECT_EQ(end.status.code(), Code::kTimeout);
}

}  // namespace
}  // namespace cohort
