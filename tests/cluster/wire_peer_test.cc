// The wire peer: what it sends, what it makes of each answer, and what it learns about the peer on the way.
#include "cluster/wire_peer.h"

#include <gtest/gtest.h>

#include "cluster/fakes.h"
#include "wire/messages.h"
#include "wire/vectors.h"

namespace cohort {
namespace {

using namespace std::string_literals;

const Headers kFromCohort = {{"cohort", "1"}};

class WirePeerTest : public testing::Test {
 protected:
  struct Got {
    int times = 0;
    PeerAnswer answer;
  };
  struct Acked {
    int times = 0;
    Status status;
  };

  WirePeerTest() { Make({}); }
  ~WirePeerTest() override {
    // A call that is open holds its peer.
    while (!channel_->open.empty()) channel_->Answer(Status(Code::kClosed, "closed"));
  }

  void Make(WirePeerOptions options) {
    options.base_path = "/_groupcache/";
    channel_ = std::make_shared<FakeChannel>();
    peer_ = NewWirePeer("10.0.0.7:8080", channel_, options, runtime_);
  }

  std::shared_ptr<Got> Get(std::string_view key, int64_t timeout_ms = 1000) {
    auto got = std::make_shared<Got>();
    last_get_ = peer_->Get("g", key, timeout_ms, [got](PeerAnswer answer) -> int64_t {
      ++got->times;
      got->answer = std::move(answer);
      return 0;
    });
    return got;
  }
  // A get of "k" that is answered so.
  PeerAnswer GetAnswered(int status, const std::string& body, Headers headers = {}) {
    auto got = Get("k");
    channel_->Answer(status, body, std::move(headers));
    EXPECT_EQ(got->times, 1);
    return got->answer;
  }
  std::pair<std::shared_ptr<Acked>, Peer::AckDone> Ack() {
    auto acked = std::make_shared<Acked>();
    return {acked, [acked](Status status) {
              ++acked->times;
              acked->status = std::move(status);
            }};
  }
  std::shared_ptr<Acked> Remove(std::string_view key) {
    auto [acked, done] = Ack();
    peer_->Remove("g", key, 1000, std::move(done));
    return acked;
  }
  std::shared_ptr<Acked> RemoveKeys(const std::vector<std::string>& keys) {
    auto [acked, done] = Ack();
    peer_->RemoveKeys("g", keys, 1000, std::move(done));
    return acked;
  }
  std::shared_ptr<Acked> Set(std::string_view key, std::string_view value, int64_t expire_unix_ns, bool to_owner) {
    auto [acked, done] = Ack();
    peer_->Set("g", key, Value::Copy(key, value, expire_unix_ns), to_owner, 1000, std::move(done));
    return acked;
  }
  void BecomeCohort() {
    GetAnswered(404, "", kFromCohort);
    channel_->requests.clear();
  }
  void BecomeGo() {
    GetAnswered(404, "");
    channel_->requests.clear();
  }
  const Request& LastRequest() { return channel_->requests.back(); }
  std::vector<wire::BatchEntry> LastBatch() {
    EXPECT_EQ(LastRequest().method, "POST");
    EXPECT_EQ(LastRequest().target, "/_groupcache/_cohort/batch");
    auto entries = wire::DecodeBatch(LastRequest().body);
    EXPECT_TRUE(entries.ok());
    return *entries;
  }

