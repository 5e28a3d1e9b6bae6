// Getting: begin, begin_many, cancel, try_copy, lookup, get_async, get.
#include <thread>

#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

class GroupGet : public ::testing::Test {
 protected:
  Owned<cohort_queue_t> loads_ = NewQueue();
  Owned<cohort_queue_t> queue_ = NewQueue();
  Owned<cohort_instance_t> instance_ = NewInstance();
  Owned<cohort_group_t> group_ = NewGroup(instance_, OptionsWithQueue(loads_, 7));
  cohort_answer_t answer_{};
  Error error_;

  void Put(const std::string& key, const std::string& value, int64_t expire_unix_ns = 0) {
    EXPECT_EQ(
        cohort_group_set(group_.get(), key.data(), key.size(), value.data(), value.size(), expire_unix_ns, 0, error_),
        COHORT_OK)
        << error_.message();
  }
  int32_t BeginInto(const std::string& key, void* buf, size_t cap) {
    return cohort_group_begin(group_.get(), key.data(), key.size(), buf, cap, 0, 0, queue_.get(), 1, &answer_, error_);
  }
};

TEST_F(GroupGet, AHitIsCopiedIfItFits) {
  Put("key", "12345", INT64_MAX);
  char buf[5] = {};
  ASSERT_EQ(BeginInto("key", buf, 5), COHORT_BEGIN_HIT);
  EXPECT_EQ(std::string(buf, 5), "12345");
  EXPECT_EQ(answer_.size, 5);
  EXPECT_EQ(answer_.expire_unix_ns, INT64_MAX);
  EXPECT_EQ(answer_.value, nullptr);
  EXPECT_EQ(answer_.source, COHORT_SOURCE_MAIN);
}

TEST_F(GroupGet, AHitThatDoesNotFitIsHandedOut) {
  Put("key", "12345");
  char buf[5] = "....";
  ASSERT_EQ(BeginInto("key", buf, 4), COHORT_BEGIN_HIT);
  EXPECT_STREQ(buf, "....");
  EXPECT_EQ(answer_.size, 5);
  EXPECT_EQ(Bytes(Owned<cohort_value_t>(answer_.value)), "12345");
}

TEST_F(GroupGet, ACapOfZeroMeansNoCopyAlsoOfAnEmptyValue) {
  Put("empty", "");
  ASSERT_EQ(BeginInto("empty", nullptr, 0), COHORT_BEGIN_HIT);
  ASSERT_NE(answer_.value, nullptr);
  EXPECT_EQ(Bytes(Owned<cohort_value_t>(answer_.value)), "");
}

TEST_F(GroupGet, PeekNeedsNoQueueAndNeverLoads) {
  EXPECT_EQ(cohort_group_begin(group_.get(), "key", 3, nullptr, 0, COHORT_GET_PEEK, 0, nullptr, 0, &answer_, error_),
            COHORT_BEGIN_MISS);
  EXPECT_TRUE(Empty(loads_));
  Put("key", "v");
  ASSERT_EQ(cohort_group_begin(group_.get(), "key", 3, nullptr, 0, COHORT_GET_PEEK, 0, nullptr, 0, &answer_, error_),
            COHORT_BEGIN_HIT);
  cohort_value_free(answer_.value);
}

TEST_F(GroupGet, WithoutAQueueOnlyPeekIsAllowed) {
  EXPECT_EQ(cohort_group_begin(group_.get(), "key", 3, nullptr, 0, 0, 0, nullptr, 0, &answer_, error_),
            -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "queue is NULL");
}

TEST_F(GroupGet, AThreadThatIsLentIsNotKeptByALoadOfThisProcess) {
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &answer_, COHORT_GET_LEND), COHORT_BEGIN_PENDING);
  EXPECT_TRUE(Empty(queue_));
  Complete(TakeOne(loads_).TakeLoad(), "v");
  EXPECT_EQ(TakeOne(queue_).data(), "v");
  ASSERT_EQ(Begin(group_, "key", queue_, 2, &answer_, COHORT_GET_LEND), COHORT_BEGIN_HIT);
  cohort_value_free(answer_.value);
}

