// Sets and removes that a peer acknowledges: what travels together, in which order, and how each ends.
#include <gtest/gtest.h>

#include "cluster/fakes.h"
#include "cluster/wire_peer.h"
#include "wire/messages.h"

namespace cohort {
namespace {

const Headers kTicketed = {{"Cohort", "2"}};

class PeerChangesTest : public testing::Test {
 protected:
  struct Acked {
    int times = 0;
    Status status;
  };
  using Shared = std::shared_ptr<Acked>;

  PeerChangesTest() {
    WirePeerOptions options;
    options.base_path = "/_groupcache/";
    peer_ = NewWirePeer("10.0.0.7:8080", channel_, options, runtime_);
  }
  ~PeerChangesTest() override {
    peer_->Close();
    while (!channel_->open.empty()) channel_->Answer(Status(Code::kClosed, "closed"));
  }

  void Become(const Headers& headers) {
    peer_->Get("g", "first", 1'000, [](const PeerAnswer&) -> int64_t { return 0; });
    channel_->Answer(404, "", headers);
    channel_->requests.clear();
  }
  static Peer::AckDone To(const Shared& acked) {
    return [acked](Status status) {
      ++acked->times;
      acked->status = std::move(status);
    };
  }
  Shared Remove(std::string_view key, int64_t timeout_ms = 60'000) {
    auto acked = std::make_shared<Acked>();
    peer_->Remove("g", key, timeout_ms, To(acked));
    return acked;
  }
  Shared RemoveKeys(const std::vector<std::string>& keys) {
    auto acked = std::make_shared<Acked>();
    peer_->RemoveKeys("g", keys, 60'000, To(acked));
    return acked;
  }
  Shared Set(std::string_view key, std::string_view value, bool to_owner = true, int64_t life_ms = -1) {
    auto acked = std::make_shared<Acked>();
    const int64_t expire_unix_ns = life_ms < 0 ? 0 : runtime_.clock().unix_ns + life_ms * 1'000'000;
    peer_->Set("g", key, Value::Copy(key, value, expire_unix_ns), to_owner, 60'000, To(acked));
    return acked;
  }
  const Request& Open(size_t i = 0) { return channel_->open.at(i).request; }
  std::vector<wire::BatchEntry> Entries(size_t i = 0) {
    EXPECT_EQ(Open(i).method, "POST");
    EXPECT_EQ(Open(i).target, "/_groupcache/_cohort/batch");
    auto entries = wire::DecodeBatch(Open(i).body);
    EXPECT_TRUE(entries.ok());
    return *entries;
  }
  // "set a=1, remove b".
  std::string Said(size_t i = 0) {
    std::string said;
    for (const wire::BatchEntry& entry : Entries(i)) {
      said +=
          (said.empty() ? "" : ", ") + std::string(entry.op == wire::BatchOp::kSet ? "set " : "remove ") + entry.key;
      if (entry.op == wire::BatchOp::kSet) said += "=" + entry.value;
    }
    return said;
  }
  void Acknowledge(size_t i = 0) {
    const std::vector<wire::BatchAnswer> answers(Entries(i).size());
    Answer(i, Response{200, kTicketed, wire::EncodeBatchAnswers(answers)});
  }
  void Answer(size_t i, Result<Response> end) {
    FakeChannel::Sent sent = std::move(channel_->open.at(i));
    channel_->open.erase(channel_->open.begin() + static_cast<std::ptrdiff_t>(i));
    sent.done(std::move(end));
  }

  FakeRuntime runtime_;
  std::shared_ptr<FakeChannel> channel_ = std::make_shared<FakeChannel>();
  std::shared_ptr<Peer> peer_;
};

TEST_F(PeerChangesTest, OneThatIsAloneGoesAtOnceAndOthersTravelTogetherInTheirOrder) {
  Become(kTicketed);
  const Shared first = Remove("a");
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Said(), "remove a");
  std::vector<Shared> all = {Set("k", "1"), Remove("k"), Set("k", "2"), RemoveKeys({"b", "\xff"}),
                             Set("c", "3", false)};
  for (int i = 0; i < 100; ++i) all.push_back(Remove("many"));
  EXPECT_EQ(channel_->open.size(), 1u);
  Acknowledge();
  EXPECT_EQ(first->times, 1);
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Said().substr(0, 67), "set k=1, remove k, set k=2, remove b, remove \xff, remove c, remove ma");
  for (const Shared& acked : all) EXPECT_EQ(acked->times, 0);
  Acknowledge();
  for (const Shared& acked : all) {
    EXPECT_EQ(acked->times, 1);
    EXPECT_TRUE(acked->status.ok());
  }
  EXPECT_EQ(channel_->requests.size(), 2u);
  EXPECT_TRUE(channel_->open.empty());
}

TEST_F(PeerChangesTest, AValueTravelsWithItsLife) {
  Become(kTicketed);
  Set("k", "v", true, 1'500);
  ASSERT_EQ(Entries().size(), 1u);
  EXPECT_EQ(Entries()[0].group, "g");
  EXPECT_EQ(Entries()[0].life_ms, 1'500);
  EXPECT_TRUE(Open().once) << "a newer value may come in between";
  const Shared removed = Remove("k");
  Acknowledge();
  EXPECT_FALSE(Open().once) << "which does a remove no harm";
}

TEST_F(PeerChangesTest, EachIsAcknowledgedForItself) {
  Become(kTicketed);
  Remove("first");
  const Shared good = Remove("a");
  const Shared many = RemoveKeys({"b", "c", "d"});
  const Shared bad = Set("e", "v");
  Acknowledge();
  std::vector<wire::BatchAnswer> answers(5);
  answers[2].code = answers[4].code = Code::kUnreachable;
  answers[2].message = answers[4].message = "no group";
  Answer(0, Response{200, kTicketed, wire::EncodeBatchAnswers(answers)});
  EXPECT_TRUE(good->status.ok());
  EXPECT_EQ(many->status.message(),
            "peer 10.0.0.7:8080 did not acknowledge 1 of 3 keys: peer 10.0.0.7:8080 answered: no group");
  EXPECT_EQ(bad->status.message(), "peer 10.0.0.7:8080 answered: no group");
}

TEST_F(PeerChangesTest, ALostOrUnreadableBatchFailsAllOfItAndTheNextGoes) {
  Become(kTicketed);
  Remove("first");
  const Shared a = Remove("a");
  const Shared b = RemoveKeys({"b", "c"});
  Acknowledge();
  const Shared next = Remove("next");
  Answer(0, Status(Code::kCancelled, "reset"));
  EXPECT_EQ(a->status.message(), "peer 10.0.0.7:8080: reset");
  EXPECT_EQ(b->status.message(), "peer 10.0.0.7:8080 did not acknowledge 2 of 2 keys: peer 10.0.0.7:8080: reset");
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Said(), "remove next");
  Answer(0, Response{200, kTicketed, wire::EncodeBatchAnswers(std::vector<wire::BatchAnswer>(2))});
  EXPECT_EQ(next->status.message(), "peer 10.0.0.7:8080 answered something unreadable: 2 answers to a batch of 1");
  const Shared last = Remove("last");
  Answer(0, Response{500, kTicketed, "busy"});
  EXPECT_EQ(last->status.message(), "peer 10.0.0.7:8080 answered 500: busy");
}

TEST_F(PeerChangesTest, ABatchIsBoundedInKeysAndBytes) {
  Become(kTicketed);
  Remove("first");
  std::vector<Shared> all;
  for (int i = 0; i < 1'500; ++i) all.push_back(Remove("k"));
  Acknowledge();
  EXPECT_EQ(Entries().size(), 1'000u);
  Acknowledge();
  EXPECT_EQ(Entries().size(), 500u);
  all.push_back(Set("a", std::string(700'000, 'v')));
  all.push_back(Set("b", std::string(700'000, 'v')));
  all.push_back(Set("c", std::string(3'000'000, 'v')));
  all.push_back(Remove("d"));
  for (const std::string key : {"a", "b", "c", "d"}) {
    Acknowledge();
    ASSERT_EQ(Entries().size(), 1u);
    EXPECT_EQ(Entries()[0].key, key) << "what is large travels alone";
  }
  Acknowledge();
  for (const Shared& acked : all) EXPECT_TRUE(acked->times == 1 && acked->status.ok());
}

TEST_F(PeerChangesTest, AnyNumberOfKeysIsOneRequestAndKeepsItsTurn) {
  Become(kTicketed);
  Remove("first");
  const Shared many = RemoveKeys(std::vector<std::string>(50'000, "k"));
  const Shared after = Remove("after");
  Acknowledge();
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Open().target, "/_groupcache/g/_remove-keys/");
  Answer(0, Response{200, kTicketed, ""});
  EXPECT_TRUE(many->times == 1 && many->status.ok());
  EXPECT_EQ(after->times, 0);
  EXPECT_EQ(Said(), "remove after");
  Acknowledge();
  EXPECT_TRUE(after->times == 1 && after->status.ok());
}

TEST_F(PeerChangesTest, ThoseWhoWaitForASlowGetAreNotItsNeighbours) {
  Become(kTicketed);
  for (int i = 0; i < 10; ++i) {
    peer_->Get("g", "k" + std::to_string(i), 60'000, [](const PeerAnswer&) -> int64_t { return 0; });
  }
  const size_t gets = channel_->open.size();
  const Shared acked = Remove("k");
  ASSERT_EQ(channel_->open.size(), gets + 1) << "no get keeps a change waiting";
  EXPECT_EQ(Said(gets), "remove k");
  EXPECT_LE(channel_->open.size(), 3u) << "and the fourth collects";
  Acknowledge(gets);
  EXPECT_EQ(acked->times, 1);
}

TEST_F(PeerChangesTest, EachEndsByItsOwnDeadline) {
  Become(kTicketed);
  const Shared flying = Remove("a", 300);
  const Shared queued = Remove("b", 200);
  const Shared patient = Remove("c", 60'000);
  EXPECT_EQ(Open().timeout_ms, 1'300) << "its request has a moment more";
  runtime_.Pass(200);
  EXPECT_EQ(queued->status.code(), Code::kTimeout);
  EXPECT_EQ(queued->status.message(), "peer 10.0.0.7:8080 had not answered in time");
  runtime_.Pass(100);
  EXPECT_EQ(flying->status.code(), Code::kTimeout);
  Acknowledge();
  EXPECT_EQ(Said(), "remove c") << "nobody waits for the other";
  Acknowledge();
  for (const Shared& acked : {flying, queued, patient}) EXPECT_EQ(acked->times, 1);
  EXPECT_TRUE(patient->status.ok());
}

TEST_F(PeerChangesTest, TheFirstShowsHowTheOthersGo) {
  std::vector<Shared> all;
  for (int i = 0; i < 5; ++i) all.push_back(Remove("k" + std::to_string(i)));
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Open().method, "DELETE");
  Answer(0, Response{200, kTicketed, ""});
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Entries().size(), 4u);
  Acknowledge();
  for (const Shared& acked : all) EXPECT_TRUE(acked->times == 1 && acked->status.ok());
}

TEST_F(PeerChangesTest, AGoPeerGetsEachForItself) {
  std::vector<Shared> all;
  for (int i = 0; i < 5; ++i) all.push_back(Remove("k" + std::to_string(i)));
  all.push_back(Set("s", "v"));
  Answer(0, Response{200, {}, ""});
  ASSERT_EQ(channel_->open.size(), 5u);
  EXPECT_EQ(Open(3).method, "DELETE");
  EXPECT_EQ(Open(4).method, "PUT");
  while (!channel_->open.empty()) Answer(0, Response{200, {}, ""});
  all.push_back(Remove("more"));
  EXPECT_EQ(Open().method, "DELETE");
  Answer(0, Response{200, {}, ""});
  for (const Shared& acked : all) EXPECT_TRUE(acked->times == 1 && acked->status.ok());
}

TEST_F(PeerChangesTest, WhatAGoNodeRefusesGoesPlainly) {
  Become(kTicketed);
  Remove("first");
  std::vector<Shared> all = {Remove("a"), Set("b", "v"), RemoveKeys({"c", "d"})};
  Acknowledge();
  Answer(0, Response{404, {}, "no such group\n"});
  ASSERT_EQ(channel_->open.size(), 3u);
  EXPECT_EQ(Open(0).method, "DELETE");
  EXPECT_EQ(Open(1).method, "PUT");
  EXPECT_EQ(Open(2).target, "/_groupcache/g/_remove-keys/");
  while (!channel_->open.empty()) Answer(0, Response{200, {}, ""});
  for (const Shared& acked : all) EXPECT_TRUE(acked->times == 1 && acked->status.ok());
}

TEST_F(PeerChangesTest, APeerThatIsGoneKeepsNobodyWaitingForTheOthers) {
  std::vector<Shared> all;
  for (int i = 0; i < 3; ++i) all.push_back(Remove("k"));
  Answer(0, Status(Code::kUnreachable, "refused"));
  EXPECT_EQ(channel_->open.size(), 2u) << "side by side";
  while (!channel_->open.empty()) Answer(0, Status(Code::kUnreachable, "refused"));
  for (const Shared& acked : all) EXPECT_EQ(acked->status.code(), Code::kUnreachable);
}

TEST_F(PeerChangesTest, P4CloseEndsEachOnce) {
  Become(kTicketed);
  std::vector<Shared> all = {Remove("a"), Remove("b")};
  peer_->Close();
  for (const Shared& acked : all) EXPECT_EQ(acked->status.code(), Code::kClosed);
  while (!channel_->open.empty()) channel_->Answer(Status(Code::kClosed, "closed"));
  all.push_back(Remove("late"));
  for (const Shared& acked : all) {
    EXPECT_EQ(acked->times, 1);
    EXPECT_EQ(acked->status.code(), Code::kClosed);
  }
}

}  // namespace
}  // namespace cohort