  const std::string long_key_ = std::string(3000, '\xff');  // 9,000 bytes when escaped.
  FakeRuntime runtime_;
  std::shared_ptr<FakeChannel> channel_;
  std::shared_ptr<Peer> peer_;
  Peer::CallId last_get_ = 0;
};

TEST_F(WirePeerTest, AGetIsWhatGroupcacheGoSendsAndOurHeaders) {
  auto got = Get("a/b", 1500);
  const Request& request = LastRequest();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/_groupcache/g/a%2Fb");
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.timeout_ms, 1500);
  EXPECT_EQ(HeaderOf(request.headers, "Cohort"), "2");
  EXPECT_EQ(HeaderOf(request.headers, "Cohort-Timeout-Ms"), "1500");
  EXPECT_EQ(got->times, 0);
  channel_->Answer(404);
  Get("k", 0);
  EXPECT_EQ(LastRequest().timeout_ms, 60'000) << "the default";
}

TEST_F(WirePeerTest, A200IsAValueOfThatKey) {
  const PeerAnswer answer = GetAnswered(200, wire::EncodeGetResponse("v\xff", 0));
  ASSERT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.value->key(), "k");
  EXPECT_EQ(answer.value->bytes(), "v\xff");
  EXPECT_EQ(answer.value->expire_unix_ns(), 0);
  EXPECT_TRUE(answer.keep);
}

TEST_F(WirePeerTest, A404And503AreFinalAndCarryTheOwnersWords) {
  PeerAnswer answer = GetAnswered(404, "not found: k\n");
  EXPECT_EQ(answer.status.code(), Code::kNotFound);
  EXPECT_EQ(answer.status.message(), "not found: k");
  answer = GetAnswered(503, "load\nfailed\n\n");
  EXPECT_EQ(answer.status.code(), Code::kRemoteFailed);
  EXPECT_EQ(answer.status.message(), "load\nfailed");
}

TEST_F(WirePeerTest, AnyOtherAnswerMeansLoadItHere) {
  PeerAnswer answer = GetAnswered(500, "this node is closing\nmore");
  EXPECT_EQ(answer.status.code(), Code::kUnreachable);
  EXPECT_EQ(answer.status.message(), "peer 10.0.0.7:8080 answered 500: this node is closing");
  EXPECT_EQ(GetAnswered(414, "").status.message(), "peer 10.0.0.7:8080 answered 414");
  EXPECT_EQ(GetAnswered(204, "").status.code(), Code::kUnreachable);
  answer = GetAnswered(200, "\xff\xff");
  EXPECT_EQ(answer.status.code(), Code::kUnreachable);
  EXPECT_EQ(answer.status.message(),
            "peer 10.0.0.7:8080 answered something unreadable: proto: cannot parse invalid wire-format data");
}

TEST_F(WirePeerTest, NoAnswerKeepsItsReasonAndNamesThePeer) {
  auto got = Get("k");
  channel_->Answer(Status(Code::kTimeout, "no answer in 1000 ms"));
  EXPECT_EQ(got->answer.status.code(), Code::kTimeout);
  EXPECT_EQ(got->answer.status.message(), "peer 10.0.0.7:8080: no answer in 1000 ms");
  got = Get("k");
  channel_->Answer(Status(Code::kUnreachable, "peer 10.0.0.7:8080 refused the connection"));
  EXPECT_EQ(got->answer.status.message(), "peer 10.0.0.7:8080 refused the connection");
}

TEST_F(WirePeerTest, ACohortPeersLifeCountsOnOurClock) {
  // The peer's clock is a day ahead, and does not matter.
  const std::string body = wire::EncodeGetResponse("v", kStartUnixNs + 86'400 * kSecondNs);
  PeerAnswer answer = GetAnswered(200, body, {{"Cohort", "1"}, {"Cohort-Life-Ms", "2500"}});
  EXPECT_EQ(answer.value->expire_unix_ns(), kStartUnixNs + 2'500'000'000);
  EXPECT_TRUE(answer.keep);
  answer = GetAnswered(200, body, {{"Cohort", "1"}, {"Cohort-Life-Ms", "0"}});
  EXPECT_FALSE(answer.keep);
  answer = GetAnswered(200, body, {{"Cohort", "1"}, {"Cohort-Life-Ms", "-1"}});
  EXPECT_EQ(answer.value->expire_unix_ns(), kStartUnixNs + 86'400 * kSecondNs) << "garbage is ignored";
}

TEST_F(WirePeerTest, AGoPeersExpiryIsCorrectedByItsDateBeyondTwoSeconds) {
  // The clock stands at Tue, 14 Nov 2023 22:13:20 GMT.
  const auto expire_s = [&](int64_t after_s, const char* date) {
    const PeerAnswer answer =
        GetAnswered(200, wire::EncodeGetResponse("v", kStartUnixNs + after_s * kSecondNs), {{"Date", date}});
    return (answer.value->expire_unix_ns() - kStartUnixNs) / kSecondNs;
  };
  EXPECT_EQ(expire_s(10, "Tue, 14 Nov 2023 22:13:20 GMT"), 10);
  EXPECT_EQ(expire_s(10, "Tue, 14 Nov 2023 22:13:22 GMT"), 10);
  EXPECT_EQ(expire_s(3610, "Tue, 14 Nov 2023 23:13:20 GMT"), 10);
  EXPECT_EQ(expire_s(-3590, "Tue, 14 Nov 2023 21:13:20 GMT"), 9);
  EXPECT_EQ(expire_s(10, "yesterday"), 10);
  const PeerAnswer never =
      GetAnswered(200, wire::EncodeGetResponse("v", 0), {{"Date", "Tue, 14 Nov 2023 23:13:20 GMT"}});
  EXPECT_EQ(never.value->expire_unix_ns(), 0);
}

TEST_F(WirePeerTest, P2WhatHasExpiredIsHandedOutAndKeptNowhere) {
  for (const char* date : {"Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2000 22:13:20 GMT", "*"}) {
    const PeerAnswer answer = GetAnswered(200, wire::EncodeGetResponse("old", 1), {{"Date", date}});
    ASSERT_TRUE(answer.status.ok());
    EXPECT_EQ(answer.value->bytes(), "old");
    EXPECT_FALSE(answer.keep) << date;
  }
}

TEST_F(WirePeerTest, FailuresOpenTheBreakerAndAnAnswerClosesIt) {
  for (int i = 0; i < 5; ++i) {
    Get("k");
    channel_->Answer(Status(Code::kUnreachable, "connection refused"));
  }
  auto refused = Get("k");
  EXPECT_EQ(refused->times, 1) << "at once";
  EXPECT_EQ(refused->answer.status.code(), Code::kUnreachable);
  EXPECT_EQ(refused->answer.status.message(),
            "peer 10.0.0.7:8080 is not asked for another 0.3 s after 5 failures (last: peer 10.0.0.7:8080: connection "
            "refused)");
  EXPECT_EQ(Remove("k")->status.code(), Code::kUnreachable);
  EXPECT_EQ(channel_->requests.size(), 5u);

  runtime_.clock().Advance(250);
  auto trial = Get("k");
  EXPECT_EQ(Get("other")->times, 1) << "one trial at a time";
  channel_->Answer(500, "busy\n");  // It lives.
  EXPECT_EQ(trial->times, 1);
  EXPECT_EQ(Get("k")->times, 0);
  EXPECT_EQ(channel_->open.size(), 1u);
}

TEST_F(WirePeerTest, AnswersOfAnyStatusAndCancelledCallsAreNoFailures) {
  for (int i = 0; i < 20; ++i) {
    GetAnswered(i % 2 == 0 ? 500 : 400, "");
    Get("k");
    channel_->Answer(Status(Code::kCancelled, "cancelled"));
  }
  EXPECT_EQ(Get("k")->times, 0);
}

TEST_F(WirePeerTest, AnImpatientCallersTimeoutIsNoFailureAndAPatientOnesIs) {
  for (int i = 0; i < 20; ++i) {
    Get("k", 4'999);
    channel_->Answer(Status(Code::kTimeout, "no answer in 4999 ms"));
  }
  for (int i = 0; i < 5; ++i) {
    auto got = Get("k", 5'000);
    ASSERT_EQ(got->times, 0) << i;
    channel_->Answer(Status(Code::kTimeout, "no answer in 5000 ms"));
  }
  EXPECT_EQ(Get("k", 5'000)->times, 1);
}

TEST_F(WirePeerTest, TheOptionsShapeTheBreaker) {
  WirePeerOptions options;
  options.breaker_failures = 1;
  options.breaker_min_open_ms = 4'200;
  options.default_timeout_ms = 5'077;
  Make(options);
  runtime_.random().next = 2'100;
  Get("k", 0);
  EXPECT_EQ(LastRequest().timeout_ms, 5'077);
  channel_->Answer(Status(Code::kTimeout, "late"));
  EXPECT_EQ(Get("k")->answer.status.message(),
            "peer 10.0.0.7:8080 is not asked for another 4.2 s after 1 failures (last: peer 10.0.0.7:8080: late)");
}

TEST_F(WirePeerTest, CancelReachesTheChannel) {
  auto got = Get("k");
  peer_->Cancel(last_get_);
  EXPECT_EQ(channel_->cancelled, (std::vector<PeerChannel::CallId>{channel_->open.front().id}));
  EXPECT_EQ(got->times, 0);
  channel_->Answer(Status(Code::kCancelled, "cancelled"));
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->answer.status.code(), Code::kCancelled);
  peer_->Cancel(last_get_);
  peer_->Cancel(12345);
  EXPECT_EQ(channel_->cancelled.size(), 1u) << "what has ended needs no cancelling";
}

TEST_F(WirePeerTest, ACancelDuringTheSendIsNotLost) {
  constexpr Peer::CallId kFirst = uint64_t{1} << 32;  // As slot_table.h numbers them.
  channel_->while_sending = [&] { peer_->Cancel(kFirst); };
  auto got = Get("k");
  ASSERT_EQ(last_get_, kFirst);
  EXPECT_EQ(channel_->cancelled, (std::vector<PeerChannel::CallId>{channel_->open.front().id}));
  channel_->Answer(Status(Code::kCancelled, "cancelled"));
  EXPECT_EQ(got->times, 1);
}

TEST_F(WirePeerTest, P4AFailureBeforeSendReturnsCompletesOnce) {
  channel_->fail_at_once = Status(Code::kClosed, "closed");
  auto got = Get("k");
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->answer.status.code(), Code::kClosed);
  auto acked = RemoveKeys({"a", "\xff", "\xfe"});
  EXPECT_EQ(acked->times, 1);
  EXPECT_EQ(acked->status.message(), "peer 10.0.0.7:8080 did not acknowledge 3 of 3 keys: peer 10.0.0.7:8080: closed");
}

TEST_F(WirePeerTest, ASetIsAPutThatGroupcacheGoUnderstands) {
  auto acked = Set("a/b", "v", kStartUnixNs + 1'500'900'000, true);
  const Request& request = LastRequest();
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/_groupcache/g/a%2Fb");
  EXPECT_EQ(request.body, wire::EncodeSetRequest("g", "a/b", "v", kStartUnixNs + 1'500'900'000));
  EXPECT_EQ(HeaderOf(request.headers, "Cohort"), "2");
  EXPECT_EQ(HeaderOf(request.headers, "Cohort-Life-Ms"), "1500");
  EXPECT_EQ(acked->times, 0);
  channel_->Answer(200);
  EXPECT_EQ(acked->times, 1);
  EXPECT_TRUE(acked->status.ok());
  Set("k", "v", 0, false);
  EXPECT_EQ(LastRequest().method, "PUT") << "whether the peer is a Cohort node is not known";
  EXPECT_EQ(HeaderOf(LastRequest().headers, "Cohort-Life-Ms"), "(none)");
  channel_->Answer(400, "proto: bad\n");
}

TEST_F(WirePeerTest, ASetTellsACohortPeerThatIsNotTheOwnerToForget) {
  BecomeCohort();
  auto acked = Set("k", "v", 0, false);
  EXPECT_EQ(LastRequest().method, "DELETE");
  EXPECT_EQ(LastRequest().target, "/_groupcache/g/k");
  channel_->Answer(200, "", kFromCohort);
  EXPECT_TRUE(acked->status.ok());
  Set("k", "v", 0, true);
  EXPECT_EQ(LastRequest().method, "PUT") << "the owner gets the value";
  channel_->Answer(200);  // Another program answers there now.
  Set("k", "v", 0, false);
  EXPECT_EQ(LastRequest().method, "PUT");
}

TEST_F(WirePeerTest, ARemoveThatIsNotAcknowledgedSaysWhy) {
  auto acked = Remove("k");
  EXPECT_EQ(LastRequest().method, "DELETE");
  channel_->Answer(500, "no group\n");
  EXPECT_EQ(acked->status.code(), Code::kUnreachable);
  EXPECT_EQ(acked->status.message(), "peer 10.0.0.7:8080 answered 500: no group");
  acked = Remove("k");
  channel_->Answer(404, "404 page not found\n");
  EXPECT_EQ(acked->status.message(), "peer 10.0.0.7:8080 answered 404: 404 page not found");
}

TEST_F(WirePeerTest, RemoveKeysIsOneRequestWithOneAcknowledgement) {
  auto acked = RemoveKeys({"a", "b/ü"});
  ASSERT_EQ(channel_->requests.size(), 1u);
  EXPECT_EQ(LastRequest().method, "POST");
  EXPECT_EQ(LastRequest().target, "/_groupcache/g/_remove-keys/");
  EXPECT_EQ(LastRequest().body, R"({"group":"g","keys":["a","b/ü"]})");
  channel_->Answer(200);
  EXPECT_EQ(acked->times, 1);
  EXPECT_TRUE(acked->status.ok());
  EXPECT_TRUE(RemoveKeys({})->status.ok());
  EXPECT_EQ(channel_->requests.size(), 1u);
}

TEST_F(WirePeerTest, KeysThatAreNotUtf8GoToAGoPeerOneByOne) {
  BecomeGo();
  auto acked = RemoveKeys({"a", "\xff", "b", "\xfe"});
  ASSERT_EQ(channel_->requests.size(), 3u);
  EXPECT_EQ(channel_->requests[0].body, R"({"group":"g","keys":["a","b"]})");
  EXPECT_EQ(channel_->requests[1].method, "DELETE");
  EXPECT_EQ(channel_->requests[1].target, "/_groupcache/g/%FF");
  EXPECT_EQ(channel_->requests[2].target, "/_groupcache/g/%FE");
  channel_->Answer(200);
  channel_->Answer(500, "busy\n");
  EXPECT_EQ(acked->times, 0) << "one acknowledgement, when all have ended";
  channel_->Answer(200);
  EXPECT_EQ(acked->times, 1);
  EXPECT_EQ(acked->status.message(),
            "peer 10.0.0.7:8080 did not acknowledge 1 of 4 keys: peer 10.0.0.7:8080 answered 500: busy");
}

TEST_F(WirePeerTest, KeysThatAreNotUtf8GoToACohortPeerInOneBatch) {
  BecomeCohort();
  auto acked = RemoveKeys({"a", "\xff", "\xfe"});
  ASSERT_EQ(channel_->requests.size(), 1u) << "one at a time";
  channel_->Answer(200, "", kFromCohort);
  ASSERT_EQ(channel_->requests.size(), 2u);
  const auto entries = LastBatch();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].op, wire::BatchOp::kRemove);
  EXPECT_EQ(entries[0].group, "g");
  EXPECT_EQ(entries[0].key, "\xff");
  std::vector<wire::BatchAnswer> answers(2);
  answers[1].code = Code::kUnreachable;
  answers[1].message = "this node has no group \"g\"";
  channel_->Answer(200, wire::EncodeBatchAnswers(answers), kFromCohort);
  EXPECT_EQ(acked->times, 1);
  EXPECT_EQ(acked->status.message(),
            "peer 10.0.0.7:8080 did not acknowledge 1 of 3 keys: peer 10.0.0.7:8080 answered: this node has no group "
            "\"g\"");
}

TEST_F(WirePeerTest, ManyKeysAreOneRequestIfTheyAreTextElseAFewAtATime) {
  BecomeGo();
  auto acked = RemoveKeys(std::vector<std::string>(100'000, "k"));
  EXPECT_EQ(channel_->requests.size(), 1u);
  channel_->Answer(200);
  EXPECT_TRUE(acked->status.ok());
  acked = RemoveKeys(std::vector<std::string>(17, std::string(1'000'000, 'k')));
  EXPECT_EQ(channel_->requests.size(), 3u) << "a body is bounded";
  for (int i = 0; i < 2; ++i) channel_->Answer(200);
  EXPECT_TRUE(acked->status.ok());
  channel_->requests.clear();
  acked = RemoveKeys(std::vector<std::string>(100, "\xff"));
  EXPECT_EQ(channel_->requests.size(), 16u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(acked->times, 0);
    channel_->Answer(200);
  }
  EXPECT_EQ(channel_->requests.size(), 100u);
  EXPECT_TRUE(acked->status.ok());
  EXPECT_EQ(acked->times, 1);
}

TEST_F(WirePeerTest, APeerThatIsGoneIsNotAskedForTheRest) {
  BecomeGo();
  auto acked = RemoveKeys(std::vector<std::string>(100, "\xff"));
  for (int i = 0; i < 16; ++i) channel_->Answer(Status(Code::kUnreachable, "connection reset"));
  EXPECT_EQ(channel_->requests.size(), 16u);
  EXPECT_EQ(acked->times, 1);
  EXPECT_EQ(acked->status.code(), Code::kUnreachable);
  EXPECT_EQ(acked->status.message(),
            "peer 10.0.0.7:8080 did not acknowledge 100 of 100 keys: peer 10.0.0.7:8080: connection reset");
}

TEST_F(WirePeerTest, OneTrialCarriesAllOrdersOfAnOperation) {
  for (int i = 0; i < 5; ++i) {
    Get("k");
    channel_->Answer(Status(Code::kUnreachable, "connection refused"));
  }
  runtime_.clock().Advance(500);
  auto acked = RemoveKeys({"a", "\xff", "\xfe"});
  EXPECT_EQ(channel_->open.size(), 1u) << "of a peer of which nothing is known";
  channel_->Answer(200);
  EXPECT_EQ(channel_->open.size(), 2u);
  for (int i = 0; i < 2; ++i) channel_->Answer(200);
  EXPECT_TRUE(acked->status.ok());
}

TEST_F(WirePeerTest, TheTimeOfAnOperationIsSharedByItsRequests) {
  BecomeGo();
  auto acked = RemoveKeys(std::vector<std::string>(17, "\xff"));
  runtime_.clock().Advance(400);
  channel_->Answer(200);
  EXPECT_EQ(LastRequest().timeout_ms, 600);
  EXPECT_EQ(channel_->requests.size(), 17u);
  for (int i = 0; i < 16; ++i) channel_->Answer(200);
  EXPECT_TRUE(acked->status.ok());

  channel_->requests.clear();
  acked = RemoveKeys(std::vector<std::string>(17, "\xff"));
  runtime_.clock().Advance(1000);
  for (int i = 0; i < 16; ++i) channel_->Answer(200);
  EXPECT_EQ(channel_->requests.size(), 16u);
  EXPECT_EQ(acked->times, 1);
  EXPECT_EQ(acked->status.code(), Code::kTimeout);
  EXPECT_EQ(acked->status.message(),
            "peer 10.0.0.7:8080 did not acknowledge 1 of 17 keys: peer 10.0.0.7:8080 had not answered in time");
}

TEST_F(WirePeerTest, LongKeysGoToACohortPeerInABatch) {
  BecomeCohort();
  auto got = Get(long_key_, 900);
  auto entries = LastBatch();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].op, wire::BatchOp::kGet);
  EXPECT_EQ(entries[0].key, long_key_);
  EXPECT_EQ(entries[0].timeout_ms, 900);
  std::vector<wire::BatchAnswer> answers(1);
  answers[0].value = "v";
  answers[0].life_ms = 1000;
  channel_->Answer(200, wire::EncodeBatchAnswers(answers), kFromCohort);
  ASSERT_TRUE(got->answer.status.ok());
  EXPECT_EQ(got->answer.value->key(), long_key_);
  EXPECT_EQ(got->answer.value->bytes(), "v");
  EXPECT_EQ(got->answer.value->expire_unix_ns(), kStartUnixNs + kSecondNs);
  EXPECT_TRUE(got->answer.keep);

  auto acked = Set(long_key_, "v", kStartUnixNs + kSecondNs, true);
  entries = LastBatch();
  EXPECT_EQ(entries[0].op, wire::BatchOp::kSet);
  EXPECT_EQ(entries[0].value, "v");
  EXPECT_EQ(entries[0].life_ms, 1000);
  channel_->Answer(200, wire::EncodeBatchAnswers({{}}), kFromCohort);
  EXPECT_TRUE(acked->status.ok());

  acked = Remove(long_key_);
  EXPECT_EQ(LastBatch()[0].op, wire::BatchOp::kRemove);
  channel_->Answer(200, wire::EncodeBatchAnswers({{}}), kFromCohort);
  EXPECT_TRUE(acked->status.ok());
}

TEST_F(WirePeerTest, LongKeysGoPlainToOthers) {
  Get(long_key_);
  EXPECT_EQ(LastRequest().method, "GET");
  EXPECT_GT(LastRequest().target.size(), 9'000u);
  channel_->Answer(404, "");
  Get(long_key_);
  EXPECT_EQ(LastRequest().method, "GET");
  channel_->Answer(404, "", kFromCohort);
  Get("k");
  EXPECT_EQ(LastRequest().method, "GET");
  Get(std::string(7'900, 'k'));
  EXPECT_EQ(LastRequest().method, "GET") << "not too long";
  Get(std::string(7'990, 'k'));
  EXPECT_EQ(LastRequest().method, "POST");
}

TEST_F(WirePeerTest, ALongKeyThatIsTheFirstToAPeerGoesAgainInABatch) {
  auto got = Get(long_key_);
  EXPECT_EQ(LastRequest().method, "GET");
  runtime_.clock().Advance(300);
  channel_->Answer(414, "");
  EXPECT_EQ(got->times, 0);
  auto entries = LastBatch();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].op, wire::BatchOp::kGet);
  EXPECT_EQ(entries[0].key, long_key_);
  EXPECT_EQ(entries[0].timeout_ms, 700);
  wire::BatchAnswer answer;
  answer.value = "v";
  channel_->Answer(200, wire::EncodeBatchAnswers({answer}));
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->answer.value->bytes(), "v");

  auto acked = Set(long_key_, "v", kStartUnixNs + kSecondNs, true);
  EXPECT_EQ(LastRequest().method, "PUT");
  channel_->Answer(414, "");
  EXPECT_EQ(acked->times, 0);
  entries = LastBatch();
  EXPECT_EQ(entries[0].op, wire::BatchOp::kSet);
  EXPECT_EQ(entries[0].value, "v");
  EXPECT_EQ(entries[0].life_ms, 700);
  channel_->Answer(200, wire::EncodeBatchAnswers({{}}));
  EXPECT_TRUE(acked->status.ok());

  acked = Remove(long_key_);
  EXPECT_EQ(LastRequest().method, "DELETE");
  channel_->Answer(414, "");
  EXPECT_EQ(LastBatch()[0].op, wire::BatchOp::kRemove);
  channel_->Answer(200, wire::EncodeBatchAnswers({{}}));
  EXPECT_TRUE(acked->status.ok());
  EXPECT_EQ(acked->times, 1);
}

TEST_F(WirePeerTest, ALongKeyThatIsRefusedInBothFormsEnds) {
  auto got = Get(long_key_);
  channel_->Answer(414, "");
  channel_->Answer(404, "no such path\n");
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->answer.status.code(), Code::kUnreachable);
  auto acked = Remove(long_key_);
  channel_->Answer(414, "");
  channel_->Answer(404, "no such path\n");
  EXPECT_EQ(LastRequest().method, "DELETE") << "and in plain words once more";
  channel_->Answer(414, "");
  EXPECT_EQ(acked->times, 1);
  EXPECT_EQ(acked->status.code(), Code::kUnreachable);
}

TEST_F(WirePeerTest, TheEndsOfABatchedGetMeanWhatThoseOfAPlainOneMean) {
  BecomeCohort();
  const auto answered = [&](const wire::BatchAnswer& answer) {
    auto got = Get(long_key_);
    channel_->Answer(200, wire::EncodeBatchAnswers({answer}), kFromCohort);
    EXPECT_EQ(got->times, 1);
    return got->answer;
  };
  wire::BatchAnswer answer;
  answer.keep = false;
  EXPECT_FALSE(answered(answer).keep);
  answer.code = Code::kNotFound;
  answer.message = "not found";
  EXPECT_EQ(answered(answer).status.code(), Code::kNotFound);
  EXPECT_EQ(answered(answer).status.message(), "not found");
  answer.code = Code::kRemoteFailed;
  EXPECT_EQ(answered(answer).status.code(), Code::kRemoteFailed);
  for (const Code code : {Code::kTimeout, Code::kClosed, Code::kUnreachable, Code::kLoadFailed}) {
    answer.code = code;
    EXPECT_EQ(answered(answer).status.code(), Code::kUnreachable);
    EXPECT_EQ(answered(answer).status.message(), "peer 10.0.0.7:8080 answered: not found");
  }
  auto got = Get(long_key_);
  channel_->Answer(200, wire::EncodeBatchAnswers({{}, {}}), kFromCohort);
  EXPECT_EQ(got->answer.status.code(), Code::kUnreachable);
  got = Get(long_key_);
  channel_->Answer(404, "404 page not found\n", kFromCohort);
  EXPECT_EQ(got->answer.status.code(), Code::kUnreachable) << "the batch's path was not found, not the key";
}

TEST_F(WirePeerTest, ABatchThatIsRefusedWithoutOurHeaderIsSentAgainInPlainWords) {
  for (const int status : {404, 405}) {
    BecomeCohort();
    auto got = Get(long_key_);
    EXPECT_EQ(LastRequest().method, "POST");
    runtime_.clock().Advance(300);
    channel_->Answer(status, "no such path\n");
    EXPECT_EQ(got->times, 0);
    EXPECT_EQ(LastRequest().method, "GET");
    EXPECT_EQ(LastRequest().timeout_ms, 700);
    channel_->Answer(200, wire::EncodeGetResponse("v", 0));
    EXPECT_EQ(got->answer.value->bytes(), "v");

    BecomeCohort();
    auto acked = RemoveKeys({"\xff", "\xfe"});
    EXPECT_EQ(LastBatch().size(), 2u);
    channel_->Answer(status, "no such path\n");
    EXPECT_EQ(acked->times, 0);
    ASSERT_EQ(channel_->requests.size(), 3u);
    EXPECT_EQ(channel_->requests[1].target, "/_groupcache/g/%FF");
    EXPECT_EQ(channel_->requests[2].target, "/_groupcache/g/%FE");
    channel_->Answer(200);
    channel_->Answer(200);
    EXPECT_EQ(acked->times, 1);
    EXPECT_TRUE(acked->status.ok());

    BecomeCohort();
    acked = Set(long_key_, "v", kStartUnixNs + 3600 * kSecondNs, true);
    channel_->Answer(status, "no such path\n");
    EXPECT_EQ(LastRequest().method, "PUT");
    EXPECT_EQ(wire::DecodeSetRequest(LastRequest().body)->value, "v");
    channel_->Answer(200);
    EXPECT_TRUE(acked->status.ok());
  }
}

TEST_F(WirePeerTest, ACancelBetweenTheTwoAttemptsIsNotLost) {
  BecomeCohort();
  auto got = Get(long_key_);
  peer_->Cancel(last_get_);
  channel_->Answer(404, "no such path\n");  // The answer was already on its way.
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->answer.status.code(), Code::kCancelled);
  EXPECT_EQ(channel_->requests.size(), 1u);
}

TEST_F(WirePeerTest, TheFirstAttemptDoesNotHideTheSecondFromCancel) {
  BecomeCohort();
  // The answer to the batch comes, and the plain get is sent, before the batch's own Send returns.
  channel_->while_sending = [&] { channel_->Answer(404, "no such path\n"); };
  auto got = Get(long_key_);
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(channel_->open.front().request.method, "GET");
  peer_->Cancel(last_get_);
  EXPECT_EQ(channel_->cancelled, (std::vector<PeerChannel::CallId>{channel_->open.front().id}));
}

TEST_F(WirePeerTest, NoAnswerAtAllEndsTheBeliefThatThePeerIsCohort) {
  BecomeCohort();
  Get("k");
  channel_->Answer(Status(Code::kUnreachable, "connection reset"));
  Set("k", "v", 0, false);
  EXPECT_EQ(LastRequest().method, "PUT");
}

TEST_F(WirePeerTest, TimeThatRanOutBetweenTheAttemptsIsATimeout) {
  BecomeCohort();
  auto got = Get(long_key_, 100);
  runtime_.clock().Advance(100);
  channel_->Answer(404, "");
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->answer.status.code(), Code::kTimeout);
}

TEST_F(WirePeerTest, P10AbsurdTimeoutsAreBounded) {
  auto got = Get("k", std::numeric_limits<int64_t>::max());
  EXPECT_GT(LastRequest().timeout_ms, int64_t{1} << 36);
  channel_->Answer(404);
  Get("k", -5);
  EXPECT_EQ(LastRequest().timeout_ms, 60'000);
}

TEST_F(WirePeerTest, P10StrangeKeysAndGroupsTravel) {
  for (const std::string& key : {""s, "."s, ".."s, "\0"s, "\r\nHost: evil"s}) {
    auto got = Get(key);
    EXPECT_EQ(LastRequest().target.find_first_of("\r\n "), std::string::npos);
    channel_->Answer(200, wire::EncodeGetResponse("v", 0));
    EXPECT_EQ(got->answer.value->key(), key);
  }
  EXPECT_EQ(channel_->requests[1].target, "/_groupcache/g/%2E");
}

TEST_F(WirePeerTest, CloseClosesTheChannel) {
  peer_->Close();
  EXPECT_TRUE(channel_->closed);
  EXPECT_EQ(peer_->address(), "10.0.0.7:8080");
}

TEST_F(WirePeerTest, ACallOutlivesItsPeer) {
  auto got = Get("k");
  auto acked = Remove("k");
  peer_.reset();
  channel_->Answer(200, wire::EncodeGetResponse("v", 0));
  channel_->Answer(200);
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(acked->times, 1);
}

// What a real groupcache-go node sent, call by call.
TEST_F(WirePeerTest, RequestsAreThoseOfGroupcacheGo) {
  int compared = 0;
  for (const auto& line : ReadVectors("wire-client.jsonl")) {
    const std::string call = line["call"];
    const std::string key = BytesOfHex(line["key_hex"]);
    const auto& sent = line["sent"][0];
    const std::string head = sent["head"];
    const std::string body = BytesOfHex(sent["body_hex"]);
    if (key == "." || key == "..") continue;  // Its own are lost on the way: the path is cleaned.
    channel_->requests.clear();
    if (call.rfind("get", 0) == 0) {
      Get(key);
    } else if (call.rfind("set", 0) == 0) {
      Set(key, "value", wire::DecodeSetRequest(body)->expire_unix_ns, true);
    } else if (call.rfind("removekeys", 0) == 0) {
      RemoveKeys({key});
    } else {
      Remove(key);
    }
    EXPECT_EQ(LastRequest().method + " " + LastRequest().target + " HTTP/1.1", head.substr(0, head.find("\r\n")));
    EXPECT_EQ(LastRequest().body, body);
    channel_->Answer(404, "");
    ++compared;
  }
  EXPECT_GT(compared, 50);
}

}  // namespace
}  // namespace cohort