TEST_F(GroupGet, TheFirstWhoCanLeadLeadsAndTheOthersWait) {
  cohort_answer_t leader;
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &leader, COHORT_GET_CAN_LEAD), COHORT_BEGIN_LEAD);
  ASSERT_NE(leader.load, nullptr);
  EXPECT_EQ(leader.ticket, 0U);
  ASSERT_EQ(Begin(group_, "key", queue_, 2, &answer_, COHORT_GET_CAN_LEAD), COHORT_BEGIN_PENDING);
  Complete(leader.load, "led");
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end->tag, 2U);
  EXPECT_EQ(end.data(), "led");
  EXPECT_TRUE(Empty(queue_));
  EXPECT_TRUE(Empty(loads_));
  EXPECT_EQ(Got(group_, "key"), "led");
}

TEST_F(GroupGet, P6_ADeadlineEndsAWait) {
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &answer_, 0, 1), COHORT_BEGIN_PENDING);
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end->status, COHORT_TIMEOUT);
  EXPECT_NE(end.data(), "");
  EXPECT_EQ(StatsOf(group_).timeouts, 1);
}

TEST_F(GroupGet, P6_OneCancelLeavesTheOthersWaiting) {
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &answer_), COHORT_BEGIN_PENDING);
  const uint64_t first = answer_.ticket;
  ASSERT_EQ(Begin(group_, "key", queue_, 2, &answer_), COHORT_BEGIN_PENDING);
  EXPECT_EQ(cohort_group_cancel(group_.get(), first), 1);
  EXPECT_EQ(cohort_group_cancel(group_.get(), first), 0);
  const Event cancelled = TakeOne(queue_);
  EXPECT_EQ(cancelled->tag, 1U);
  EXPECT_EQ(cancelled->status, COHORT_CANCELLED);
  Event load = TakeOne(loads_);
  EXPECT_EQ(cohort_load_cancelled(load->load), 0);
  Complete(load.TakeLoad(), "v");
  EXPECT_EQ(TakeOne(queue_)->tag, 2U);
}

TEST_F(GroupGet, P6_TheLastCancelTellsTheWatchedLoad) {
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &answer_), COHORT_BEGIN_PENDING);
  const Event load = TakeOne(loads_);
  ASSERT_EQ(cohort_load_watch(load->load, loads_.get(), 8, error_), COHORT_OK);
  EXPECT_EQ(cohort_group_cancel(group_.get(), answer_.ticket), 1);
  const Event told = TakeOne(loads_);
  EXPECT_EQ(told->kind, COHORT_EVENT_CANCEL);
  EXPECT_EQ(told->tag, 8U);
  EXPECT_EQ(told->status, COHORT_CANCELLED);
  EXPECT_EQ(cohort_load_cancelled(load->load), 1);
}

TEST_F(GroupGet, ManyKeysAtOnceAnswerHitsAndSendEventsForTheRest) {
  Put("b", "2");
  const std::string keys = "abcc";
  const int64_t sizes[] = {1, 1, 1, 0, 1};
  cohort_answer_t answers[5];
  ASSERT_EQ(cohort_group_begin_many(group_.get(), keys.data(), keys.size(), sizes, 5, 0, 0, queue_.get(), 100, answers,
                                    error_),
            1)
      << error_.message();
  EXPECT_EQ(Bytes(Owned<cohort_value_t>(answers[1].value)), "2");
  EXPECT_EQ(answers[1].source, COHORT_SOURCE_MAIN);
  for (const size_t i : {0U, 2U, 3U, 4U}) {
    EXPECT_EQ(answers[i].value, nullptr);
    EXPECT_NE(answers[i].ticket, 0U);
    EXPECT_EQ(answers[i].size, 0);
  }
  for (Event& load : Take(loads_, 3)) Complete(load.TakeLoad(), "v:" + load.data());
  std::map<uint64_t, std::string> ends;
  for (const Event& end : Take(queue_, 4)) ends[end->tag] = end.data();
  EXPECT_EQ(ends, (std::map<uint64_t, std::string>{{100, "v:a"}, {102, "v:c"}, {103, "v:"}, {104, "v:c"}}));
  EXPECT_TRUE(Empty(queue_));
}

