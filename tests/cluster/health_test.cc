// Health: when a peer is not asked, when one call tries, and what ends the pause.
#include "cluster/health.h"

#include <gtest/gtest.h>

#include "cluster/fakes.h"

namespace cohort {
namespace {

class HealthTest : public testing::Test {
 protected:
  void Fail(int times) {
    for (int i = 0; i < times; ++i) {
      const auto permit = health_.Ask();
      ASSERT_TRUE(permit.ok());
      health_.Report(*permit, refused_);
    }
  }
  // How long the pause is from now, by trying: in steps of 10 ms.
  int64_t PauseMs() {
    int64_t waited_ms = 0;
    for (;;) {
      const auto permit = health_.Ask();
      if (permit.ok()) {
        health_.Report(*permit, refused_);
        return waited_ms;
      }
      clock_.Advance(10);
      waited_ms += 10;
    }
  }

  FakeClock clock_;
  FakeRandom random_;
  Health health_{"10.0.0.7:8080", {5, 500, 10'000}, clock_, random_};
  const Status refused_{Code::kUnreachable, "connection refused"};
  const Status slow_{Code::kTimeout, "no answer in 1000 ms"};
};

TEST_F(HealthTest, FailuresInARowOpenTheBreaker) {
  random_.next = 170;  // Of 0..250 ms above the half.
  Fail(4);
  EXPECT_TRUE(health_.Ask().ok());
  health_.Report(0, slow_);
  const auto refused = health_.Ask();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), Code::kUnreachable);
  EXPECT_EQ(refused.status().message(),
            "peer 10.0.0.7:8080 is not asked for another 0.5 s after 5 failures (last: no answer in 1000 ms)");
}

TEST_F(HealthTest, ASuccessBetweenThemKeepsItClosed) {
  Fail(4);
  health_.Report(0, Status());
  Fail(4);
  EXPECT_TRUE(health_.Ask().ok());
}

TEST_F(HealthTest, WhatSaysNothingAboutThePeerCountsAsNothing) {
  Fail(4);
  for (const Code code : {Code::kCancelled, Code::kClosed, Code::kTooLarge, Code::kNoMemory}) {
    health_.Report(0, Status(code, "not the peer's fault"));
  }
  EXPECT_TRUE(health_.Ask().ok());
  Fail(1);
  EXPECT_FALSE(health_.Ask().ok());
}

TEST_F(HealthTest, OneCallTriesWhenThePauseIsOver) {
  Fail(5);
  clock_.Advance(500);
  const auto trial = health_.Ask();
  ASSERT_TRUE(trial.ok());
  EXPECT_NE(*trial, 0u);
  EXPECT_EQ(health_.Ask().status().message(),
            "peer 10.0.0.7:8080 is not asked until a trial under way has ended, after 5 failures (last: connection "
            "refused)");
  health_.Report(*trial, Status());
  EXPECT_EQ(*health_.Ask(), 0u);
}

TEST_F(HealthTest, EachFailedTrialDoublesThePauseUpToTheMost) {
  random_.next = 0;  // Half of each pause.
  Fail(5);
  const std::vector<int64_t> expected = {250, 500, 1000, 2000, 4000, 5000, 5000};
  for (const int64_t pause_ms : expected) EXPECT_EQ(PauseMs(), pause_ms);
}

TEST_F(HealthTest, JitterSpreadsThePauseOverItsUpperHalf) {
  random_.next = 250;
  Fail(5);
  random_.next = 300;
  EXPECT_EQ(PauseMs(), 500);  // 250 + 250 % 251
  EXPECT_EQ(PauseMs(), 800);  // 500 + 300 % 501
}

TEST_F(HealthTest, AnAnswerStartsThePausesAnew) {
  Fail(5);
  EXPECT_EQ(PauseMs(), 250);
  EXPECT_EQ(PauseMs(), 500);
  clock_.Advance(10'000);
  health_.Report(*health_.Ask(), Status());
  Fail(5);
  EXPECT_EQ(PauseMs(), 250);
}

TEST_F(HealthTest, ACancelledTrialLeavesItsPlaceToTheNext) {
  Fail(5);
  clock_.Advance(500);
  const auto trial = health_.Ask();
  health_.Report(*trial, Status(Code::kCancelled, ""));
  const auto next = health_.Ask();
  ASSERT_TRUE(next.ok());
  EXPECT_NE(*next, *trial);
  EXPECT_FALSE(health_.Ask().ok());
}

TEST_F(HealthTest, AnOldFailureDoesNotProlongThePause) {
  Fail(5);
  clock_.Advance(240);
  for (int i = 0; i < 20; ++i) health_.Report(0, refused_);
  clock_.Advance(10);
  const auto trial = health_.Ask();
  ASSERT_TRUE(trial.ok());
  health_.Report(0, refused_);  // Nor does it end the trial.
  EXPECT_FALSE(health_.Ask().ok());
  health_.Report(*trial, Status());
  EXPECT_TRUE(health_.Ask().ok());
}

TEST_F(HealthTest, AnOldAnswerProvesThatThePeerLives) {
  Fail(5);
  EXPECT_FALSE(health_.Ask().ok());
  health_.Report(0, Status());
  EXPECT_TRUE(health_.Ask().ok());
}

TEST(Health, ZeroFailuresMeanNoBreaker) {
  FakeClock clock;
  FakeRandom random;
  Health health("a:1", {0, 500, 10'000}, clock, random);
  for (int i = 0; i < 100; ++i) health.Report(0, Status(Code::kUnreachable, "no"));
  EXPECT_TRUE(health.Ask().ok());
}

}  // namespace
}  // namespace cohort
