// What an owner does for an asker with a session: nothing slow holds up a batch, and nothing that was promised is lost.
#include <gtest/gtest.h>

#include "cluster/extension.h"
#include "cluster/fake_group.h"
#include "cluster/fakes.h"
#include "cluster/service.h"
#include "wire/messages.h"

namespace cohort {
namespace {

class ServedTickets : public testing::Test {
 protected:
  struct Got {
    int times = 0;
    std::vector<wire::BatchAnswer> answers;
    uint64_t incarnation = 0;
  };

  ServedTickets() {
    groups_->group = group_;
    runtime_.random().next = 1000;
    session_.id = 77;
  }
  ~ServedTickets() override {
    while (!group_->held.empty()) End(group_->held.front().first);
  }

  std::shared_ptr<Got> Post(const std::string& name, const std::string& body) {
    auto got = std::make_shared<Got>();
    Request request;
    request.method = "POST";
    request.target = "/_groupcache/_cohort/" + name;
    request.body = body;
    request.headers = {{"Cohort", "2"}, {"Cohort-Timeout-Ms", "10000"}};
    request.timeout_ms = 60'000;
    service_.Handle(std::move(request), [got](ServedResponse served) {
      const Response response = std::move(served).Whole();
      ++got->times;
      EXPECT_EQ(response.status, 200) << response.body;
      auto answers = wire::DecodeBatchAnswers(response.body, &got->incarnation);
      ASSERT_TRUE(answers.ok());
      got->answers = std::move(*answers);
    });
    return got;
  }
  std::shared_ptr<Got> Batch(const std::vector<std::string>& keys, int64_t timeout_ms = 20'000) {
    std::vector<wire::BatchEntry> entries;
    for (const std::string& key : keys) entries.push_back({wire::BatchOp::kGet, "g", key, "", -1, timeout_ms});
    return Post("batch", wire::EncodeBatch(entries, session_));
  }
  std::shared_ptr<Got> Collect(int64_t wait_ms = 5000) {
    auto got = Post("collect", wire::EncodeCollect(session_, wait_ms));
    session_.received.clear();
    session_.dropped.clear();
    return got;
  }
  // A batch of one held key, whose ticket this is.
  uint64_t TicketOf(const std::string& key) {
    auto got = Batch({key});
    runtime_.Pass(3);
    EXPECT_EQ(got->times, 1);
    return got->answers.at(0).ticket;
  }
  void End(const std::string& key, bool keep = true) {
    for (auto at = group_->held.begin(); at != group_->held.end(); ++at) {
      if (at->first != key) continue;
      auto done = std::move(at->second);
      group_->held.erase(at);
      return done({Status(), Value::Copy(key, "v:" + key, 0), keep});
    }
    FAIL() << key << " is not held";
  }

