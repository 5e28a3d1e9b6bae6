// Changing: set, remove and remove_keys, in their three forms.
#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

struct Dones {
  Gate gate;
  std::mutex mutex;
  std::vector<std::pair<cohort_status_t, std::string>> ends;
  static void Call(void* user, cohort_status_t status, const char* message, size_t message_size) {
    auto* self = static_cast<Dones*>(user);
    {
      std::lock_guard<std::mutex> lock(self->mutex);
      self->ends.emplace_back(status, std::string(message, message_size));
    }
    self->gate.Add();
  }
};

class GroupChanges : public ::testing::Test {
 protected:
  Owned<cohort_queue_t> queue_ = NewQueue();
  Owned<cohort_instance_t> instance_ = NewInstance();
  Owned<cohort_group_t> group_ = NewGroup(instance_, Echo());
  Error error_;

  void Put(const std::string& key, const std::string& value) {
    EXPECT_EQ(cohort_group_set(group_.get(), key.data(), key.size(), value.data(), value.size(), 0, 0, error_),
              COHORT_OK);
  }
};

TEST_F(GroupChanges, ASetIsGot) {
  Put("k", "set");
  EXPECT_EQ(Got(group_, "k"), "set");
  Put("k", std::string("\0again", 6));
  EXPECT_EQ(Got(group_, "k"), std::string("\0again", 6));
  EXPECT_EQ(StatsOf(group_).sets, 2);
  EXPECT_EQ(StatsOf(group_).local_loads, 0);
}

TEST_F(GroupChanges, ASetOfTheExpiredRemoves) {
  Put("k", "set");
  EXPECT_EQ(cohort_group_set(group_.get(), "k", 1, "x", 1, 1, 0, error_), COHORT_OK);
  EXPECT_FALSE(Cached(group_, "k"));
}

TEST_F(GroupChanges, ARemovedKeyIsLoadedAgain) {
  Put("k", "set");
  EXPECT_EQ(cohort_group_remove(group_.get(), "k", 1, 0, error_), COHORT_OK);
  EXPECT_EQ(Got(group_, "k"), "v:k");
  EXPECT_EQ(cohort_group_remove(group_.get(), "never", 5, 0, error_), COHORT_OK);
}

TEST_F(GroupChanges, KeysAreRemovedTogether) {
  for (const char* key : {"a", "bb", "c"}) Put(key, "set");
  const int64_t sizes[] = {1, 2};
  EXPECT_EQ(cohort_group_remove_keys(group_.get(), "abb", 3, sizes, 2, 0, error_), COHORT_OK) << error_.message();
  EXPECT_FALSE(Cached(group_, "a"));
  EXPECT_FALSE(Cached(group_, "bb"));
  EXPECT_TRUE(Cached(group_, "c"));
  EXPECT_EQ(cohort_group_remove_keys(group_.get(), nullptr, 0, nullptr, 0, 0, error_), COHORT_OK);
  EXPECT_EQ(StatsOf(group_).remove_keys_requests, 1);
  EXPECT_EQ(StatsOf(group_).removed_keys, 2);
}

TEST_F(GroupChanges, EachEndComesToTheQueueOnce) {
  ASSERT_EQ(cohort_group_set_queue(group_.get(), "k", 1, "v", 1, 0, 0, queue_.get(), 1, error_), COHORT_OK);
  Event end = TakeOne(queue_);
  EXPECT_EQ(end->kind, COHORT_EVENT_DONE);
  EXPECT_EQ(end->tag, 1U);
  EXPECT_EQ(end->status, COHORT_OK);
  EXPECT_EQ(end->value, nullptr);
  EXPECT_EQ(end->size, 0);
  ASSERT_EQ(cohort_group_remove_queue(group_.get(), "k", 1, 0, queue_.get(), 2, error_), COHORT_OK);
  EXPECT_EQ(TakeOne(queue_)->tag, 2U);
  const int64_t size = 1;
  ASSERT_EQ(cohort_group_remove_keys_queue(group_.get(), "k", 1, &size, 1, 0, queue_.get(), 3, error_), COHORT_OK);
  EXPECT_EQ(TakeOne(queue_)->tag, 3U);
  EXPECT_TRUE(Empty(queue_));
}

TEST_F(GroupChanges, WhatEndsAtOnceSaysSoAtOnce) {
  ASSERT_EQ(cohort_group_begin_set(group_.get(), "k", 1, "set", 3, 0, 0, queue_.get(), 1, error_), COHORT_BEGIN_DONE);
  EXPECT_EQ(Got(group_, "k"), "set");
  ASSERT_EQ(cohort_group_begin_remove(group_.get(), "k", 1, 0, queue_.get(), 2, error_), COHORT_BEGIN_DONE);
  EXPECT_FALSE(Cached(group_, "k"));
  EXPECT_TRUE(Empty(queue_));
  cohort_queue_close(queue_.get());
  EXPECT_EQ(cohort_queue_drained(queue_.get()), 1) << "nothing is announced that will not come";
}

