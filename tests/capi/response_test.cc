// Mounting on the application's own HTTP server: a request goes in, a response comes out.
#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

class Mount : public ::testing::Test {
 protected:
  cohort_status_t Handle(std::string_view method, std::string_view target, std::string_view headers = "",
                         std::string_view body = "", uint64_t tag = 1) {
    return cohort_instance_handle_request(instance_.get(), method.data(), method.size(), target.data(), target.size(),
                                          headers.data(), headers.size(), body.data(), body.size(), 0, queue_.get(),
                                          tag, error_);
  }
  // "<status> <body>".
  static std::string Show(const cohort_response_t* response) {
    cohort_response_view_t view;
    cohort_response_view(response, &view);
    return std::to_string(view.http_status) + " " +
           std::string(static_cast<const char*>(view.body), static_cast<size_t>(view.body_size));
  }

  Error error_;
  Owned<cohort_queue_t> queue_ = NewQueue();
  Owned<cohort_instance_t> instance_ = NewInstance();
  Owned<cohort_group_t> group_ = NewGroup(instance_, OptionsWith([](cohort_load_t* load, const std::string& key) {
                                            if (key == "gone") {
                                              cohort_load_fail(load, COHORT_NOT_FOUND, "no such key", 11, 0);
                                            } else {
                                              Complete(load, "v:" + key);
                                            }
                                          }));
};

TEST_F(Mount, AGetIsAnswered) {
  ASSERT_EQ(Handle("GET", "/_groupcache/g/a%2Fb", "Accept: */*\r\nX-Other: 1\r\n", "", 9), COHORT_OK)
      << error_.message();
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end->kind, COHORT_EVENT_RESPONSE);
  EXPECT_EQ(end->tag, 9U);
  EXPECT_EQ(end->status, COHORT_OK);
  const std::string body("\x0a\x05v:a/b\x18\x00", 9);
  EXPECT_EQ(Show(end->response), "200 " + body);
  EXPECT_EQ(end.data(), body);
  cohort_response_view_t view;
  cohort_response_view(end->response, &view);
  const std::string headers(view.headers, static_cast<size_t>(view.headers_size));
  EXPECT_NE(headers.find("Content-Type: application/x-protobuf\r\n"), std::string::npos) << headers;
  EXPECT_TRUE(Cached(group_, "a/b"));
}

TEST_F(Mount, FailuresHaveTheStatusesOfTheWire) {
  ASSERT_EQ(Handle("GET", "/_groupcache/g/gone"), COHORT_OK);
  EXPECT_EQ(Show(TakeOne(queue_)->response), "404 no such key\n");
  ASSERT_EQ(Handle("GET", "/_groupcache/unknown/k"), COHORT_OK);
  EXPECT_EQ(Show(TakeOne(queue_)->response).substr(0, 4), "500 ");
  ASSERT_EQ(Handle("HEAD", "/_groupcache/g/k"), COHORT_OK);
  EXPECT_EQ(Show(TakeOne(queue_)->response).substr(0, 4), "405 ");
}

TEST_F(Mount, ARequestIsAnsweredByACallToo) {
  struct Done {
    Gate gate;
    std::string shown;
  } done;
  ASSERT_EQ(cohort_instance_handle_request_async(
                instance_.get(), "DELETE", 6, "/_groupcache/g/k", 16, nullptr, 0, nullptr, 0, 0,
                [](void* user, cohort_response_t* response) {
                  static_cast<Done*>(user)->shown = Show(response);
                  cohort_response_free(response);
                  static_cast<Done*>(user)->gate.Add();
                },
                &done, error_),
            COHORT_OK);
  done.gate.WaitFor(1);
  EXPECT_EQ(done.shown, "200 ");
  EXPECT_EQ(StatsOf(group_).removes_from_peers, 1);
}

TEST_F(Mount, AResponseThatIsNotTakenGoesWithItsQueue) {
  ASSERT_EQ(Handle("GET", "/_groupcache/g/k"), COHORT_OK);
  queue_.reset();
}

