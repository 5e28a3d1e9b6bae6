// Transports and requests: the HTTP transport's settings, and what a custom one is handed.
#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

TEST(Transport, P10_EveryLimitHasItsBounds) {
  const Owned<cohort_transport_t> http(cohort_transport_new_http(nullptr));
  Error error;
  const struct {
    int32_t limit;
    int64_t lowest;
    int64_t highest;
  } bounds[] = {
      {COHORT_HTTP_MAX_CONNECTIONS_PER_PEER, 1, 1'024}, {COHORT_HTTP_CONNECT_TIMEOUT_MS, 1, 600'000},
      {COHORT_HTTP_IDLE_TIMEOUT_MS, 100, 600'000},      {COHORT_HTTP_MAX_BODY_BYTES, 1'024, int64_t{1} << 40},
      {COHORT_HTTP_MAX_SERVER_THREADS, 8, 65'536},      {COHORT_HTTP_KEEP_ALIVE_MS, 1'000, 600'000},
      {COHORT_HTTP_REQUEST_TIMEOUT_MS, 1, 86'400'000},
  };
  for (const auto& each : bounds) {
    for (const int64_t bad : {each.lowest - 1, each.highest + 1, INT64_MIN, INT64_MAX}) {
      EXPECT_EQ(cohort_transport_set_limit(http.get(), each.limit, bad, error), COHORT_INVALID_ARGUMENT);
      EXPECT_NE(error.message().find("it must be from " + std::to_string(each.lowest) + " to "), std::string::npos);
    }
    EXPECT_EQ(cohort_transport_set_limit(http.get(), each.limit, each.lowest, error), COHORT_OK) << error.message();
    EXPECT_EQ(cohort_transport_set_limit(http.get(), each.limit, each.highest, error), COHORT_OK) << error.message();
  }
  EXPECT_EQ(cohort_transport_set_limit(http.get(), 8, 1, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "limit is 8; it must be from 1 to 7");
  EXPECT_EQ(cohort_transport_set_limit(nullptr, 1, 1, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "transport is NULL");
}

TEST(Transport, P10_TlsNeedsFilesThatBelongTogether) {
  const Owned<cohort_transport_t> http(cohort_transport_new_http(nullptr));
  Error error;
  const auto set = [&](const std::string& ca, const std::string& cert, const std::string& key, int32_t mutual) {
    return cohort_transport_set_tls(http.get(), ca.data(), ca.size(), cert.data(), cert.size(), key.data(), key.size(),
                                    mutual, error);
  };
  EXPECT_EQ(set("", "", "", 0), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(set("", "cert", "", 0), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "cert_file and key_file go together: give both or none");
  EXPECT_EQ(set("", "", "key", 0), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(set("", "cert", "key", 1), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(set("ca", "", "", 1), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_transport_set_tls(nullptr, "ca", 2, nullptr, 0, nullptr, 0, 0, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_transport_set_tls(http.get(), nullptr, 2, nullptr, 0, nullptr, 0, 0, error),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "ca_file is NULL");
}

TEST(Transport, SettingsAreFixedOnceItIsInUse) {
  const Owned<cohort_transport_t> http(cohort_transport_new_http(nullptr));
  const Owned<cohort_instance_t> instance = NewInstance(http);
  Error error;
  EXPECT_EQ(cohort_transport_set_limit(http.get(), COHORT_HTTP_CONNECT_TIMEOUT_MS, 1'000, error),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "transport is in use by an instance: its settings are fixed");
}

TEST(Transport, OnlyHttpHasSettings) {
  const Owned<cohort_transport_t> inproc(cohort_transport_new_inproc(nullptr));
  Error error;
  EXPECT_EQ(cohort_transport_set_limit(inproc.get(), COHORT_HTTP_CONNECT_TIMEOUT_MS, 1'000, error),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "transport is not an HTTP transport");
}

TEST(Transport, P10_AQueueIsNeeded) {
  Error error;
  EXPECT_EQ(cohort_transport_new_queue(COHORT_SEND_CALLS, nullptr, 0, error), nullptr);
  EXPECT_EQ(error.message(), "queue is NULL");
  EXPECT_EQ(cohort_transport_new_queue(2, NewQueue().get(), 0, error), nullptr);
  EXPECT_EQ(error.message(), "mode is 2; it must be from 0 to 1");
  cohort_transport_free(nullptr);
}

// One member, whose peers are reached through a queue that the test answers.
class CustomTransport : public ::testing::Test {
 protected:
  void Start(int32_t mode) {
    transport_.reset(cohort_transport_new_queue(mode, sends_.get(), 77, error_));
    instance_ = NewInstance(transport_);
    group_ = NewGroup(instance_, Echo());
    SetPeers(instance_, {"me", "you"}, "me");
    key_ = KeyOf(instance_, "you");
  }
  cohort_request_view_t View(const Event& send) {
    cohort_request_view_t view;
    cohort_request_view(send->request, &view);
    return view;
  }
  static std::string Text(const void* data, int64_t size) {
    return data == nullptr ? "" : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
  }
  int32_t BeginGet(uint64_t tag, int64_t timeout_ms = 0) {
    return Begin(group_, key_, queue_, tag, &answer_, 0, timeout_ms);
  }

  Error error_;
  Owned<cohort_queue_t> sends_ = NewQueue();
  Owned<cohort_queue_t> queue_ = NewQueue();
  Owned<cohort_transport_t> transport_;
  Owned<cohort_instance_t> instance_;
  Owned<cohort_group_t> group_;
  std::string key_;
  cohort_answer_t answer_{};
};

TEST_F(CustomTransport, DoesNotListen) {
  Start(COHORT_SEND_CALLS);
  EXPECT_EQ(cohort_instance_listen(instance_.get(), "h:1", 3, error_), COHORT_UNSUPPORTED);
  EXPECT_NE(error_.message(), "");
}

TEST_F(CustomTransport, AGetIsACallThatIsAnsweredWithAValue) {
  Start(COHORT_SEND_CALLS);
  ASSERT_EQ(BeginGet(1, 20'000), COHORT_BEGIN_PENDING);
  Event send = TakeOne(sends_);
  EXPECT_EQ(send->kind, COHORT_EVENT_SEND);
  EXPECT_EQ(send->tag, 77U);
  EXPECT_EQ(send.data(), key_);
  const cohort_request_view_t view = View(send);
  EXPECT_EQ(view.op, COHORT_REQUEST_GET);
  EXPECT_EQ(Text(view.peer, view.peer_size), "you");
  EXPECT_EQ(Text(view.group, view.group_size), "g");
  EXPECT_EQ(Text(view.key, view.key_size), key_);
  EXPECT_EQ(view.key_count, 1);
  EXPECT_EQ(view.method, nullptr);
  EXPECT_GT(view.time_left_ms, 0);
  EXPECT_LE(view.time_left_ms, 20'000);
  cohort_request_reply(send.TakeRequest(), "yours", 5, INT64_MAX);
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end.data(), "yours");
  EXPECT_EQ(end->source, COHORT_SOURCE_PEER);
  EXPECT_EQ(end->expire_unix_ns, INT64_MAX);
  ASSERT_EQ(BeginGet(2), COHORT_BEGIN_HIT);
  EXPECT_EQ(answer_.source, COHORT_SOURCE_HOT);
  cohort_value_free(answer_.value);
}

TEST_F(CustomTransport, TheOwnersLastWordIsFinal) {
  Start(COHORT_SEND_CALLS);
  for (const cohort_status_t status : {COHORT_NOT_FOUND, COHORT_REMOTE_FAILED}) {
    ASSERT_EQ(BeginGet(1), COHORT_BEGIN_PENDING);
    EXPECT_EQ(cohort_request_fail(TakeOne(sends_).TakeRequest(), status, "final", 5, 33), 1);
    const Event end = TakeOne(queue_);
    EXPECT_EQ(end->status, status);
    EXPECT_EQ(end.data(), "final");
    EXPECT_EQ(end->error_tag, 33U);
  }
  EXPECT_EQ(StatsOf(group_).local_loads, 0);
}

TEST_F(CustomTransport, AnyOtherFailureAndADroppedRequestAreLoadedHere) {
  Start(COHORT_SEND_CALLS);
  for (int way = 0; way < 4; ++way) {
    ASSERT_EQ(BeginGet(1), COHORT_BEGIN_PENDING);
    Event send = TakeOne(sends_);
    if (way == 0) cohort_request_fail(send.TakeRequest(), COHORT_UNREACHABLE, "gone", 4, 0);
    if (way == 1) cohort_request_fail(send.TakeRequest(), COHORT_OK, nullptr, 0, 0);
    if (way == 2) cohort_request_free(send.TakeRequest());
    if (way == 3) cohort_request_reply(send.TakeRequest(), nullptr, 1, 0);
    const Event end = TakeOne(queue_);
    EXPECT_EQ(end.data(), "v:" + key_);
    EXPECT_EQ(end->source, COHORT_SOURCE_LOAD);
    ASSERT_EQ(cohort_group_local_remove(group_.get(), key_.data(), key_.size(), error_), COHORT_OK);
  }
  EXPECT_EQ(StatsOf(group_).peer_errors, 4);
}

TEST_F(CustomTransport, ChangesAreCalls) {
  Start(COHORT_SEND_CALLS);
  ASSERT_EQ(
      cohort_group_set_queue(group_.get(), key_.data(), key_.size(), "new", 3, INT64_MAX, 0, queue_.get(), 5, error_),
      COHORT_OK);
  Event send = TakeOne(sends_);
  cohort_request_view_t view = View(send);
  EXPECT_EQ(view.op, COHORT_REQUEST_SET);
  EXPECT_EQ(Text(view.key, view.key_size), key_);
  EXPECT_EQ(Text(view.value, view.value_size), "new");
  EXPECT_EQ(view.expire_unix_ns, INT64_MAX);
  cohort_request_reply(send.TakeRequest(), nullptr, 0, 0);
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_OK);

  ASSERT_EQ(cohort_group_remove_queue(group_.get(), key_.data(), key_.size(), 0, queue_.get(), 6, error_), COHORT_OK);
  send = TakeOne(sends_);
  view = View(send);
  EXPECT_EQ(view.op, COHORT_REQUEST_REMOVE);
  EXPECT_EQ(view.value, nullptr);
  cohort_request_fail(send.TakeRequest(), COHORT_INTERNAL, "no route", 8, 0);
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end->status, COHORT_UNREACHABLE);
  EXPECT_NE(end.data().find("you"), std::string::npos) << end.data();
  EXPECT_NE(end.data().find("no route"), std::string::npos) << end.data();

  const std::string other = KeyOf(instance_, "you", "other");
  const std::string keys = key_ + other;
  const int64_t sizes[] = {static_cast<int64_t>(key_.size()), static_cast<int64_t>(other.size())};
  ASSERT_EQ(
      cohort_group_remove_keys_queue(group_.get(), keys.data(), keys.size(), sizes, 2, 0, queue_.get(), 7, error_),
      COHORT_OK);
  send = TakeOne(sends_);
  view = View(send);
  EXPECT_EQ(view.op, COHORT_REQUEST_REMOVE_KEYS);
  EXPECT_EQ(Text(view.key, view.key_size), keys);
  ASSERT_EQ(view.key_count, 2);
  EXPECT_EQ(view.key_sizes[0], sizes[0]);
  EXPECT_EQ(view.key_sizes[1], sizes[1]);
  cohort_request_reply(send.TakeRequest(), nullptr, 0, 0);
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_OK);
}

TEST_F(CustomTransport, OfTwoSetsAtOnceNeitherIsDropped) {
  Start(COHORT_SEND_CALLS);
  for (const uint64_t tag : {1, 2}) {
    const std::string value = "value " + std::to_string(tag);
    ASSERT_EQ(cohort_group_set_queue(group_.get(), key_.data(), key_.size(), value.data(), value.size(), 0, 0,
                                     queue_.get(), tag, error_),
              COHORT_OK);
  }
  Event first = TakeOne(sends_);
  Event second = TakeOne(sends_);
  EXPECT_EQ(Text(View(first).value, View(first).value_size), "value 1");
  EXPECT_EQ(Text(View(second).value, View(second).value_size), "value 2");
  cohort_request_reply(second.TakeRequest(), nullptr, 0, 0);
  EXPECT_EQ(TakeOne(queue_)->tag, 2U);
  cohort_request_reply(first.TakeRequest(), nullptr, 0, 0);
  EXPECT_EQ(TakeOne(queue_)->tag, 1U);
}

TEST_F(CustomTransport, AWatchedRequestIsToldThatNobodyWaits) {
  Start(COHORT_SEND_CALLS);
  ASSERT_EQ(BeginGet(1), COHORT_BEGIN_PENDING);
  const Event send = TakeOne(sends_);
  ASSERT_EQ(cohort_request_watch(send->request, sends_.get(), 8, error_), COHORT_OK);
  EXPECT_EQ(cohort_request_watch(send->request, sends_.get(), 9, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_cancel(group_.get(), answer_.ticket), 1);
  const Event told = TakeOne(sends_);
  EXPECT_EQ(told->kind, COHORT_EVENT_CANCEL);
  EXPECT_EQ(told->tag, 8U);
  EXPECT_EQ(told->status, COHORT_CANCELLED);
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_CANCELLED);
}

TEST_F(CustomTransport, AnAnswerThatComesTooLateIsIgnored) {
  Start(COHORT_SEND_CALLS);
  ASSERT_EQ(BeginGet(1, 100), COHORT_BEGIN_PENDING);
  Event send = TakeOne(sends_);
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_TIMEOUT);
  cohort_request_reply(send.TakeRequest(), "late", 4, 0);
  EXPECT_TRUE(Empty(queue_));
}

TEST_F(CustomTransport, ARequestThatNobodyTookFailsWithItsQueue) {
  Start(COHORT_SEND_CALLS);
  ASSERT_EQ(BeginGet(1), COHORT_BEGIN_PENDING);
  cohort_queue_close(sends_.get());
  EXPECT_EQ(TakeOne(queue_).data(), "v:" + key_);  // Loaded here.
}

TEST_F(CustomTransport, AnOpenRequestOutlivesItsInstance) {
  Start(COHORT_SEND_CALLS);
  ASSERT_EQ(BeginGet(1), COHORT_BEGIN_PENDING);
  Event send = TakeOne(sends_);
  group_.reset();
  instance_.reset();
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_CLOSED);
  EXPECT_EQ(View(send).op, COHORT_REQUEST_GET);
  cohort_request_reply(send.TakeRequest(), "late", 4, 0);
}

TEST_F(CustomTransport, RawRequestsAreHttp) {
  Start(COHORT_SEND_RAW);
  ASSERT_EQ(BeginGet(1), COHORT_BEGIN_PENDING);
  Event send = TakeOne(sends_);
  const cohort_request_view_t view = View(send);
  EXPECT_EQ(view.op, COHORT_REQUEST_RAW);
  EXPECT_EQ(Text(view.peer, view.peer_size), "you");
  EXPECT_EQ(Text(view.method, view.method_size), "GET");
  EXPECT_EQ(Text(view.target, view.target_size), "/_groupcache/g/" + key_);
  EXPECT_EQ(view.group, nullptr);
  const std::string headers = "Content-Type: application/x-protobuf\r\n";
  const std::string body("\x0a\x05hello\x18\x00", 9);
  cohort_request_reply_raw(send.TakeRequest(), 200, headers.data(), headers.size(), body.data(), body.size());
  EXPECT_EQ(TakeOne(queue_).data(), "hello");
}

TEST_F(CustomTransport, P10_ARawAnswerThatMakesNoSenseCountsAsNotReached) {
  Start(COHORT_SEND_RAW);
  for (int way = 0; way < 4; ++way) {
    ASSERT_EQ(BeginGet(1), COHORT_BEGIN_PENDING);
    Event send = TakeOne(sends_);
    cohort_request_t* const request = send.TakeRequest();
    if (way == 0) cohort_request_reply_raw(request, 99, nullptr, 0, nullptr, 0);
    if (way == 1) cohort_request_reply_raw(request, 200, "no colon\r\n", 10, nullptr, 0);
    if (way == 2) cohort_request_reply_raw(request, 200, nullptr, 0, nullptr, 1);
    if (way == 3) cohort_request_reply(request, "a call's answer", 15, 0);
    EXPECT_EQ(TakeOne(queue_).data(), "v:" + key_);
    ASSERT_EQ(cohort_group_local_remove(group_.get(), key_.data(), key_.size(), error_), COHORT_OK);
  }
}

TEST(RequestInput, P10_NullsAreHarmless) {
  Error error;
  cohort_request_view_t view;
  cohort_request_view(nullptr, &view);
  EXPECT_EQ(view.op, 0);
  cohort_request_view(nullptr, nullptr);
  EXPECT_EQ(cohort_request_watch(nullptr, nullptr, 0, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "request is NULL");
  cohort_request_reply(nullptr, "v", 1, 0);
  cohort_request_reply_raw(nullptr, 200, nullptr, 0, nullptr, 0);
  EXPECT_EQ(cohort_request_fail(nullptr, COHORT_TIMEOUT, "m", 1, 1), 0);
  cohort_request_free(nullptr);
}

}  // namespace
}  // namespace capi_test