TEST_F(GroupChanges, EachEndIsCalledOnce) {
  Dones dones;
  ASSERT_EQ(cohort_group_set_async(group_.get(), "k", 1, "v", 1, 0, 0, &Dones::Call, &dones, error_), COHORT_OK);
  ASSERT_EQ(cohort_group_remove_async(group_.get(), "k", 1, 0, &Dones::Call, &dones, error_), COHORT_OK);
  const int64_t size = 1;
  ASSERT_EQ(cohort_group_remove_keys_async(group_.get(), "k", 1, &size, 1, 0, &Dones::Call, &dones, error_), COHORT_OK);
  dones.gate.WaitFor(3);
  for (const auto& end : dones.ends) EXPECT_EQ(end.first, COHORT_OK) << end.second;
  EXPECT_EQ(dones.ends.size(), 3U);
}

TEST_F(GroupChanges, AClosedQueueRefuses) {
  cohort_queue_close(queue_.get());
  const int64_t size = 1;
  EXPECT_EQ(cohort_group_set_queue(group_.get(), "k", 1, "v", 1, 0, 0, queue_.get(), 1, error_), COHORT_CLOSED);
  EXPECT_EQ(error_.message(), "the queue is closed");
  EXPECT_EQ(cohort_group_remove_queue(group_.get(), "k", 1, 0, queue_.get(), 1, error_), COHORT_CLOSED);
  EXPECT_EQ(cohort_group_remove_keys_queue(group_.get(), "k", 1, &size, 1, 0, queue_.get(), 1, error_), COHORT_CLOSED);
  EXPECT_EQ(cohort_group_begin_set(group_.get(), "k", 1, "v", 1, 0, 0, queue_.get(), 1, error_), -COHORT_CLOSED);
  EXPECT_EQ(cohort_group_begin_remove(group_.get(), "k", 1, 0, queue_.get(), 1, error_), -COHORT_CLOSED);
  EXPECT_FALSE(Cached(group_, "k"));
  EXPECT_EQ(cohort_queue_drained(queue_.get()), 1);
}

TEST_F(GroupChanges, WhatAPeerAsksForIsDoneHere) {
  EXPECT_EQ(cohort_group_local_set(group_.get(), "k", 1, "v", 1, 0, error_), COHORT_OK);
  EXPECT_EQ(Got(group_, "k"), "v");
  EXPECT_EQ(cohort_group_local_remove(group_.get(), "k", 1, error_), COHORT_OK);
  EXPECT_FALSE(Cached(group_, "k"));
  EXPECT_EQ(StatsOf(group_).sets_from_peers, 1);
  EXPECT_EQ(StatsOf(group_).removes_from_peers, 1);
}