  FakeRuntime runtime_;
  std::shared_ptr<FakeGroup> group_ = std::make_shared<FakeGroup>(runtime_.clock());
  std::shared_ptr<FakeGroups> groups_ = std::make_shared<FakeGroups>();
  Service service_{"/_groupcache/", groups_, runtime_};
  wire::Session session_;
};

TEST_F(ServedTickets, WhatIsReadyIsAnsweredAtOnce) {
  auto got = Batch({"a", "missing", "fail"});
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->answers[0].value, "n1:a");
  EXPECT_EQ(got->answers[1].code, Code::kNotFound);
  EXPECT_EQ(got->answers[2].code, Code::kRemoteFailed);
  EXPECT_EQ(group_->last_timeout_ms, 20'000) << "the entry's own time, not the request's";
  EXPECT_EQ(runtime_.timers_armed(), 0u);
}

TEST_F(ServedTickets, ALoadThatEndsWithinTheMomentNeedsNoTicket) {
  auto got = Batch({"held", "a"});
  runtime_.Pass(2);
  EXPECT_EQ(got->times, 0);
  End("held");
  ASSERT_EQ(got->times, 1);
  EXPECT_EQ(got->answers[0].value, "v:held");
  EXPECT_EQ(got->answers[0].ticket, 0u);
  runtime_.Pass(10);
  EXPECT_EQ(got->times, 1);
}

TEST_F(ServedTickets, ASlowKeyDoesNotHoldUpItsBatch) {
  auto got = Batch({"a", "held", "fail"});
  EXPECT_EQ(got->times, 0);
  runtime_.Pass(3);
  ASSERT_EQ(got->times, 1);
  EXPECT_EQ(got->answers[0].value, "n1:a");
  EXPECT_EQ(got->answers[2].code, Code::kRemoteFailed);
  const uint64_t ticket = got->answers[1].ticket;
  ASSERT_NE(ticket, 0u);

  auto collected = Collect();
  EXPECT_EQ(collected->times, 0);
  End("held", false);
  ASSERT_EQ(collected->times, 1);
  ASSERT_EQ(collected->answers.size(), 1u);
  EXPECT_EQ(collected->answers[0].ticket, ticket);
  EXPECT_EQ(collected->answers[0].value, "v:held");
  EXPECT_FALSE(collected->answers[0].keep) << "a Remove or Set overtook it";
  EXPECT_EQ(collected->incarnation, got->incarnation);
  EXPECT_NE(collected->incarnation, 0u);
}

TEST_F(ServedTickets, TicketsThatAreGivenWhileACollectWaitsAreCoveredByIt) {
  TicketOf("held1");
  auto collected = Collect();
  const uint64_t later = TicketOf("held2");
  End("held2");
  ASSERT_EQ(collected->times, 1);
  ASSERT_EQ(collected->answers.size(), 1u);
  EXPECT_EQ(collected->answers[0].ticket, later);
}

TEST_F(ServedTickets, AnAnswerStaysUntilItIsAcknowledged) {
  const uint64_t ticket = TicketOf("held");
  End("held");
  for (int i = 0; i < 3; ++i) {  // Their responses are lost.
    auto collected = Collect();
    ASSERT_EQ(collected->times, 1);
    ASSERT_EQ(collected->answers.size(), 1u);
    EXPECT_EQ(collected->answers[0].value, "v:held");
  }
  session_.received = {ticket};
  auto collected = Collect(100);
  EXPECT_EQ(collected->times, 0);
  runtime_.Pass(100);
  EXPECT_EQ(collected->times, 1);
  EXPECT_TRUE(collected->answers.empty());
}

TEST_F(ServedTickets, ABatchAcknowledgesToo) {
  const uint64_t ticket = TicketOf("held");
  End("held");
  session_.received = {ticket};
  Batch({"a"});
  session_.received.clear();
  auto collected = Collect(100);
  EXPECT_EQ(collected->times, 0);
  runtime_.Pass(100);
  EXPECT_TRUE(collected->answers.empty());
}

TEST_F(ServedTickets, ACollectEndsWithNothingAfterItsTime) {
  TicketOf("held");
  auto collected = Collect(5000);
  runtime_.Pass(4999);
  EXPECT_EQ(collected->times, 0);
  runtime_.Pass(1);
  EXPECT_EQ(collected->times, 1);
  auto absurd = Collect(int64_t{1} << 60);
  runtime_.Pass(7'499);
  EXPECT_EQ(absurd->times, 0);
  runtime_.Pass(1);
  EXPECT_EQ(absurd->times, 1) << "well before the request's own time is over";
}

TEST_F(ServedTickets, ALaterCollectTakesThePlaceOfAnEarlierOne) {
  TicketOf("held");
  auto first = Collect();
  auto second = Collect();
  EXPECT_EQ(first->times, 1);
  EXPECT_TRUE(first->answers.empty());
  EXPECT_EQ(second->times, 0);
  End("held");
  EXPECT_EQ(second->times, 1);
  EXPECT_EQ(second->answers.size(), 1u);
  runtime_.Pass(60'000);
  EXPECT_EQ(first->times, 1);
  EXPECT_EQ(second->times, 1);
}

TEST_F(ServedTickets, P6ADroppedTicketEndsTheWait) {
  const uint64_t ticket = TicketOf("held");
  auto waiting = Collect();
  session_.dropped = {ticket, 12345};
  auto told = Collect(0);
  EXPECT_EQ(told->times, 1) << "who does not wait is answered at once";
  EXPECT_TRUE(told->answers.empty());
  EXPECT_EQ(group_->cancelled, (std::vector<uint64_t>{1}));
  End("held");  // Its end is nobody's.
  EXPECT_EQ(waiting->times, 0);
  runtime_.Pass(5000);
  EXPECT_EQ(waiting->times, 1);
  EXPECT_TRUE(waiting->answers.empty());
}

TEST_F(ServedTickets, P6AKeyThatIsDroppedAndAskedForAtOnceIsNeverWithoutAWaiter) {
  session_.dropped = {TicketOf("held")};
  Batch({"held"});
  EXPECT_EQ(group_->cancelled, std::vector<uint64_t>{1});
  EXPECT_EQ(group_->held_when_cancelled, 2u) << "the new wait came first";
}

TEST_F(ServedTickets, AnUnknownSessionHasNoIncarnation) {
  auto collected = Collect();
  EXPECT_EQ(collected->times, 1);
  EXPECT_EQ(collected->incarnation, 0u);
  EXPECT_TRUE(collected->answers.empty());
}

TEST_F(ServedTickets, ASessionIsForgottenWithItsWaitsWhenItsAskerIsSilent) {
  TicketOf("held");
  auto collected = Collect(5000);
  const uint64_t before = collected->incarnation;
  runtime_.Pass(5000);
  runtime_.Pass(29'000);
  service_.Sweep();
  EXPECT_TRUE(group_->cancelled.empty());
  runtime_.Pass(2'000);
  runtime_.random().next = 2000;
  service_.Sweep();
  EXPECT_EQ(group_->cancelled.size(), 1u);
  EXPECT_EQ(Collect()->incarnation, 0u);
  EXPECT_NE(Batch({"a"})->incarnation, before);
}

TEST_F(ServedTickets, AnAskerThatWaitsIsKept) {
  TicketOf("held");
  auto collected = Collect(7'000);
  runtime_.Pass(6'999);
  service_.Sweep();
  End("held");
  EXPECT_EQ(collected->answers.size(), 1u);
}

TEST_F(ServedTickets, WhatIsTooLargeToWaitIsAskedForAlone) {
  std::vector<std::string> keys;
  for (int i = 0; i < 5; ++i) keys.push_back("held" + std::to_string(i));
  Batch(keys);
  runtime_.Pass(3);
  for (const std::string& key : keys) {
    auto done = std::move(group_->held.front().second);
    group_->held.erase(group_->held.begin());
    done({Status(), Value::Copy(key, std::string(size_t{20} << 20, 'x'), 0), true});
  }
  std::vector<Code> codes;
  for (int i = 0; i < 6 && codes.size() < 5; ++i) {
    auto collected = Collect();
    ASSERT_EQ(collected->times, 1);
    size_t bytes = 0;
    for (const wire::BatchAnswer& answer : collected->answers) {
      codes.push_back(answer.code);
      bytes += answer.value.size();
      session_.received.push_back(answer.ticket);
    }
    EXPECT_LE(bytes, size_t{32} << 20) << "a response is bounded";
  }
  EXPECT_EQ(codes, (std::vector<Code>{Code::kOk, Code::kOk, Code::kOk, Code::kTooLarge, Code::kTooLarge}));
}

TEST_F(ServedTickets, AShutdownCanAwaitThatWhatIsReadyIsCollected) {
  const uint64_t ticket = TicketOf("held1");
  TicketOf("held2");
  EXPECT_TRUE(service_.AwaitCollected(0)) << "loads are awaited elsewhere";
  End("held1");
  EXPECT_FALSE(service_.AwaitCollected(0));
  Collect();
  EXPECT_TRUE(service_.AwaitCollected(0)) << "a response carries it";
  session_.received = {ticket};
  Collect();
  End("held2");
  EXPECT_TRUE(service_.AwaitCollected(0)) << "the one that waited did";
  TicketOf("held3");
  End("held3");
  EXPECT_FALSE(service_.AwaitCollected(0));
  runtime_.Pass(31'000);
  service_.Sweep();
  EXPECT_TRUE(service_.AwaitCollected(0)) << "nobody will collect it";
}

TEST_F(ServedTickets, WithoutASessionAllAreWaitedFor) {
  session_.id = 0;
  auto got = Batch({"a", "held"});
  EXPECT_EQ(group_->last_timeout_ms, 10'000) << "the request's time bounds the entries'";
  runtime_.Pass(1000);
  EXPECT_EQ(got->times, 0);
  End("held");
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->incarnation, 0u);
}

TEST_F(ServedTickets, P10NonsenseIsRefused) {
  Request request;
  request.method = "POST";
  request.target = "/_groupcache/_cohort/collect";
  request.body = "\xff";
  int status = 0;
  service_.Handle(std::move(request), [&](const ServedResponse& response) { status = response.status; });
  EXPECT_EQ(status, 400);
  session_.id = 0;
  EXPECT_EQ(Collect()->times, 1);
}

}  // namespace
}  // namespace cohort
