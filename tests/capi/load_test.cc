// Loads: a getter's open tasks.
#include <thread>

#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

class Load : public ::testing::Test {
 protected:
  Owned<cohort_queue_t> loads_ = NewQueue();
  Owned<cohort_queue_t> queue_ = NewQueue();
  Owned<cohort_instance_t> instance_ = NewInstance();
  Owned<cohort_group_t> group_ = NewGroup(instance_, OptionsWithQueue(loads_, 7));
  cohort_answer_t answer_{};
  Error error_;

  Event Open(const std::string& key = "key", uint64_t tag = 1, int64_t timeout_ms = 0) {
    EXPECT_EQ(Begin(group_, key, queue_, tag, &answer_, 0, timeout_ms), COHORT_BEGIN_PENDING);
    return TakeOne(loads_);
  }
};

TEST_F(Load, ShowsItsKeyAndItsTime) {
  const std::string key("k\0ey", 4);
  const Event load = Open(key, 1, 20'000);
  EXPECT_EQ(std::string(cohort_load_key(load->load), static_cast<size_t>(cohort_load_key_size(load->load))), key);
  EXPECT_LE(cohort_load_time_left_ms(load->load), 20'000);
  EXPECT_GT(cohort_load_time_left_ms(load->load), 0);
  EXPECT_EQ(cohort_load_cancelled(load->load), 0);
  ASSERT_EQ(Begin(group_, key, queue_, 2, &answer_, 0, 40'000), COHORT_BEGIN_PENDING);
  EXPECT_GT(cohort_load_time_left_ms(load->load), 20'000);  // The latest of those who wait.
}

TEST_F(Load, IsCompletedWithAValueThatStaysTheCallers) {
  Destroyed destroyed;
  const std::string memory(100, 'x');
  cohort_value_t* value =
      cohort_value_new_borrowed(memory.data(), memory.size(), INT64_MAX, &Destroyed::Call, &destroyed, error_);
  Event load = Open();
  ASSERT_EQ(cohort_load_complete_value(load.TakeLoad(), value, error_), COHORT_OK);
  cohort_value_free(value);
  Event end = TakeOne(queue_);
  EXPECT_EQ(end.data(), memory);
  EXPECT_EQ(end->data, memory.data());  // Not a copy.
  EXPECT_EQ(end->expire_unix_ns, INT64_MAX);
  end = Event();
  EXPECT_EQ(destroyed.count, 0);  // The cache has it.
  ASSERT_EQ(cohort_group_remove(group_.get(), "key", 3, 0, error_), COHORT_OK);
  EXPECT_EQ(destroyed.count, 1);
}

TEST_F(Load, OneValueMayCompleteManyKeys) {
  const Owned<cohort_value_t> value(cohort_value_new("shared", 6, 0, error_));
  for (const char* key : {"a", "b", "c"}) {
    Event load = Open(key);
    ASSERT_EQ(cohort_load_complete_value(load.TakeLoad(), value.get(), error_), COHORT_OK);
    TakeOne(queue_);
  }
  for (const char* key : {"a", "b", "c"}) EXPECT_EQ(Got(group_, key), "shared");
}

TEST_F(Load, AValueThatHasExpiredIsHandedOutAndNotKept) {
  Event load = Open();
  Complete(load.TakeLoad(), "old", 1);
  EXPECT_EQ(TakeOne(queue_).data(), "old");
  EXPECT_FALSE(Cached(group_, "key"));
}

TEST_F(Load, P10_AValueThatCannotBeTakenFailsTheLoad) {
  Event load = Open("a");
  EXPECT_EQ(cohort_load_complete(load.TakeLoad(), "x", (size_t{1} << 30) + 1, 0, error_), COHORT_TOO_LARGE);
  Event end = TakeOne(queue_);
  EXPECT_EQ(end->status, COHORT_LOAD_FAILED);
  EXPECT_EQ(end.data(), "value has 1073741825 bytes; at most 1073741824 are allowed");
  load = Open("b");
  EXPECT_EQ(cohort_load_complete(load.TakeLoad(), nullptr, 1, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TakeOne(queue_).data(), "value is NULL");
  load = Open("c");
  EXPECT_EQ(cohort_load_complete_value(load.TakeLoad(), nullptr, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_LOAD_FAILED);
}

TEST_F(Load, AMessageThatIsTooLongIsCut) {
  const std::string message(100'000, 'm');
  cohort_load_fail(Open().TakeLoad(), COHORT_LOAD_FAILED, message.data(), message.size(), 0);
  EXPECT_EQ(TakeOne(queue_)->size, 65'536);
}

TEST_F(Load, P4_AnAbandonedOnePassesToTheNextWhoCanLead) {
  cohort_answer_t leader;
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &leader, COHORT_GET_CAN_LEAD), COHORT_BEGIN_LEAD);
  ASSERT_EQ(Begin(group_, "key", queue_, 2, &answer_), COHORT_BEGIN_PENDING);
  ASSERT_EQ(Begin(group_, "key", queue_, 3, &answer_, COHORT_GET_CAN_LEAD), COHORT_BEGIN_PENDING);
  cohort_load_free(leader.load);
  Event lead = TakeOne(queue_);
  ASSERT_EQ(lead->kind, COHORT_EVENT_LEAD);
  EXPECT_EQ(lead->tag, 3U);
  EXPECT_EQ(lead->status, COHORT_OK);
  cohort_load_free(lead.TakeLoad());
  // Nobody is left who can lead: the group's own getter is next.
  Event load = TakeOne(loads_);
  cohort_load_free(load.TakeLoad());
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end->tag, 2U);
  EXPECT_EQ(end->status, COHORT_LOAD_ABANDONED);
  EXPECT_EQ(StatsOf(group_).abandoned_loads, 3);
}

TEST_F(Load, P6_OneAbandonedBecauseAllHadLeftIsRunAgainForWhoCameSince) {
  Event load = Open();
  ASSERT_EQ(cohort_group_cancel(group_.get(), answer_.ticket), 1);
  TakeOne(queue_);
  ASSERT_EQ(Begin(group_, "key", queue_, 2, &answer_), COHORT_BEGIN_PENDING);
  cohort_load_free(load.TakeLoad());
  Complete(TakeOne(loads_).TakeLoad(), "tried again");
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end->tag, 2U);
  EXPECT_EQ(end->status, COHORT_OK);
}

TEST_F(Load, ALeaderThatLeavesLetsTheOthersHaveTheValue) {
  cohort_answer_t leader;
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &leader, COHORT_GET_CAN_LEAD), COHORT_BEGIN_LEAD);
  ASSERT_EQ(Begin(group_, "key", queue_, 2, &answer_), COHORT_BEGIN_PENDING);
  cohort_load_leave(leader.load);
  cohort_load_leave(leader.load);
  EXPECT_EQ(cohort_load_cancelled(leader.load), 0);
  EXPECT_EQ(cohort_group_cancel(group_.get(), answer_.ticket), 1);
  EXPECT_EQ(cohort_load_cancelled(leader.load), 1);
  EXPECT_EQ(cohort_load_time_left_ms(leader.load), 0);
  TakeOne(queue_);
  Complete(leader.load, "kept all the same");
  EXPECT_EQ(Got(group_, "key"), "kept all the same");
}

TEST_F(Load, IsWatchedOnce) {
  const Event load = Open();
  ASSERT_EQ(cohort_load_watch(load->load, loads_.get(), 1, error_), COHORT_OK);
  EXPECT_EQ(cohort_load_watch(load->load, loads_.get(), 2, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "the load is watched already");
}

TEST_F(Load, WatchingOneThatNobodyWaitsForTellsAtOnce) {
  const Event load = Open();
  ASSERT_EQ(cohort_group_cancel(group_.get(), answer_.ticket), 1);
  ASSERT_EQ(cohort_load_watch(load->load, loads_.get(), 9, error_), COHORT_OK);
  const Event told = TakeOne(loads_);
  EXPECT_EQ(told->kind, COHORT_EVENT_CANCEL);
  EXPECT_EQ(told->tag, 9U);
}

TEST_F(Load, AGetterThatAsksForItsOwnKeyIsTold) {
  struct Own {
    cohort_group_t* group = nullptr;
    cohort_status_t status = COHORT_OK;
  } own;
  const Owned<cohort_group_t> group =
      NewGroup(instance_, OptionsWith([&own](cohort_load_t* load, const std::string& key) {
                 Error error;
                 EXPECT_EQ(cohort_group_get(own.group, key.data(), key.size(), 0, 0, error), nullptr);
                 own.status = error.status();
                 cohort_load_fail(load, COHORT_LOAD_FAILED, error.message().data(), error.message().size(), 0);
               }),
               "selfish");
  own.group = group.get();
  EXPECT_EQ(Got(group, "k"), "LOAD_FAILED: the getter of group 'selfish' asked for the key it is loading");
  EXPECT_EQ(own.status, COHORT_WOULD_DEADLOCK);
}

// A getter of group a gets b, whose getter gets c, all of them blocking, on fewer threads than that takes.
class NestedGetters : public ::testing::TestWithParam<int> {};

TEST_P(NestedGetters, DoNotDeadlock) {
  const Owned<cohort_instance_options_t> options(cohort_instance_options_new());
  ASSERT_EQ(cohort_instance_options_set_max_getter_threads(options.get(), GetParam(), nullptr), COHORT_OK);
  const Owned<cohort_instance_t> instance = NewInstance(options);
  const Owned<cohort_group_t> c = NewGroup(instance, Echo(), "c");
  const auto through = [](const Owned<cohort_group_t>& next) {
    return OptionsWith([&next](cohort_load_t* load, const std::string& key) { Complete(load, Got(next, key)); });
  };
  const Owned<cohort_group_t> b = NewGroup(instance, through(c), "b");
  const Owned<cohort_group_t> a = NewGroup(instance, through(b), "a");
  const Owned<cohort_queue_t> queue = NewQueue();
  constexpr int kKeys = 200;
  for (int i = 0; i < kKeys; ++i) {  // The same keys of all three, so that getters wait for each other's loads.
    const std::string key = std::to_string(i / 3);
    cohort_answer_t answer;
    const Owned<cohort_group_t>& group = i % 3 == 0 ? a : i % 3 == 1 ? b : c;
    const int32_t begun = Begin(group, key, queue, static_cast<uint64_t>(i), &answer);
    if (begun == COHORT_BEGIN_HIT) {
      EXPECT_EQ(Bytes(Owned<cohort_value_t>(answer.value)), "v:" + key);
      const std::string unasked = "only " + std::to_string(i);  // No getter of another group has asked for it.
      ASSERT_NE(Begin(group, unasked, queue, static_cast<uint64_t>(i), &answer), COHORT_BEGIN_HIT);
    }
  }
  for (const Event& end : Take(queue, kKeys)) EXPECT_EQ(end->status, COHORT_OK) << end.data();
}
INSTANTIATE_TEST_SUITE_P(Threads, NestedGetters, ::testing::Values(1, 2));

TEST_F(Load, AGetterMayEndItLaterOnAnotherThread) {
  std::thread later;
  const Owned<cohort_group_t> group =
      NewGroup(instance_, OptionsWith([&later](cohort_load_t* load, const std::string&) {
                 later = std::thread([load] { Complete(load, "later"); });
               }),
               "asynchronous");
  EXPECT_EQ(Got(group, "k"), "later");
  later.join();
}

TEST(LoadInput, P10_NullsAreHarmless) {
  Error error;
  EXPECT_EQ(cohort_load_complete(nullptr, "v", 1, 0, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "load is NULL");
  EXPECT_EQ(cohort_load_complete_value(nullptr, nullptr, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_load_watch(nullptr, nullptr, 0, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_load_fail(nullptr, COHORT_LOAD_FAILED, "m", 1, 1), 0);
  EXPECT_EQ(cohort_load_key_size(nullptr), 0);
  EXPECT_STREQ(cohort_load_key(nullptr), "");
  EXPECT_EQ(cohort_load_time_left_ms(nullptr), 0);
  EXPECT_EQ(cohort_load_cancelled(nullptr), 1);
  cohort_load_leave(nullptr);
  cohort_load_free(nullptr);
}

}  // namespace
}  // namespace capi_test
