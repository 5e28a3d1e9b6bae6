// The wire peer of a peer that answers with tickets: what travels together, and what becomes of each get.
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "cluster/fakes.h"
#include "cluster/wire_peer.h"
#include "runtime/burst.h"
#include "wire/messages.h"

namespace cohort {
namespace {

const Headers kTicketed = {{"Cohort", "2"}};

class PeerBatches : public testing::Test {
 protected:
  struct Got {
    int times = 0;
    PeerAnswer answer;
    Peer::CallId id = 0;
    std::string Value() const { return answer.value ? std::string(answer.value->bytes()) : "(none)"; }
    Code code() const { return answer.status.code(); }
  };
  using Shared = std::shared_ptr<Got>;
  struct Asked final : PeerGet {
    Asked(std::string asked_key, int64_t deadline, Shared to) : own_key(std::move(asked_key)), got(std::move(to)) {
      group = "g";
      key = own_key;
      deadline_ns = deadline;
    }
    int64_t End(PeerAnswer&& answer) override {
      ++got->times;
      got->answer = std::move(answer);
      if (on_end) on_end();
      return 0;
    }
    const std::string own_key;
    const Shared got;
    std::function<void()> on_end;
  };

  PeerBatches() {
    WirePeerOptions options;
    options.base_path = "/_groupcache/";
    peer_ = NewWirePeer("10.0.0.7:8080", channel_, options, runtime_);
    runtime_.random().next = 4711;
    Become(kTicketed);
  }
  ~PeerBatches() override {
    peer_->Close();
    while (!channel_->open.empty()) channel_->Answer(Status(Code::kClosed, "closed"));
  }

