// The service: to the letter what a groupcache-go node answers, and our own words besides.
#include "cluster/service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "cluster/fake_group.h"
#include "cluster/fakes.h"
#include "wire/messages.h"
#include "wire/vectors.h"

namespace cohort {
namespace {

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() { groups_->group = group_; }

  Response Ask(const std::string& method, const std::string& target, const std::string& body = "",
               Headers headers = {}) {
    Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    Response answer;
    int answers = 0;
    service_.Handle(std::move(request), [&](ServedResponse response) {
      answer = std::move(response).Whole();
      ++answers;
    });
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(HeaderOf(answer.headers, "Cohort"), "2");
    return answer;
  }
  std::vector<wire::BatchAnswer> AskBatch(const std::vector<wire::BatchEntry>& entries) {
    const Response answer = Ask("POST", "/_groupcache/_cohort/batch", wire::EncodeBatch(entries), {{"Cohort", "1"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(HeaderOf(answer.headers, "Content-Type"), "application/x-protobuf");
    auto answers = wire::DecodeBatchAnswers(answer.body);
    EXPECT_TRUE(answers.ok());
    return *answers;
  }

  FakeRuntime runtime_;
  FakeClock& clock_ = runtime_.clock();
  std::shared_ptr<FakeGroup> group_ = std::make_shared<FakeGroup>(clock_);
  std::shared_ptr<FakeGroups> groups_ = std::make_shared<FakeGroups>();
  Service service_{"/_groupcache/", groups_, runtime_};
};

std::string ReplyHeader(const std::string& head, const std::string& name) {
  const size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "(none)";
  const size_t from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

TEST_F(ServiceTest, AnswersAreThoseOfGroupcacheGo) {
  int compared = 0;
  for (const auto& line : ReadVectors("wire-server.jsonl")) {
    const std::string request = BytesOf(line["request"]);
    const std::string reply = BytesOf(line["reply"]);
    const size_t space = request.find(' ');
    const std::string method = request.substr(0, space);
    const std::string target = request.substr(space + 1, request.find(' ', space + 1) - space - 1);
    const Response answer = Ask(method, target, request.substr(request.find("\r\n\r\n") + 4));
    SCOPED_TRACE(method + " " + target);
    if (reply.empty()) {  // Upstream panics on a group that it does not have.
      EXPECT_EQ(answer.status, 500);
      EXPECT_EQ(answer.body, "this node has no group \"nogroup\"\n");
      continue;
    }
    const bool dots = target.find("/.") != std::string::npos || target.find("a//b") != std::string::npos;
    if (dots) {  // Go's mux cleans the path; here the key is the key.
      EXPECT_EQ(answer.status, 200);
      continue;
    }
    const size_t end = reply.find("\r\n\r\n");
    const std::string head = reply.substr(0, end + 2);
    EXPECT_EQ(std::to_string(answer.status), head.substr(9, 3));
    for (const char* name : {"Content-Type", "X-Content-Type-Options", "Location"}) {
      EXPECT_EQ(HeaderOf(answer.headers, name), ReplyHeader(head, name)) << name;
    }
    if (method == "HEAD") {  // The transport leaves the body out; its length is told all the same.
      EXPECT_EQ(std::to_string(answer.body.size()), ReplyHeader(head, "Content-Length"));
    } else {
      EXPECT_EQ(answer.body, reply.substr(end + 4));
    }
    ++compared;
  }
  EXPECT_GE(compared, 48);
}

TEST_F(ServiceTest, DotKeysAreKeys) {
  const auto value = [&](const std::string& target) { return wire::DecodeGetResponse(Ask("GET", target).body)->value; };
  EXPECT_EQ(value("/_groupcache/g/."), "n1:.");
  EXPECT_EQ(value("/_groupcache/g/.."), "n1:..");
  EXPECT_EQ(value("/_groupcache/g/a/../b"), "n1:a/../b");
  EXPECT_EQ(value("/_groupcache/g/a//b"), "n1:a//b");
}

TEST_F(ServiceTest, AValueWithAnExpiryTellsHowLongItLives) {
  const Response answer = Ask("GET", "/_groupcache/g/short");
  EXPECT_EQ(HeaderOf(answer.headers, "Cohort-Life-Ms"), "1500");
  EXPECT_EQ(wire::DecodeGetResponse(answer.body)->expire_unix_ns, kStartUnixNs + 1'500'700'000);
  EXPECT_EQ(HeaderOf(Ask("GET", "/_groupcache/g/k").headers, "Cohort-Life-Ms"), "(none)");
}

TEST_F(ServiceTest, P2AnOvertakenValueIsKeptByNobody) {
  const Response answer = Ask("GET", "/_groupcache/g/overtaken");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(wire::DecodeGetResponse(answer.body)->value, "old");
  EXPECT_EQ(wire::DecodeGetResponse(answer.body)->expire_unix_ns, 1);
  EXPECT_EQ(HeaderOf(answer.headers, "Cohort-Life-Ms"), "(none)");
}

TEST_F(ServiceTest, OtherFailuresLetTheAskerLoadForItself) {
  const Response answer = Ask("GET", "/_groupcache/g/closed");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body, "this node is closing\n");
}

TEST_F(ServiceTest, TheAskersTimeoutIsTakenIfItIsANumber) {
  const auto timeout_ms = [&](const std::string& header, int64_t limit_ms) {
    Request request;
    request.method = "GET";
    request.target = "/_groupcache/g/k";
    request.timeout_ms = limit_ms;
    if (!header.empty()) request.headers = {{"cohort-timeout-ms", header}};
    service_.Handle(std::move(request), [](const ServedResponse&) {});
    return group_->last_timeout_ms;
  };
  EXPECT_EQ(timeout_ms("250", 0), 250);
  EXPECT_EQ(timeout_ms("250", 100), 100);
  EXPECT_EQ(timeout_ms("250", 1000), 250);
  EXPECT_EQ(timeout_ms("", 1000), 1000);
  for (const char* garbage : {"0", "-5", "soon", "1e3", "99999999999999999999", " 7"}) {
    EXPECT_EQ(timeout_ms(garbage, 1000), 1000) << garbage;
    EXPECT_EQ(timeout_ms(garbage, 0), 0) << garbage;
  }
}

TEST_F(ServiceTest, ASetTellsWhoSentItAndHowLongItsValueLives) {
  const std::string body = wire::EncodeSetRequest("g", "k", "v", kStartUnixNs + 5);
  Ask("PUT", "/_groupcache/g/k", body);
  EXPECT_FALSE(group_->last_from_cohort);
  EXPECT_EQ(group_->last_expire_unix_ns, kStartUnixNs + 5);
  Ask("PUT", "/_groupcache/g/k", body, {{"Cohort", "1"}, {"Cohort-Life-Ms", "2000"}});
  EXPECT_TRUE(group_->last_from_cohort);
  EXPECT_EQ(group_->last_expire_unix_ns, kStartUnixNs + 2 * kSecondNs);
  Ask("PUT", "/_groupcache/g/k", body, {{"Cohort", "1"}, {"Cohort-Life-Ms", "-2000"}});
  EXPECT_EQ(group_->last_expire_unix_ns, kStartUnixNs + 5);
}

TEST_F(ServiceTest, ABatchIsAnsweredInItsOrder) {
  const auto answers = AskBatch({
      {wire::BatchOp::kGet, "g", "a", "", -1, 700},
      {wire::BatchOp::kGet, "g", "missing", "", -1, 0},
      {wire::BatchOp::kGet, "g", "fail", "", -1, 0},
      {wire::BatchOp::kGet, "nowhere", "a", "", -1, 0},
      {wire::BatchOp::kSet, "g", "set", "v\xff", 1000, 0},
      {wire::BatchOp::kRemove, "g", "gone\xff", "", -1, 0},
      {wire::BatchOp::kGet, "g", "short", "", -1, 0},
      {wire::BatchOp::kGet, "g", "overtaken", "", -1, 0},
      {wire::BatchOp::kGet, "g", "closed", "", -1, 0},
      {wire::BatchOp::kGet, "g", "set", "", -1, 0},
  });
  ASSERT_EQ(answers.size(), 10u);
  EXPECT_EQ(answers[0].value, "n1:a");
  EXPECT_EQ(answers[0].life_ms, -1);
  EXPECT_EQ(answers[1].code, Code::kNotFound);
  EXPECT_EQ(answers[1].message, "not found: missing");
  EXPECT_EQ(answers[2].code, Code::kRemoteFailed);
  EXPECT_EQ(answers[2].message, "load failed: fail");
  EXPECT_EQ(answers[3].code, Code::kUnreachable);
  EXPECT_EQ(answers[3].message, "this node has no group \"nowhere\"");
  EXPECT_EQ(answers[4].code, Code::kOk);
  EXPECT_EQ(answers[5].code, Code::kOk);
  EXPECT_EQ(answers[6].life_ms, 1500);
  EXPECT_TRUE(answers[6].keep);
  EXPECT_FALSE(answers[7].keep);
  EXPECT_EQ(answers[8].code, Code::kClosed);
  EXPECT_EQ(answers[9].value, "v\xff");
  EXPECT_EQ(answers[9].life_ms, 1000);
  EXPECT_EQ(group_->removed, (std::vector<std::string>{"gone\xff"}));
  EXPECT_TRUE(group_->last_from_cohort);
}

TEST_F(ServiceTest, P4ABatchIsAnsweredOnceWhenItsLastLoadEnds) {
  std::vector<wire::BatchEntry> entries(100);
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i].group = "g";
    entries[i].key = (i % 3 == 0 ? "held" : "k") + std::to_string(i);
  }
  Request request;
  request.method = "POST";
  request.target = "/_groupcache/_cohort/batch";
  request.body = wire::EncodeBatch(entries);
  std::atomic<int> answered{0};
  Response answer;
  service_.Handle(std::move(request), [&](ServedResponse response) {
    answer = std::move(response).Whole();
    ++answered;
  });
  EXPECT_EQ(answered, 0);
  ASSERT_EQ(group_->held.size(), 34u);
  std::vector<std::thread> threads;  // The loads end side by side.
  for (auto& held : group_->held) {
    threads.emplace_back([&held] { held.second(FakeGroup::Load(held.first)); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 1);
  const auto answers = wire::DecodeBatchAnswers(answer.body);
  ASSERT_TRUE(answers.ok());
  for (size_t i = 0; i < entries.size(); ++i) EXPECT_EQ((*answers)[i].value, "n1:" + entries[i].key);
}

TEST_F(ServiceTest, LargeValuesDoNotTravelTogetherWithoutLimit) {
  const wire::BatchEntry large{wire::BatchOp::kGet, "g", "large", "", -1, 0};
  auto answers = AskBatch({large, large, {wire::BatchOp::kGet, "g", "k", "", -1, 0}});
  EXPECT_EQ(answers[0].code, Code::kOk);
  EXPECT_EQ(answers[1].code, Code::kTooLarge);
  EXPECT_EQ(answers[2].code, Code::kOk);
  EXPECT_EQ(AskBatch({large})[0].value.size(), size_t{20} << 20);
}

TEST_F(ServiceTest, P10BatchesThatAreNoneOrTooLongAreRefused) {
  EXPECT_EQ(Ask("POST", "/_groupcache/_cohort/batch", "\xff").status, 400);
  EXPECT_EQ(AskBatch({}).size(), 0u);
  std::vector<wire::BatchEntry> entries(10'001, {wire::BatchOp::kRemove, "g", "k", "", -1, 0});
  const Response answer = Ask("POST", "/_groupcache/_cohort/batch", wire::EncodeBatch(entries));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "a batch holds up to 10000 entries, this one has 10001\n");
  EXPECT_TRUE(group_->removed.empty()) << "nothing is left behind";
  entries.pop_back();
  EXPECT_EQ(AskBatch(entries).size(), 10'000u);
}

TEST_F(ServiceTest, AGroupMayBearTheNameOfOurPath) {
  EXPECT_EQ(wire::DecodeGetResponse(Ask("GET", "/_groupcache/_cohort/batch").body)->value, "n1:batch");
  EXPECT_EQ(Ask("POST", "/_groupcache/_cohort/other").status, 404);
  EXPECT_EQ(Ask("POST", "/_groupcache/_cohort/_remove-keys/", R"({"keys":["a"]})").status, 200);
  EXPECT_EQ(group_->removed, (std::vector<std::string>{"a"}));
}

TEST_F(ServiceTest, RemoveKeysDropsEachKey) {
  EXPECT_EQ(Ask("POST", "/_groupcache/g/_remove-keys/", R"({"group":"other","keys":["a","b"]})").status, 200);
  EXPECT_EQ(group_->removed, (std::vector<std::string>{"a", "b"}));
}

TEST_F(ServiceTest, ANodeThatIsGoneAnswers500) {
  groups_.reset();
  for (const char* method : {"GET", "PUT", "DELETE", "POST"}) {
    const Response answer = Ask(method, "/_groupcache/g/k");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, "this node is shutting down\n");
  }
  EXPECT_EQ(Ask("POST", "/_groupcache/_cohort/batch").status, 500);
  EXPECT_EQ(Ask("GET", "/other").status, 404);
}

TEST_F(ServiceTest, P10StrangePathsAreAnswered) {
  EXPECT_EQ(Ask("GET", "").status, 404);
  EXPECT_EQ(Ask("", "*").status, 404);
  EXPECT_EQ(Ask("GET", "/_groupcache?x").status, 307);
  EXPECT_EQ(Ask("DELETE", "/_groupcache").body, "");
  EXPECT_EQ(Ask("GET", "/_groupcache/g/%").status, 400);
  EXPECT_EQ(Ask("GET", "/_groupcache/" + std::string(100'000, 'x') + "/k").status, 500);
  EXPECT_LT(Ask("GET", "/_groupcache/" + std::string(100'000, 'x') + "/k").body.size(), 300u);
}

// What a large value's answer lends is the value itself, which stays until the answer goes; a small one is copied.
TEST_F(ServiceTest, LargeValuesAreSentFromTheirOwnMemory) {
  const auto ask = [&](const std::string& method, const std::string& target, const std::string& body) {
    Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    ServedResponse answer;
    service_.Handle(std::move(request), [&](ServedResponse response) { answer = std::move(response); });
    return answer;
  };
  const auto lends = [](const ServedResponse& answer, const char* at) {
    std::string_view pieces[8];
    const size_t count = answer.body.Pieces(pieces, 8);
    return std::any_of(pieces, pieces + count, [at](std::string_view piece) { return piece.data() == at; });
  };
  for (const size_t size : {size_t{100}, size_t{100'000}}) {
    bool destroyed = false;
    const std::string bytes(size, 'x');
    group_->Keep("k", Value::Borrow(
                          "k", bytes, 0, [](void* gone) { *static_cast<bool*>(gone) = true; }, &destroyed));
    ServedResponse plain = ask("GET", "/_groupcache/g/k", "");
    std::vector<wire::BatchEntry> entries(2);
    entries[0] = {wire::BatchOp::kGet, "g", "k", "", -1, 0};
    entries[1] = {wire::BatchOp::kGet, "g", "other", "", -1, 0};
    ServedResponse batch = ask("POST", "/_groupcache/_cohort/batch", wire::EncodeBatch(entries));
    const bool large = size > 1000;
    EXPECT_EQ(lends(plain, bytes.data()), large);
    EXPECT_EQ(lends(batch, bytes.data()), large);
    group_->ServeRemove("k");
    EXPECT_EQ(destroyed, !large);
    EXPECT_EQ(wire::DecodeGetResponse(std::move(plain).Whole().body)->value, bytes);
    EXPECT_EQ(wire::DecodeBatchAnswers(std::move(batch).Whole().body)->front().value, bytes);
    plain = ServedResponse();
    batch = ServedResponse();
    EXPECT_TRUE(destroyed);
  }
}

}  // namespace
}  // namespace cohort