TEST_F(GroupGet, ManyKeysPeekedAtSendNoEvents) {
  Put("a", "1");
  const int64_t sizes[] = {1, 1};
  cohort_answer_t answers[2];
  ASSERT_EQ(cohort_group_begin_many(group_.get(), "ab", 2, sizes, 2, COHORT_GET_PEEK, 0, nullptr, 0, answers, error_),
            1);
  EXPECT_EQ(Bytes(Owned<cohort_value_t>(answers[0].value)), "1");
  EXPECT_EQ(answers[1].value, nullptr);
  EXPECT_TRUE(Empty(loads_));
}

TEST_F(GroupGet, ManyKeysLeaveAClosedQueueDrained) {
  Put("a", "1");
  const int64_t sizes[] = {1, 1};
  cohort_answer_t answers[2];
  ASSERT_EQ(cohort_group_begin_many(group_.get(), "ab", 2, sizes, 2, 0, 0, queue_.get(), 0, answers, error_), 1);
  cohort_value_free(answers[0].value);
  cohort_queue_close(queue_.get());
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_CLOSED);
  EXPECT_EQ(cohort_queue_drained(queue_.get()), 1);
  EXPECT_EQ(cohort_group_begin_many(group_.get(), "ab", 2, sizes, 2, 0, 0, queue_.get(), 0, answers, error_),
            -COHORT_CLOSED);
}

TEST_F(GroupGet, NoKeysAreNoHits) {
  EXPECT_EQ(cohort_group_begin_many(group_.get(), nullptr, 0, nullptr, 0, 0, 0, queue_.get(), 0, nullptr, error_), 0);
}