  void Become(const Headers& headers) {
    Get("first");
    channel_->Answer(404, "", headers);
    channel_->requests.clear();
  }
  Shared Get(std::string_view key, int64_t timeout_ms = 60'000, std::string_view group = "g") {
    auto got = std::make_shared<Got>();
    got->id = peer_->Get(group, key, timeout_ms, [got](PeerAnswer answer) -> int64_t {
      ++got->times;
      got->answer = std::move(answer);
      return 0;
    });
    return got;
  }
  std::vector<Shared> GetMany(int count, const std::string& prefix = "k") {
    std::vector<Shared> all;
    for (int i = 0; i < count; ++i) all.push_back(Get(prefix + std::to_string(i)));
    return all;
  }
  // Keeps what is asked, which the peer may take over.
  void GetAll(std::vector<std::shared_ptr<PeerGet>> asked) { peer_->GetAll(asked); }
  // Asked for in one call.
  std::vector<Shared> GetTogether(const std::vector<std::string>& keys) {
    std::vector<Shared> all;
    std::vector<std::shared_ptr<PeerGet>> asked;
    for (const std::string& key : keys) {
      all.push_back(std::make_shared<Got>());
      asked.push_back(std::make_shared<Asked>(key, runtime_.clock().MonotonicNs() + 60'000'000'000, all.back()));
    }
    GetAll(asked);
    return all;
  }
  std::vector<Shared> GetTogether(int count, const std::string& prefix = "k") {
    std::vector<std::string> keys;
    for (int i = 0; i < count; ++i) keys.push_back(prefix + std::to_string(i));
    return GetTogether(keys);
  }
  // Takes both slots.
  void Fill() {
    const size_t before = channel_->open.size();
    filling_ = GetMany(2, "fill");
    ASSERT_EQ(channel_->open.size(), before + 2);
  }

  const Request& Open(size_t i = 0) { return channel_->open.at(i).request; }
  bool IsCollect(size_t i) { return Open(i).target == "/_groupcache/_cohort/collect"; }
  std::vector<wire::BatchEntry> Entries(size_t i = 0) {
    EXPECT_EQ(Open(i).method, "POST");
    EXPECT_EQ(Open(i).target, "/_groupcache/_cohort/batch");
    auto entries = wire::DecodeBatch(Open(i).body, &note_);
    EXPECT_TRUE(entries.ok());
    return *entries;
  }
  std::vector<std::string> Keys(size_t i = 0) {
    std::vector<std::string> keys;
    for (const wire::BatchEntry& entry : Entries(i)) keys.push_back(entry.key);
    return keys;
  }
  int64_t ReadCollect(size_t i) {
    EXPECT_TRUE(IsCollect(i));
    int64_t wait_ms = -1;
    auto note = wire::DecodeCollect(Open(i).body, &wait_ms);
    EXPECT_TRUE(note.ok());
    note_ = *note;
    return wait_ms;
  }
  static wire::BatchAnswer ValueOf(const std::string& value, uint64_t ticket = 0) {
    wire::BatchAnswer answer;
    answer.value = value;
    answer.ticket = ticket;
    return answer;
  }
  static wire::BatchAnswer Later(uint64_t ticket) { return ValueOf("", ticket); }
  // Answers the open request `i`.
  void Answer(size_t i, Result<Response> end) {
    FakeChannel::Sent sent = std::move(channel_->open.at(i));
    channel_->open.erase(channel_->open.begin() + static_cast<std::ptrdiff_t>(i));
    sent.done(std::move(end));
  }
  void Answer(size_t i, const std::vector<wire::BatchAnswer>& answers, uint64_t incarnation = 9) {
    Answer(i, Response{200, kTicketed, wire::EncodeBatchAnswers(answers, incarnation)});
  }
  // To each key "v:" and the key.
  void AnswerAll(size_t i = 0) {
    std::vector<wire::BatchAnswer> answers;
    for (const std::string& key : Keys(i)) answers.push_back(ValueOf("v:" + key));
    Answer(i, answers);
  }
  // A get that has been answered with that ticket, which a poll now waits for.
  Shared Ticketed(const std::string& key, uint64_t ticket, int64_t timeout_ms = 60'000) {
    auto got = Get(key, timeout_ms);
    Answer(channel_->open.size() - 1, {Later(ticket)});
    return got;
  }

  FakeRuntime runtime_;
  std::shared_ptr<FakeChannel> channel_ = std::make_shared<FakeChannel>();
  std::shared_ptr<Peer> peer_;
  wire::Session note_;
  std::vector<Shared> filling_;
};

TEST_F(PeerBatches, AGetThatIsAloneGoesAtOnce) {
  auto got = Get("k", 900);
  ASSERT_EQ(channel_->open.size(), 1u);
  const auto entries = Entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].op, wire::BatchOp::kGet);
  EXPECT_EQ(entries[0].group, "g");
  EXPECT_EQ(entries[0].key, "k");
  EXPECT_EQ(entries[0].timeout_ms, 900);
  EXPECT_NE(note_.id, 0u);
  wire::BatchAnswer answer = ValueOf("v");
  answer.life_ms = 1000;
  answer.keep = false;
  Answer(0, {answer});
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->Value(), "v");
  EXPECT_EQ(got->answer.value->key(), "k");
  EXPECT_EQ(got->answer.value->expire_unix_ns(), runtime_.clock().unix_ns + kSecondNs);
  EXPECT_FALSE(got->answer.keep);
}

TEST_F(PeerBatches, GetsThatFindNoSlotTravelTogether) {
  auto gets = GetMany(20);
  ASSERT_EQ(channel_->open.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(Keys(i).size(), 1u);
  AnswerAll(1);
  ASSERT_EQ(channel_->open.size(), 2u);
  EXPECT_EQ(Keys(1).size(), 18u);
  AnswerAll(1);
  AnswerAll(0);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gets[static_cast<size_t>(i)]->Value(), "v:k" + std::to_string(i));
  EXPECT_EQ(channel_->requests.size(), 3u);
}

TEST_F(PeerBatches, WhatTheEndsOfABatchAskForTravelsTogether) {
  int ended = 0;
  std::vector<std::shared_ptr<PeerGet>> asked;
  for (int i = 0; i < 10; ++i) {
    auto get = std::make_shared<Asked>("k" + std::to_string(i), 60'000'000'000, std::make_shared<Got>());
    get->on_end = [&] { Get("next" + std::to_string(++ended)); };
    asked.push_back(std::move(get));
  }
  GetAll(asked);
  auto more = Get("more");  // No slot is free.
  AnswerAll(0);
  EXPECT_EQ(ended, 10);
  EXPECT_EQ(channel_->open.size(), 2u);
  EXPECT_EQ(Keys(1).size(), 10u);
}

TEST_F(PeerBatches, WhatIsAskedForTogetherIsOneRequest) {
  auto gets = GetTogether(100);
  ASSERT_EQ(channel_->requests.size(), 1u);
  EXPECT_EQ(Keys().size(), 100u);
  AnswerAll();
  for (const Shared& got : gets) EXPECT_EQ(got->times, 1);
}

TEST_F(PeerBatches, ABatchIsBounded) {
  auto gets = GetTogether(2500);
  EXPECT_EQ(channel_->requests.size(), 2u);
  EXPECT_EQ(Keys(0).size(), 1000u);
  EXPECT_EQ(Keys(1).size(), 1000u);
  AnswerAll();
  ASSERT_EQ(channel_->requests.size(), 3u);
  EXPECT_EQ(Keys(1).size(), 500u);
  for (int i = 0; i < 2; ++i) AnswerAll();

  GetTogether(std::vector<std::string>(3, std::string(100'000, 'k')));
  ASSERT_EQ(channel_->open.size(), 2u);
  EXPECT_EQ(Keys(0).size(), 2u);
  EXPECT_EQ(Keys(1).size(), 1u);
}

TEST_F(PeerBatches, P4WhatIsGivenUpBeforeItIsAskedForIsNotAskedFor) {
  auto kept = std::make_shared<Got>();
  auto given_up = std::make_shared<Got>();
  const std::vector<std::shared_ptr<PeerGet>> asked = {std::make_shared<Asked>("a", 60'000'000'000, given_up),
                                                       std::make_shared<Asked>("b", 60'000'000'000, kept)};
  peer_->GiveUp(*asked[0]);
  EXPECT_EQ(given_up->times, 0);
  GetAll(asked);
  EXPECT_EQ(given_up->times, 1);
  EXPECT_EQ(given_up->code(), Code::kCancelled);
  EXPECT_EQ(Keys(), std::vector<std::string>{"b"});
  Answer(0, {ValueOf("v")});
  EXPECT_EQ(kept->Value(), "v");
  peer_->GiveUp(*asked[1]);
  EXPECT_EQ(kept->times, 1);
  EXPECT_TRUE(channel_->open.empty());
}

TEST_F(PeerBatches, P4WhatIsGivenUpWhileItIsSentEndsOnce) {
  auto got = std::make_shared<Got>();
  const std::vector<std::shared_ptr<PeerGet>> asked = {std::make_shared<Asked>("a", 60'000'000'000, got)};
  channel_->while_sending = [&] { peer_->GiveUp(*asked[0]); };
  GetAll(asked);
  channel_->while_sending = nullptr;
  EXPECT_EQ(got->times, 1);
  EXPECT_EQ(got->code(), Code::kCancelled);
  Answer(0, {ValueOf("late")});
  EXPECT_EQ(got->times, 1);
}

TEST_F(PeerBatches, P6EachOfThoseAskedForTogetherEndsByItsOwnDeadline) {
  auto hasty = std::make_shared<Got>();
  auto patient = std::make_shared<Got>();
  const int64_t now_ns = runtime_.clock().MonotonicNs();
  const std::vector<std::shared_ptr<PeerGet>> asked = {std::make_shared<Asked>("a", now_ns + 100'000'000, hasty),
                                                       std::make_shared<Asked>("b", now_ns + 60'000'000'000, patient)};
  GetAll(asked);
  const auto entries = Entries();
  EXPECT_EQ(entries.at(0).timeout_ms, 100);
  EXPECT_EQ(entries.at(1).timeout_ms, 60'000);
  runtime_.Pass(100);
  EXPECT_EQ(hasty->code(), Code::kTimeout);
  EXPECT_EQ(patient->times, 0);
  Answer(0, {ValueOf("late"), ValueOf("v")});
  EXPECT_EQ(hasty->times, 1);
  EXPECT_EQ(patient->Value(), "v");
}

TEST_F(PeerBatches, GroupsTakeTurns) {
  Fill();
  for (int i = 0; i < 1500; ++i) Get("k", 60'000, "large");
  auto small = Get("k", 60'000, "small");
  AnswerAll();
  const auto entries = Entries(1);
  ASSERT_EQ(entries.size(), 1000u);
  EXPECT_EQ(entries[1].group, "small");
}

TEST_F(PeerBatches, AtMostFourRequestsAreOnTheirWayWhateverTheLoad) {
  std::vector<Shared> gets = GetMany(256);
  uint64_t ticket = 100;
  size_t most = 0;
  for (int round = 0; round < 200; ++round) {
    most = std::max(most, channel_->open.size());
    if (channel_->open.empty()) break;
    if (IsCollect(0)) {
      std::vector<wire::BatchAnswer> answers;
      for (uint64_t t = 101; t <= ticket; ++t) answers.push_back(ValueOf("v", t));
      Answer(0, answers);
      continue;
    }
    std::vector<wire::BatchAnswer> answers;
    for (const std::string& key : Keys(0)) answers.push_back(key.back() == '7' ? Later(++ticket) : ValueOf("v"));
    Answer(0, answers);
  }
  EXPECT_LE(most, 4u);
  for (const Shared& got : gets) EXPECT_EQ(got->times, 1);
}

TEST_F(PeerBatches, AFailingKeyFailsAlone) {
  Fill();
  auto gets = GetMany(4);
  AnswerAll();
  std::vector<wire::BatchAnswer> answers(4, ValueOf("v"));
  answers[0].code = Code::kNotFound;
  answers[1].code = Code::kRemoteFailed;
  answers[1].message = "load failed";
  answers[2].code = Code::kUnreachable;
  answers[2].message = "no group";
  Answer(1, answers);
  EXPECT_EQ(gets[0]->code(), Code::kNotFound);
  EXPECT_EQ(gets[1]->code(), Code::kRemoteFailed);
  EXPECT_EQ(gets[1]->answer.status.message(), "load failed");
  EXPECT_EQ(gets[2]->code(), Code::kUnreachable);
  EXPECT_EQ(gets[2]->answer.status.message(), "peer 10.0.0.7:8080 answered: no group");
  EXPECT_EQ(gets[3]->Value(), "v");
}

TEST_F(PeerBatches, ALostBatchEndsItsGetsAndAnUnreadableOneToo) {
  auto gets = GetTogether(2);
  Answer(0, Status(Code::kTimeout, "silence"));
  for (const Shared& got : gets) EXPECT_EQ(got->code(), Code::kTimeout);
  auto got = Get("k");
  Answer(0, Response{200, kTicketed, "\xff"});
  EXPECT_EQ(got->code(), Code::kUnreachable);
  got = Get("k");
  Answer(0, {ValueOf("a"), ValueOf("b")});
  EXPECT_EQ(got->answer.status.message(),
            "peer 10.0.0.7:8080 answered something unreadable: 2 answers to a batch of 1");
  got = Get("k");
  Answer(0, Response{500, kTicketed, "going\n"});
  EXPECT_EQ(got->answer.status.message(), "peer 10.0.0.7:8080 answered 500: going");
}

TEST_F(PeerBatches, ABatchsTimeIsTheNetworksNotItsSlowestEntrys) {
  Get("k", 60'000);
  EXPECT_EQ(Open(0).timeout_ms, 10'000);
  EXPECT_EQ(Entries(0)[0].timeout_ms, 60'000);
  Get("k", 50);
  EXPECT_EQ(Entries(1)[0].timeout_ms, 50);
  EXPECT_EQ(Open(1).timeout_ms, 1'050) << "the get's own deadline comes first";
}

TEST_F(PeerBatches, ASlowKeyIsCollectedWhenItIsReady) {
  auto slow = Get("slow");
  Answer(0, {Later(100)});
  EXPECT_EQ(slow->times, 0);
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(ReadCollect(0), 5'000);
  EXPECT_EQ(Open(0).timeout_ms, 15'000);
  // It holds no slot.
  Fill();
  Answer(0, {ValueOf("late", 100)});
  EXPECT_EQ(slow->times, 1);
  EXPECT_EQ(slow->Value(), "late");
  EXPECT_EQ(channel_->open.size(), 2u) << "nothing is left to collect";
  AnswerAll(0);
  Get("k");
  Entries(1);
  EXPECT_EQ(note_.received, (std::vector<uint64_t>{100})) << "the next request says that it has come";
}

TEST_F(PeerBatches, OneCollectCoversAllTicketsAndFollowsAnother) {
  auto a = Ticketed("a", 100);
  auto b = Ticketed("b", 101);
  ASSERT_EQ(channel_->open.size(), 1u);
  Answer(0, {ValueOf("b", 101)});
  EXPECT_EQ(b->Value(), "b");
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(ReadCollect(0), 5'000);
  EXPECT_EQ(note_.received, (std::vector<uint64_t>{101}));
  Answer(0, std::vector<wire::BatchAnswer>());  // Nothing for a while.
  EXPECT_EQ(ReadCollect(0), 5'000);
  wire::BatchAnswer answer = ValueOf("", 100);
  answer.code = Code::kNotFound;
  Answer(0, {answer});
  EXPECT_EQ(a->code(), Code::kNotFound);
  EXPECT_TRUE(channel_->open.empty());
}

TEST_F(PeerBatches, ARepeatedAnswerIsIgnoredAndAnEarlyOneKept) {
  auto a = Ticketed("a", 100);
  Answer(0, {ValueOf("a", 100)});
  auto b = Ticketed("b", 101);
  auto c = Get("c");
  ASSERT_TRUE(IsCollect(0));
  // 100 once more, and 102, which the answer to c will name.
  Answer(0, {ValueOf("other", 100), ValueOf("c", 102), ValueOf("b", 101)});
  EXPECT_EQ(a->times, 1);
  EXPECT_EQ(a->Value(), "a");
  EXPECT_EQ(b->Value(), "b");
  EXPECT_EQ(c->times, 0);
  Answer(0, {Later(102)});
  EXPECT_EQ(c->times, 1);
  EXPECT_EQ(c->Value(), "c");
  EXPECT_TRUE(channel_->open.empty());
}

TEST_F(PeerBatches, ALostCollectLosesNothingAndTwoEndTheWait) {
  auto a = Ticketed("a", 100);
  Answer(0, Status(Code::kTimeout, "silence"));
  EXPECT_EQ(a->times, 0);
  ASSERT_EQ(channel_->open.size(), 1u);
  Answer(0, {ValueOf("a", 100)});
  EXPECT_EQ(a->Value(), "a");

  a = Ticketed("a", 101);
  const uint64_t before = (ReadCollect(0), note_.id);
  Answer(0, Status(Code::kUnreachable, "refused"));
  EXPECT_EQ(a->times, 0);
  Answer(0, Status(Code::kUnreachable, "refused"));
  EXPECT_EQ(a->times, 1);
  EXPECT_EQ(a->code(), Code::kUnreachable);
  EXPECT_TRUE(channel_->open.empty());
  Become(kTicketed);
  runtime_.random().next = 4713;
  Get("k");
  Entries(0);
  EXPECT_NE(note_.id, before) << "what it still owes is nobody's";
}

TEST_F(PeerBatches, APeerThatLostItsTicketsIsAskedOnceMore) {
  auto a = Ticketed("a", 100, 9'000);
  runtime_.Pass(1'000);
  Answer(0, std::vector<wire::BatchAnswer>(), 0);  // It has restarted, and knows no session.
  EXPECT_EQ(a->times, 0);
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Keys(0), (std::vector<std::string>{"a"}));
  EXPECT_EQ(Entries(0)[0].timeout_ms, 8'000) << "within its deadline";
  Answer(0, {Later(200)}, 10);
  ASSERT_EQ(channel_->open.size(), 1u);
  Answer(0, std::vector<wire::BatchAnswer>(), 11);
  EXPECT_EQ(a->times, 1);
  EXPECT_EQ(a->code(), Code::kUnreachable);
  EXPECT_EQ(a->answer.status.message(), "peer 10.0.0.7:8080 lost what it was asked for");
}

TEST_F(PeerBatches, TicketsOfARestartedPeerAreNotThoseOfTheOneBefore) {
  auto a = Ticketed("a", 100);
  auto b = Get("b");
  Answer(1, {Later(200)}, 10);  // Restarted in between; the collect went to the one before.
  Answer(0, std::vector<wire::BatchAnswer>(), 9);
  EXPECT_EQ(a->times + b->times, 0);
  ASSERT_EQ(channel_->open.size(), 1u);
  Answer(0, std::vector<wire::BatchAnswer>(), 10);
  ASSERT_EQ(channel_->open.size(), 2u);  // Only a is asked again.
  EXPECT_TRUE(IsCollect(0));
  EXPECT_EQ(Keys(1), (std::vector<std::string>{"a"}));
  AnswerAll(1);
  Answer(0, {ValueOf("b", 200)}, 10);
  EXPECT_EQ(a->Value(), "v:a");
  EXPECT_EQ(b->Value(), "b");
}

TEST_F(PeerBatches, CancelledWhileItWaitsForASlot) {
  Fill();
  auto a = Get("a");
  auto b = Get("b");
  peer_->Cancel(a->id);
  EXPECT_EQ(a->times, 1);
  EXPECT_EQ(a->code(), Code::kCancelled);
  AnswerAll(0);
  EXPECT_EQ(Keys(1), (std::vector<std::string>{"b"}));
  peer_->Cancel(a->id);
  EXPECT_EQ(a->times, 1);
}

TEST_F(PeerBatches, P6CancelledOnTheWayItsTicketIsDropped) {
  auto a = std::make_shared<Got>();
  auto b = std::make_shared<Got>();
  const std::vector<std::shared_ptr<PeerGet>> asked = {std::make_shared<Asked>("a", 60'000'000'000, a),
                                                       std::make_shared<Asked>("b", 60'000'000'000, b)};
  GetAll(asked);
  peer_->GiveUp(*asked[0]);
  EXPECT_EQ(a->code(), Code::kCancelled);
  EXPECT_TRUE(channel_->cancelled.empty()) << "the request carries others";
  Answer(0, {Later(100), ValueOf("b")});
  EXPECT_EQ(b->Value(), "b");
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(ReadCollect(0), 0) << "the owner is told, and nothing is collected";
  EXPECT_EQ(note_.dropped, (std::vector<uint64_t>{100}));
  Answer(0, std::vector<wire::BatchAnswer>());
  EXPECT_TRUE(channel_->open.empty());
  EXPECT_EQ(a->times, 1);
}

TEST_F(PeerBatches, P6CancelledWithATicketTheOwnerIsTold) {
  auto a = Ticketed("a", 100);
  auto b = Ticketed("b", 101);
  peer_->Cancel(a->id);
  EXPECT_EQ(a->code(), Code::kCancelled);
  ASSERT_EQ(channel_->open.size(), 2u) << "beside the collect that waits";
  EXPECT_EQ(ReadCollect(1), 0);
  EXPECT_EQ(note_.dropped, (std::vector<uint64_t>{100}));
  Answer(1, Status(Code::kTimeout, "lost"));
  EXPECT_EQ(channel_->open.size(), 1u);
  Answer(0, {ValueOf("a", 100)});  // It comes after all, and is acknowledged.
  EXPECT_EQ(a->times, 1);
  ReadCollect(0);
  EXPECT_EQ(note_.received, (std::vector<uint64_t>{100}));
}

TEST_F(PeerBatches, P6EachGetEndsByItsOwnDeadline) {
  Fill();
  auto queued = Get("queued", 200);
  runtime_.Pass(199);
  EXPECT_EQ(queued->times, 0);
  runtime_.Pass(1);
  EXPECT_EQ(queued->times, 1);
  EXPECT_EQ(queued->code(), Code::kTimeout);
  for (int i = 0; i < 2; ++i) AnswerAll();
  EXPECT_TRUE(channel_->open.empty()) << "nobody wants it any more";

  auto a = Ticketed("a", 100, 300);
  auto b = Ticketed("b", 101, 60'000);
  auto flying = Get("c", 100);
  runtime_.Pass(100);
  EXPECT_EQ(flying->code(), Code::kTimeout);
  runtime_.Pass(200);
  EXPECT_EQ(a->code(), Code::kTimeout);
  EXPECT_EQ(b->times, 0);
  // The owner keeps these times itself: told that the callers have left, it would end what others may ask for next.
  ASSERT_EQ(channel_->open.size(), 2u);
  ReadCollect(0);
  Answer(1, {Later(102)});
  ASSERT_EQ(channel_->open.size(), 1u);
  wire::BatchAnswer late;
  late.code = Code::kTimeout;
  late.ticket = 100;
  wire::BatchAnswer later = late;
  later.ticket = 102;
  Answer(0, {late, ValueOf("b", 101)});
  EXPECT_EQ(b->Value(), "b");
  EXPECT_EQ(a->times, 1);
  ASSERT_EQ(channel_->open.size(), 1u) << "what was late is still collected";
  ReadCollect(0);
  EXPECT_EQ(note_.received, (std::vector<uint64_t>{100, 101}));
  EXPECT_TRUE(note_.dropped.empty());
  Answer(0, {later});
  EXPECT_TRUE(channel_->open.empty());
  EXPECT_EQ(flying->times, 1);
}

TEST_F(PeerBatches, AValueThatDoesNotFitIsAskedForAlone) {
  auto gets = GetTogether(3);
  std::vector<wire::BatchAnswer> answers(3, ValueOf("v"));
  answers[1].code = answers[2].code = Code::kTooLarge;
  Answer(0, answers);
  ASSERT_EQ(channel_->open.size(), 2u);
  EXPECT_EQ(Keys(0), (std::vector<std::string>{"k1"}));
  EXPECT_EQ(Keys(1), (std::vector<std::string>{"k2"}));
  Answer(0, {ValueOf("large")});
  EXPECT_EQ(gets[1]->Value(), "large");
  answers.resize(1);
  answers[0].code = Code::kTooLarge;
  Answer(0, answers);
  EXPECT_EQ(gets[2]->code(), Code::kUnreachable) << "no third time";

  auto slow = Ticketed("slow", 100);
  answers[0].ticket = 100;
  Answer(0, answers);
  EXPECT_EQ(Keys(0), (std::vector<std::string>{"slow"}));
  AnswerAll();
  EXPECT_EQ(slow->Value(), "v:slow");
}

TEST_F(PeerBatches, APeerThatIsAGoNodeNowGetsPlainRequests) {
  for (const int status : {404, 405}) {
    Become(kTicketed);
    auto gets = GetTogether(2);
    auto fill = Get("fill");
    auto queued = Get("queued");
    runtime_.Pass(300);
    Answer(0, Response{status, {}, "no such path\n"});
    ASSERT_EQ(channel_->open.size(), 4u) << "each of its keys, and what had waited";
    for (size_t i = 1; i < 4; ++i) {
      EXPECT_EQ(Open(i).method, "GET");
      EXPECT_EQ(Open(i).timeout_ms, 59'700);
    }
    const auto late = Get("late");
    EXPECT_EQ(Open(4).method, "GET");
    Answer(0, Response{404, {}, "no such path\n"});
    ASSERT_EQ(channel_->open.size(), 5u);
    while (!channel_->open.empty()) Answer(0, Response{200, {}, wire::EncodeGetResponse("plain", 0)});
    for (const Shared& got : {gets[0], gets[1], fill, queued, late}) {
      EXPECT_EQ(got->times, 1);
      EXPECT_EQ(got->Value(), "plain");
    }
  }
}

TEST_F(PeerBatches, TicketsOfWhatIsAGoNodeNowAreAskedForPlainly) {
  auto a = Ticketed("a", 100);
  Answer(0, Response{404, {}, "no such path\n"});
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Open(0).method, "GET");
  peer_->Cancel(a->id);
  EXPECT_EQ(channel_->cancelled, (std::vector<PeerChannel::CallId>{channel_->open[0].id}));
  Answer(0, Status(Code::kCancelled, "cancelled"));
  EXPECT_EQ(a->times, 1);
}

TEST_F(PeerBatches, APeerOfWhichNothingIsKnownIsAskedOneKeyFirst) {
  const auto forget = [&] {
    auto lost = Get("lost");
    Answer(0, Status(Code::kUnreachable, "connection reset"));
    EXPECT_EQ(lost->times, 1);
  };
  forget();
  auto gets = GetMany(10);
  ASSERT_EQ(channel_->open.size(), 1u);
  EXPECT_EQ(Open().method, "GET");
  Answer(0, Response{200, kTicketed, wire::EncodeGetResponse("first", 0)});
  EXPECT_EQ(gets[0]->Value(), "first");
  ASSERT_EQ(channel_->open.size(), 1u) << "the others travel together now";
  EXPECT_EQ(Keys().size(), 9u);
  AnswerAll();
  for (const Shared& got : gets) EXPECT_EQ(got->times, 1);
}

TEST_F(PeerBatches, APeerWhoseFirstAnswerTakesItsTimeIsAskedWhatItIs) {
  const auto forget = [&] {
    auto lost = Get("lost");
    Answer(0, Status(Code::kUnreachable, "connection reset"));
    EXPECT_EQ(lost->times, 1);
  };
  forget();
  auto gets = GetMany(10);
  runtime_.Pass(4);
  ASSERT_EQ(channel_->open.size(), 1u);
  runtime_.Pass(1);
  ASSERT_EQ(channel_->open.size(), 2u);
  EXPECT_EQ(Open(1).method, "GET");
  EXPECT_EQ(Open(1).target, "/_groupcache/") << "which is an error that every peer answers at once";
  Get("more");
  runtime_.Pass(50);
  EXPECT_EQ(channel_->open.size(), 2u) << "once";
  Answer(1, Response{400, kTicketed, "bad request\n"});
  ASSERT_EQ(channel_->open.size(), 2u) << "a slow first key holds up nobody";
  EXPECT_EQ(Keys(1).size(), 10u);
  auto others = GetMany(5, "other");
  EXPECT_EQ(channel_->open.size(), 2u) << "it takes one of the two places";
  AnswerAll(1);
  EXPECT_EQ(Keys(1).size(), 5u);
  AnswerAll(1);
  Answer(0, Response{200, kTicketed, wire::EncodeGetResponse("slow", 0)});
  EXPECT_EQ(gets[0]->Value(), "slow");
  for (const auto* all : {&gets, &others}) {
    for (const Shared& got : *all) EXPECT_EQ(got->times, 1);
  }

  forget();
  gets = GetMany(10);
  runtime_.Pass(5);
  ASSERT_EQ(channel_->open.size(), 2u);
  Answer(1, Response{400, {}, "bad request\n"});
  ASSERT_EQ(channel_->open.size(), 10u) << "a groupcache-go node gets plain requests";
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(Open(i).method, "GET");
  Answer(0, Response{404, {}, "not found\n"});
  Get("k");
  EXPECT_EQ(Open(9).method, "GET") << "and it is no Cohort node";
  auto more = GetMany(5);
  EXPECT_EQ(channel_->open.size(), 15u);
}

TEST_F(PeerBatches, PeersOfTheFirstVersionGetPlainRequests) {
  Become({{"Cohort", "1"}});
  Get("k");
  EXPECT_EQ(Open(0).method, "GET");
  channel_->Answer(404, "", {{"Cohort", "3"}});
  Get("k");
  EXPECT_EQ(Open(0).method, "POST") << "a newer one knows what we know";
}

TEST_F(PeerBatches, CloseEndsWhatWaits) {
  auto ticketed = Ticketed("a", 100);
  Fill();
  auto queued = Get("b");
  peer_->Close();
  EXPECT_EQ(ticketed->code(), Code::kClosed);
  EXPECT_EQ(queued->code(), Code::kClosed);
  while (!channel_->open.empty()) channel_->Answer(Status(Code::kClosed, "closed"));
  for (const Shared& got : filling_) EXPECT_EQ(got->code(), Code::kClosed);
  channel_->fail_at_once = Status(Code::kClosed, "closed");
  EXPECT_EQ(Get("late")->code(), Code::kClosed);
}

TEST_F(PeerBatches, ATrialThatEndsUnsentIsGivenBack) {
  auto slow = Get("slow");
  for (int i = 0; i < 5; ++i) {
    Get("k", 60'000);
    Answer(1, Status(Code::kTimeout, "silence"));
  }
  EXPECT_EQ(Get("k")->code(), Code::kUnreachable) << "the breaker is open";
  runtime_.Pass(500);
  Shared next;
  {
    const Burst burst;  // Until it is over, what is asked for waits.
    auto trial = Get("k");
    peer_->Cancel(trial->id);
    next = Get("k");
  }
  EXPECT_EQ(next->times, 0) << "it is the trial now";
  AnswerAll(1);
  EXPECT_EQ(next->Value(), "v:k");
}

TEST_F(PeerBatches, P10AbsurdTimesAreBounded) {
  Get("k", std::numeric_limits<int64_t>::max());
  EXPECT_GT(Entries(0)[0].timeout_ms, int64_t{1} << 36);
  EXPECT_EQ(Open(0).timeout_ms, 10'000);
}

TEST_F(PeerBatches, ACallOutlivesItsPeer) {
  auto a = Ticketed("a", 100);
  auto b = Get("b");
  peer_.reset();
  Answer(0, {ValueOf("a", 100)});
  AnswerAll(0);
  EXPECT_EQ(a->Value(), "a");
  EXPECT_EQ(b->Value(), "v:b");
  peer_ = NewWirePeer("a:1", std::make_shared<FakeChannel>(), {}, runtime_);
}

}  // namespace
}  // namespace cohort