TEST_F(GroupChanges, P10_BadInputIsNamedAndLeavesNothingBehind) {
  const auto set = [&](cohort_group_t* group, const char* key, size_t size, const void* value, size_t value_size) {
    return cohort_group_set(group, key, size, value, value_size, 0, 0, error_);
  };
  EXPECT_EQ(set(nullptr, "k", 1, "v", 1), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "group is NULL");
  EXPECT_EQ(set(group_.get(), "", 0, "v", 1), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "key is empty");
  EXPECT_EQ(set(group_.get(), nullptr, 1, "v", 1), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "key is NULL");
  EXPECT_EQ(set(group_.get(), "k", 65'537, "v", 1), COHORT_TOO_LARGE);
  EXPECT_EQ(set(group_.get(), "k", 1, nullptr, 1), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "value is NULL");
  EXPECT_EQ(set(group_.get(), "k", 1, "v", (size_t{1} << 30) + 1), COHORT_TOO_LARGE);
  EXPECT_EQ(cohort_group_set_queue(group_.get(), "k", 1, "v", 1, 0, 0, nullptr, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "queue is NULL");
  EXPECT_EQ(cohort_group_set_async(group_.get(), "k", 1, "v", 1, 0, 0, nullptr, nullptr, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "done is NULL");
  EXPECT_EQ(cohort_group_begin_set(group_.get(), "k", 1, "v", 1, 0, 0, nullptr, 0, error_), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "queue is NULL");
  EXPECT_EQ(cohort_group_begin_set(group_.get(), "", 0, "v", 1, 0, 0, queue_.get(), 0, error_),
            -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_begin_remove(nullptr, "k", 1, 0, queue_.get(), 0, error_), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_begin_remove(group_.get(), "k", 1, 0, nullptr, 0, error_), -COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove(nullptr, "k", 1, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove(group_.get(), nullptr, 1, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove_queue(group_.get(), "k", 1, 0, nullptr, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove_async(group_.get(), "k", 1, 0, nullptr, nullptr, error_), COHORT_INVALID_ARGUMENT);
  const int64_t sizes[] = {1, 1};
  EXPECT_EQ(cohort_group_remove_keys(nullptr, "ab", 2, sizes, 2, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove_keys(group_.get(), "abc", 3, sizes, 2, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove_keys(group_.get(), nullptr, 2, sizes, 2, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove_keys(group_.get(), "ab", 2, nullptr, 2, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove_keys(group_.get(), "ab", 2, sizes, 1'000'001, 0, error_), COHORT_TOO_LARGE);
  EXPECT_EQ(error_.message(), "count is 1000001; at most 1000000 keys go in one call");
  EXPECT_EQ(cohort_group_remove_keys_queue(group_.get(), "ab", 2, sizes, 2, 0, nullptr, 0, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_remove_keys_async(group_.get(), "ab", 2, sizes, 2, 0, nullptr, nullptr, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_local_set(nullptr, "k", 1, "v", 1, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_local_set(group_.get(), "", 0, "v", 1, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_local_remove(nullptr, "k", 1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_local_remove(group_.get(), nullptr, 1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(StatsOf(group_).sets + StatsOf(group_).removes + StatsOf(group_).remove_keys_requests, 0);
}

TEST_F(GroupChanges, AnyTimeoutIsFine) {
  for (const int64_t timeout_ms : {INT64_MIN, int64_t{-1}, INT64_MAX}) {
    EXPECT_EQ(cohort_group_set(group_.get(), "k", 1, "v", 1, 0, timeout_ms, error_), COHORT_OK);
    EXPECT_EQ(cohort_group_remove(group_.get(), "k", 1, timeout_ms, error_), COHORT_OK);
  }
}

TEST(GroupStats, AreWrittenUpToTheSizeThatIsAskedFor) {
  const Owned<cohort_instance_t> instance = NewInstance();
  const Owned<cohort_group_t> group = NewGroup(instance, Echo());
  Got(group, "k");
  Got(group, "k");
  cohort_group_stats_t stats = StatsOf(group);
  EXPECT_EQ(stats.gets, 2);
  EXPECT_EQ(stats.cache_hits, 1);
  EXPECT_EQ(stats.loads, 1);
  EXPECT_EQ(stats.loads_deduped, 1);
  EXPECT_EQ(stats.local_loads, 1);
  stats.cache_hits = -1;
  EXPECT_EQ(cohort_group_stats(group.get(), &stats, 8), 8);  // An older program knows the first field only.
  EXPECT_EQ(stats.gets, 2);
  EXPECT_EQ(stats.cache_hits, -1);
  EXPECT_EQ(cohort_group_stats(nullptr, &stats, sizeof stats), 0);
  EXPECT_EQ(cohort_group_stats(group.get(), nullptr, sizeof stats), 0);
  struct Larger {
    cohort_group_stats_t known;
    int64_t unknown;
  } larger{};
  EXPECT_EQ(cohort_group_stats(group.get(), &larger.known, sizeof larger), static_cast<int64_t>(sizeof stats));

  cohort_cache_stats_t cache;
  EXPECT_EQ(cohort_group_cache_stats(group.get(), COHORT_TIER_MAIN, &cache, sizeof cache),
            static_cast<int64_t>(sizeof cache));
  EXPECT_EQ(cache.items, 1);
  EXPECT_EQ(cache.bytes, 4);
  EXPECT_GT(cache.charged_bytes, 4);
  EXPECT_EQ(cohort_group_cache_stats(group.get(), COHORT_TIER_HOT, &cache, sizeof cache),
            static_cast<int64_t>(sizeof cache));
  EXPECT_EQ(cache.items, 0);
  EXPECT_EQ(cohort_group_cache_stats(group.get(), 0, &cache, sizeof cache), 0);
  EXPECT_EQ(cohort_group_cache_stats(group.get(), 3, &cache, sizeof cache), 0);
  EXPECT_EQ(cohort_group_cache_stats(nullptr, COHORT_TIER_HOT, &cache, sizeof cache), 0);
  EXPECT_EQ(cohort_group_cache_stats(group.get(), COHORT_TIER_HOT, nullptr, sizeof cache), 0);
}

TEST(GroupInput, P10_NullsAreHarmless) {
  Error error;
  EXPECT_STREQ(cohort_group_name(nullptr), "");
  EXPECT_EQ(cohort_group_name_size(nullptr), 0);
  EXPECT_EQ(cohort_group_reset_cache(nullptr, 1, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "group is NULL");
  cohort_group_free(nullptr);
}

}  // namespace
}  // namespace capi_test