TEST_F(GroupGet, P10_SizesThatDoNotFitTheKeysAreRefused) {
  cohort_answer_t answers[2];
  const auto begin = [&](std::vector<int64_t> sizes) {
    return cohort_group_begin_many(group_.get(), "ab", 2, sizes.data(), sizes.size(), 0, 0, queue_.get(), 0, answers,
                                   error_);
  };
  EXPECT_EQ(begin({1, 2}), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "key_sizes add up to 3, but keys_size is 2");
  EXPECT_EQ(begin({3, -1}), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "key_sizes[1] is -1; it must be from 0 to 65536");
  EXPECT_EQ(begin({1, 65'537}), -COHORT_TOO_LARGE);
  EXPECT_EQ(begin({INT64_MAX, INT64_MAX}), -COHORT_TOO_LARGE);
  EXPECT_EQ(begin({}), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_begin_many(group_.get(), "ab", 2, nullptr, 2, 0, 0, queue_.get(), 0, answers, error_),
            -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "key_sizes is NULL");
  const int64_t one = 2;
  EXPECT_EQ(cohort_group_begin_many(group_.get(), "ab", 2, &one, 1, 0, 0, queue_.get(), 0, nullptr, error_),
            -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "answers is NULL");
  EXPECT_TRUE(Empty(loads_));
  EXPECT_EQ(StatsOf(group_).gets, 0);
}

TEST_F(GroupGet, TryCopyTellsTheSizeAndCopiesOnlyWhatFits) {
  EXPECT_EQ(cohort_group_try_copy(group_.get(), "key", 3, nullptr, 0), -1);
  Put("key", "12345");
  char buf[8] = "....";
  EXPECT_EQ(cohort_group_try_copy(group_.get(), "key", 3, buf, 4), 5);
  EXPECT_STREQ(buf, "....");
  EXPECT_EQ(cohort_group_try_copy(group_.get(), "key", 3, buf, 5), 5);
  EXPECT_EQ(std::string(buf, 5), "12345");
  EXPECT_TRUE(Empty(loads_));
}

TEST_F(GroupGet, LookupHandsOutAHit) {
  EXPECT_EQ(cohort_group_lookup(group_.get(), "key", 3), nullptr);
  Put("key", "v");
  EXPECT_EQ(Bytes(Owned<cohort_value_t>(cohort_group_lookup(group_.get(), "key", 3))), "v");
}

struct Ends {
  Gate gate;
  std::mutex mutex;
  std::vector<std::pair<cohort_status_t, std::string>> ends;
  static void Call(void* user, cohort_status_t status, cohort_value_t* value, const char* message,
                   size_t message_size) {
    auto* self = static_cast<Ends*>(user);
    {
      std::lock_guard<std::mutex> lock(self->mutex);
      self->ends.emplace_back(status, value != nullptr ? Bytes(value) : std::string(message, message_size));
    }
    cohort_value_free(value);
    self->gate.Add();
  }
};

TEST_F(GroupGet, AnAsynchronousHitIsToldAtOnce) {
  Put("key", "v");
  Ends ends;
  const uint64_t ticket = cohort_group_get_async(group_.get(), "key", 3, 0, 0, &Ends::Call, &ends, error_);
  EXPECT_NE(ticket, 0U);
  ASSERT_EQ(ends.gate.count(), 1);
  EXPECT_EQ(ends.ends[0].second, "v");
  EXPECT_EQ(cohort_group_cancel(group_.get(), ticket), 0);
}

TEST_F(GroupGet, AnAsynchronousGetIsToldOnce) {
  Ends ends;
  ASSERT_NE(cohort_group_get_async(group_.get(), "key", 3, COHORT_GET_CAN_LEAD, 0, &Ends::Call, &ends, error_), 0U);
  EXPECT_EQ(ends.gate.count(), 0);
  Complete(TakeOne(loads_).TakeLoad(), "v");
  ends.gate.WaitFor(1);
  EXPECT_EQ(ends.ends[0].second, "v");
}

TEST_F(GroupGet, AnAsynchronousGetCanBeCancelled) {
  Ends ends;
  const uint64_t ticket = cohort_group_get_async(group_.get(), "key", 3, 0, 0, &Ends::Call, &ends, error_);
  ASSERT_NE(ticket, 0U);
  EXPECT_EQ(cohort_group_cancel(group_.get(), ticket), 1);
  ends.gate.WaitFor(1);
  EXPECT_EQ(ends.ends[0].first, COHORT_CANCELLED);
}

TEST_F(GroupGet, AnAsynchronousPeekSaysThatItIsNotHere) {
  Ends ends;
  ASSERT_NE(cohort_group_get_async(group_.get(), "key", 3, COHORT_GET_PEEK, 0, &Ends::Call, &ends, error_), 0U);
  ASSERT_EQ(ends.gate.count(), 1);
  EXPECT_EQ(ends.ends[0].first, COHORT_NOT_FOUND);
}

TEST_F(GroupGet, AnAsynchronousGetOfAClosedGroupFailsWithoutACall) {
  ASSERT_EQ(cohort_instance_remove_group(instance_.get(), "g", 1, error_), COHORT_OK);
  Ends ends;
  EXPECT_EQ(cohort_group_get_async(group_.get(), "key", 3, 0, 0, &Ends::Call, &ends, error_), 0U);
  EXPECT_EQ(error_.status(), COHORT_CLOSED);
  EXPECT_EQ(ends.gate.count(), 0);
}

// Frees its own group's handle in the callback, as a one-shot caller does.
TEST_F(GroupGet, ACallbackMayFreeTheHandle) {
  Put("key", "v");
  cohort_group_t* own = cohort_instance_get_group(instance_.get(), "g", 1, error_);
  ASSERT_NE(cohort_group_get_async(
                own, "key", 3, 0, 0,
                [](void* user, cohort_status_t, cohort_value_t* value, const char*, size_t) {
                  cohort_value_free(value);
                  cohort_group_free(static_cast<cohort_group_t*>(user));
                },
                own, error_),
            0U);
}

TEST_F(GroupGet, ABlockedGetIsWokenByItsQueue) {
  std::thread getter([&] { EXPECT_EQ(Got(group_, "key"), "v"); });
  Complete(TakeOne(loads_).TakeLoad(), "v");
  getter.join();
}

TEST_F(GroupGet, P6_ABlockedGetEndsByItsDeadline) {
  EXPECT_EQ(Get(group_, "key", error_, 1), nullptr);
  EXPECT_EQ(error_.status(), COHORT_TIMEOUT);
}

TEST_F(GroupGet, WithoutAGetterALoadFails) {
  const Owned<cohort_group_t> bare = NewGroup(instance_, nullptr, "bare");
  EXPECT_EQ(Got(bare, "key"), "NO_GETTER: group 'bare' has no getter in this process");
}

TEST_F(GroupGet, NotFoundAndFailureKeepTheirMessages) {
  const Owned<cohort_group_t> group = NewGroup(instance_, OptionsWith([](cohort_load_t* load, const std::string& key) {
                                                 if (key == "gone") {
                                                   cohort_load_fail(load, COHORT_NOT_FOUND, "no such row", 11, 0);
                                                 } else if (key == "silent") {
                                                   cohort_load_fail(load, COHORT_INTERNAL, nullptr, 0, 0);
                                                 } else {
                                                   cohort_load_fail(load, COHORT_LOAD_FAILED, "disk on fire", 12, 0);
                                                 }
                                               }),
                                               "failing");
  EXPECT_EQ(Got(group, "gone"), "NOT_FOUND: no such row");
  EXPECT_EQ(Got(group, "bad"), "LOAD_FAILED: disk on fire");
  EXPECT_EQ(Got(group, "silent"), "LOAD_FAILED: the getter failed and gave no reason");
}

TEST_F(GroupGet, P10_BadInputIsNamedAndLeavesNothingBehind) {
  const auto begin = [&](cohort_group_t* group, const char* key, size_t size, void* buf, size_t cap, int32_t flags,
                         cohort_answer_t* answer) {
    return cohort_group_begin(group, key, size, buf, cap, flags, 0, queue_.get(), 0, answer, error_);
  };
  EXPECT_EQ(begin(nullptr, "k", 1, nullptr, 0, 0, &answer_), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "group is NULL");
  EXPECT_EQ(begin(group_.get(), nullptr, 1, nullptr, 0, 0, &answer_), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "key is NULL");
  EXPECT_EQ(begin(group_.get(), "k", 65'537, nullptr, 0, 0, &answer_), -COHORT_TOO_LARGE);
  EXPECT_EQ(error_.message(), "key has 65537 bytes; at most 65536 are allowed");
  EXPECT_EQ(begin(group_.get(), "k", 1, nullptr, 1, 0, &answer_), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "buf is NULL");
  EXPECT_EQ(begin(group_.get(), "k", 1, nullptr, 0, 16, &answer_), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "flags holds a bit that is no COHORT_GET_*");
  EXPECT_EQ(begin(group_.get(), "k", 1, nullptr, 0, 0, nullptr), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "answer is NULL");
  EXPECT_EQ(cohort_group_get(nullptr, "k", 1, 0, 0, error_), nullptr);
  EXPECT_EQ(cohort_group_get(group_.get(), nullptr, 1, 0, 0, error_), nullptr);
  EXPECT_EQ(cohort_group_get_async(group_.get(), "k", 1, 0, 0, nullptr, nullptr, error_), 0U);
  EXPECT_EQ(error_.message(), "done is NULL");
  EXPECT_EQ(cohort_group_try_copy(nullptr, "k", 1, nullptr, 0), -1);
  EXPECT_EQ(cohort_group_try_copy(group_.get(), nullptr, 1, nullptr, 0), -1);
  EXPECT_EQ(cohort_group_lookup(nullptr, "k", 1), nullptr);
  EXPECT_EQ(cohort_group_lookup(group_.get(), nullptr, 1), nullptr);
  EXPECT_EQ(cohort_group_cancel(nullptr, 1), 0);
  for (const uint64_t ticket : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32, UINT64_MAX}) {
    EXPECT_EQ(cohort_group_cancel(group_.get(), ticket), 0);
  }
  EXPECT_EQ(StatsOf(group_).gets, 0);
  EXPECT_TRUE(Empty(loads_));
}

TEST_F(GroupGet, AnEmptyKeyAndABinaryKeyAreKeys) {
  const std::string binary("\0\xff\n/", 4);
  for (const std::string& key : {std::string(), binary, std::string(65'536, 'k')}) {
    ASSERT_EQ(Begin(group_, key, queue_, 1, &answer_), COHORT_BEGIN_PENDING);
    Event load = TakeOne(loads_);
    EXPECT_EQ(load.data(), key);
    Complete(load.TakeLoad(), "v");
    EXPECT_EQ(TakeOne(queue_)->status, COHORT_OK);
    EXPECT_TRUE(Cached(group_, key));
  }
}

}  // namespace
}  // namespace capi_test