TEST_F(Mount, AClosedQueueAndAClosedInstanceRefuse) {
  const Owned<cohort_queue_t> open = NewQueue();
  cohort_queue_close(queue_.get());
  EXPECT_EQ(Handle("GET", "/_groupcache/g/k"), COHORT_CLOSED);
  queue_ = NewQueue();
  ASSERT_EQ(cohort_instance_shutdown(instance_.get(), 0, error_), COHORT_OK);
  EXPECT_EQ(Handle("GET", "/_groupcache/g/k"), COHORT_CLOSED);
  EXPECT_EQ(error_.message(), "the instance is closed");
}

TEST_F(Mount, ARequestThatWaitsEndsWithItsInstance) {
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_group_t> slow = NewGroup(instance_, OptionsWithQueue(loads, 0), "slow");
  ASSERT_EQ(Handle("GET", "/_groupcache/slow/k"), COHORT_OK);
  const Event load = TakeOne(loads);
  instance_.reset();
  EXPECT_EQ(Show(TakeOne(queue_)->response).substr(0, 4), "500 ");
}

TEST_F(Mount, P10_BadInputIsNamed) {
  EXPECT_EQ(Handle("", "/"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "method is empty");
  EXPECT_EQ(Handle(std::string(33, 'M'), "/"), COHORT_TOO_LARGE);
  EXPECT_EQ(Handle("GET", "x"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "target does not begin with '/'");
  EXPECT_EQ(Handle("GET", ""), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(Handle("GET", "/" + std::string(256 << 10, 'k')), COHORT_TOO_LARGE);
  EXPECT_EQ(Handle("GET", "/", "no colon"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "line 1 of headers is not 'Name: value'");
  EXPECT_EQ(Handle("GET", "/", "A: b\r\n: c\r\n"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "line 2 of headers is not 'Name: value'");
  EXPECT_EQ(Handle("GET", "/", "A b: c\r\n"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(Handle("GET", "/", std::string_view("A: b\0c\r\n", 8)), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "line 1 of headers has a control character in its value");
  EXPECT_EQ(Handle("GET", "/", std::string((64 << 10) + 1, 'h')), COHORT_TOO_LARGE);
  const auto raw = [&](cohort_instance_t* instance, const char* method, const char* target, const char* headers,
                       const void* body, cohort_queue_t* queue) {
    return cohort_instance_handle_request(instance, method, 3, target, 1, headers, headers == nullptr ? 1 : 0, body, 1,
                                          0, queue, 0, error_);
  };
  EXPECT_EQ(raw(nullptr, "GET", "/", "", "b", queue_.get()), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "instance is NULL");
  EXPECT_EQ(raw(instance_.get(), nullptr, "/", "", "b", queue_.get()), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "method is NULL");
  EXPECT_EQ(raw(instance_.get(), "GET", nullptr, "", "b", queue_.get()), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "target is NULL");
  EXPECT_EQ(raw(instance_.get(), "GET", "/", nullptr, "b", queue_.get()), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "headers is NULL");
  EXPECT_EQ(raw(instance_.get(), "GET", "/", "", nullptr, queue_.get()), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "body is NULL");
  EXPECT_EQ(raw(instance_.get(), "GET", "/", "", "b", nullptr), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "queue is NULL");
  EXPECT_EQ(cohort_instance_handle_request_async(instance_.get(), "GET", 3, "/", 1, nullptr, 0, nullptr, 0, 0, nullptr,
                                                 nullptr, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "done is NULL");
  EXPECT_TRUE(Empty(queue_));
  cohort_response_view_t view;
  cohort_response_view(nullptr, &view);
  EXPECT_EQ(view.http_status, 0);
  cohort_response_view(nullptr, nullptr);
  cohort_response_free(nullptr);
}

}  // namespace
}  // namespace capi_test
