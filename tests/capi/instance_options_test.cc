// Instance options.
#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

class InstanceOptions : public ::testing::Test {
 protected:
  Owned<cohort_instance_options_t> options_{cohort_instance_options_new()};
  Error error_;
};

TEST_F(InstanceOptions, P10_EachSetterChecksAtOnce) {
  cohort_instance_options_t* const options = options_.get();
  EXPECT_EQ(cohort_instance_options_set_name(options, "", 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "name is empty");
  EXPECT_EQ(cohort_instance_options_set_name(options, nullptr, 1, error_), COHORT_INVALID_ARGUMENT);
  const std::string long_name(256, 'n');
  EXPECT_EQ(cohort_instance_options_set_name(options, long_name.data(), 256, error_), COHORT_TOO_LARGE);
  EXPECT_EQ(error_.message(), "name has 256 bytes; at most 255 are allowed");
  EXPECT_EQ(cohort_instance_options_set_name(options, long_name.data(), 255, error_), COHORT_OK);

  EXPECT_EQ(cohort_instance_options_set_ring(options, 3, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "ring is 3; it must be from 0 to 2");
  EXPECT_EQ(cohort_instance_options_set_ring(options, -1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_options_set_ring(options, COHORT_RING_XXH3, error_), COHORT_OK);

  for (const int32_t replicas : {0, -1, 10'001}) {
    EXPECT_EQ(cohort_instance_options_set_replicas(options, replicas, error_), COHORT_INVALID_ARGUMENT);
  }
  EXPECT_EQ(error_.message(), "replicas is 10001; it must be from 1 to 10000");
  EXPECT_EQ(cohort_instance_options_set_replicas(options, 10'000, error_), COHORT_OK);

  for (const char* path : {"", "x/", "/x", "/a b/", "/a?b/", "/\xc3\xa9/"}) {
    EXPECT_EQ(cohort_instance_options_set_base_path(options, path, std::string(path).size(), error_),
              COHORT_INVALID_ARGUMENT)
        << path;
  }
  EXPECT_EQ(cohort_instance_options_set_base_path(options, "/x", 2, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "path '/x' must begin and end with '/'");
  EXPECT_EQ(cohort_instance_options_set_base_path(options, "/my/cache/", 10, error_), COHORT_OK);

  for (const int32_t threads : {0, -1, 4'097}) {
    EXPECT_EQ(cohort_instance_options_set_max_getter_threads(options, threads, error_), COHORT_INVALID_ARGUMENT);
  }
  EXPECT_EQ(cohort_instance_options_set_max_getter_threads(options, 4'096, error_), COHORT_OK);

  EXPECT_EQ(cohort_instance_options_set_hash(options, nullptr, nullptr, nullptr, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "hash is NULL");
  EXPECT_EQ(cohort_instance_options_set_logger(options, 0, nullptr, nullptr, nullptr, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "log is NULL");
  EXPECT_EQ(cohort_instance_options_set_log_queue(options, 0, nullptr, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "queue is NULL");
  EXPECT_EQ(cohort_instance_options_set_log_queue(options, 4, NewQueue().get(), 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "level is 4; it must be from 0 to 3");
  EXPECT_EQ(cohort_instance_options_set_transport(options, nullptr, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "transport is NULL");
}

TEST_F(InstanceOptions, P10_NullOptionsAreNamed) {
  EXPECT_EQ(cohort_instance_options_set_name(nullptr, "n", 1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "options is NULL");
  EXPECT_EQ(cohort_instance_options_set_ring(nullptr, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_options_set_base_path(nullptr, "/", 1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_options_set_max_getter_threads(nullptr, 1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_options_set_transport(nullptr, nullptr, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_options_set_log_queue(nullptr, 0, nullptr, 0, error_), COHORT_INVALID_ARGUMENT);
  cohort_instance_options_free(nullptr);
}

TEST_F(InstanceOptions, TheHashPlacesKeys) {
  std::atomic<int> calls{0};
  ASSERT_EQ(cohort_instance_options_set_hash(
                options_.get(),
                [](void* user, const void* data, size_t size) {
                  static_cast<std::atomic<int>*>(user)->fetch_add(1);
                  // Keys that begin with 'a' go to one place of the ring, everything else to another.
                  return size > 0 && *static_cast<const char*>(data) == 'a' ? uint64_t{0} : UINT64_MAX / 2;
                },
                nullptr, &calls, error_),
            COHORT_OK);
  const Owned<cohort_instance_t> instance = NewInstance(options_);
  SetPeers(instance, {"h:1", "h:2", "h:3"}, "h:1");
  const std::string owner = Owner(instance, "a");
  const int before = calls;
  EXPECT_EQ(Owner(instance, "ab"), owner);
  EXPECT_EQ(Owner(instance, "anything"), owner);
  EXPECT_EQ(calls, before + 2);
}

TEST_F(InstanceOptions, LinesOfLogGoToTheFunction) {
  struct Log {
    std::mutex mutex;
    std::vector<std::pair<int32_t, std::string>> lines;
  } log;
  ASSERT_EQ(cohort_instance_options_set_logger(
                options_.get(), COHORT_LOG_INFO,
                [](void* user, int32_t level, const char* message, size_t size) {
                  auto* own = static_cast<Log*>(user);
                  std::lock_guard<std::mutex> lock(own->mutex);
                  own->lines.emplace_back(level, std::string(message, size));
                },
                nullptr, &log, error_),
            COHORT_OK);
  ASSERT_EQ(cohort_instance_options_set_name(options_.get(), "anna", 4, error_), COHORT_OK);
  const Owned<cohort_instance_t> instance = NewInstance(options_);
  const std::string address = Listen(instance);
  std::lock_guard<std::mutex> lock(log.mutex);
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0].first, COHORT_LOG_INFO);
  EXPECT_EQ(log.lines[0].second, "anna: serving peers on " + address);
}

TEST_F(InstanceOptions, LinesBelowTheLevelAreLeftOut) {
  const Owned<cohort_queue_t> queue = NewQueue();
  ASSERT_EQ(cohort_instance_options_set_log_queue(options_.get(), COHORT_LOG_WARN, queue.get(), 1, error_), COHORT_OK);
  const Owned<cohort_instance_t> instance = NewInstance(options_);
  Listen(instance);
  EXPECT_TRUE(Empty(queue));
}

TEST_F(InstanceOptions, AQueueHoldsAtMost1024UntakenLines) {
  const Owned<cohort_queue_t> queue = NewQueue();
  const Owned<cohort_transport_t> network(cohort_transport_new_inproc(error_));
  ASSERT_EQ(cohort_instance_options_set_log_queue(options_.get(), COHORT_LOG_INFO, queue.get(), 5, error_), COHORT_OK);
  ASSERT_EQ(cohort_instance_options_set_transport(options_.get(), network.get(), error_), COHORT_OK);
  const Owned<cohort_instance_t> instance = NewInstance(options_);
  for (int i = 0; i < 1'100; ++i) {  // Each time it says so.
    Listen(instance);
    ASSERT_EQ(cohort_instance_stop_listening(instance.get(), 0, error_), COHORT_OK);
  }
  const std::vector<Event> lines = Take(queue, 1'024);
  EXPECT_TRUE(Empty(queue));
  ASSERT_EQ(lines.size(), 1'024U);
  EXPECT_EQ(lines[0]->kind, COHORT_EVENT_LOG);
  EXPECT_EQ(lines[0]->tag, 5U);
  EXPECT_EQ(lines[0]->status, COHORT_LOG_INFO);
  EXPECT_NE(lines[0].data().find("serving peers on"), std::string::npos);
  Listen(instance);  // Now there is room again.
  EXPECT_EQ(TakeOne(queue)->kind, COHORT_EVENT_LOG);
}

}  // namespace
}  // namespace capi_test
