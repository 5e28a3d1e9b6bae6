// Group options, and what they make of a group.
#include <chrono>

#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

class GroupOptions : public ::testing::Test {
 protected:
  Owned<cohort_group_options_t> options_ = Echo();
  Owned<cohort_instance_t> instance_ = NewInstance();
  Error error_;
};

TEST_F(GroupOptions, P10_EachSetterChecksAtOnce) {
  cohort_group_options_t* const options = options_.get();
  EXPECT_EQ(cohort_group_options_set_max_entries(options, -1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_options_set_policy(options, COHORT_POLICY_ADAPTIVE, error_), COHORT_OK);
  EXPECT_EQ(cohort_group_options_set_policy(options, 2, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "policy is 2; it must be from 0 to 1");
  EXPECT_EQ(cohort_group_options_set_load_timeout_ms(options, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "load_timeout_ms is 0; it must be from 1 to 86400000");
  EXPECT_EQ(cohort_group_options_set_load_timeout_ms(options, 86'400'001, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_options_set_getter(options, nullptr, nullptr, nullptr, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "getter is NULL");
  EXPECT_EQ(cohort_group_options_set_getter_queue(options, nullptr, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "queue is NULL");
  EXPECT_EQ(cohort_group_options_set_eviction_listener(options, nullptr, nullptr, nullptr, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "evicted is NULL");
  const auto get = [](void*, const char*, size_t) -> cohort_value_t* { return nullptr; };
  const auto add = [](void*, const char*, size_t, const cohort_value_t*) {};
  const auto remove = [](void*, const char*, size_t) {};
  EXPECT_EQ(cohort_group_options_set_cache(options, 3, get, add, remove, nullptr, nullptr, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "tier is 3; it must be from 1 to 2");
  EXPECT_EQ(cohort_group_options_set_cache(options, 1, nullptr, add, remove, nullptr, nullptr, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "get is NULL");
  EXPECT_EQ(cohort_group_options_set_cache(options, 1, get, nullptr, remove, nullptr, nullptr, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_options_set_cache(options, 1, get, add, nullptr, nullptr, nullptr, error_),
            COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_options_set_cache_bytes(nullptr, 1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "options is NULL");
  EXPECT_EQ(cohort_group_options_set_max_entries(nullptr, 1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_options_set_policy(nullptr, 0, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_options_set_load_timeout_ms(nullptr, 1, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_group_options_set_getter_queue(nullptr, nullptr, 0, error_), COHORT_INVALID_ARGUMENT);
  cohort_group_options_free(nullptr);
}

// Keys that are asked for again and again, and then many that are asked for once.
TEST_F(GroupOptions, AdaptiveKeepsWhatIsPopularBesideAScanAndLruDoesNot) {
  for (const int32_t policy : {COHORT_POLICY_LRU, COHORT_POLICY_ADAPTIVE}) {
    Owned<cohort_group_options_t> options = Echo();
    ASSERT_EQ(cohort_group_options_set_max_entries(options.get(), 16, error_), COHORT_OK);
    ASSERT_EQ(cohort_group_options_set_policy(options.get(), policy, error_), COHORT_OK);
    const Owned<cohort_instance_t> instance = NewInstance();
    const Owned<cohort_group_t> group = NewGroup(instance, options);
    for (int round = 0; round < 5; ++round) {
      for (int i = 0; i < 10; ++i) Got(group, "popular" + std::to_string(i));
    }
    for (int i = 0; i < 100; ++i) Got(group, "once" + std::to_string(i));
    int kept = 0;
    for (int i = 0; i < 10; ++i) kept += Cached(group, "popular" + std::to_string(i)) ? 1 : 0;
    if (policy == COHORT_POLICY_LRU) {
      EXPECT_EQ(kept, 0);
    } else {
      EXPECT_GE(kept, 8);
    }
  }
}

TEST_F(GroupOptions, ABudgetOfZeroKeepsNothing) {
  ASSERT_EQ(cohort_group_options_set_cache_bytes(options_.get(), 0, error_), COHORT_OK);
  const Owned<cohort_group_t> group = NewGroup(instance_, options_);
  EXPECT_EQ(Got(group, "k"), "v:k");
  EXPECT_FALSE(Cached(group, "k"));
  ASSERT_EQ(cohort_group_reset_cache(group.get(), 1 << 20, error_), COHORT_OK);
  EXPECT_EQ(Got(group, "k"), "v:k");
  EXPECT_TRUE(Cached(group, "k"));
}

TEST_F(GroupOptions, P4_ALoadHasALongestTime) {
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_queue_t> queue = NewQueue();
  options_ = OptionsWithQueue(loads, 0);
  ASSERT_EQ(cohort_group_options_set_load_timeout_ms(options_.get(), 1, error_), COHORT_OK);
  const Owned<cohort_group_t> group = NewGroup(instance_, options_);
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group, "k", queue, 1, &answer), COHORT_BEGIN_PENDING);
  const Event end = TakeOne(queue);
  EXPECT_EQ(end->status, COHORT_TIMEOUT);
  EXPECT_EQ(end.data(), "the load took longer than 1 ms");
  // What comes later is ignored.
  Complete(TakeOne(loads).TakeLoad(), "late");
  EXPECT_TRUE(Empty(queue));
  EXPECT_FALSE(Cached(group, "k"));
}

struct Evicted {
  Gate gate;
  std::mutex mutex;
  std::vector<std::string> lines;
  static void Call(void* user, int32_t tier, int32_t reason, const char* key, size_t key_size,
                   const cohort_value_t* value) {
    auto* self = static_cast<Evicted*>(user);
    {
      std::lock_guard<std::mutex> lock(self->mutex);
      self->lines.push_back(std::to_string(tier) + " " + std::to_string(reason) + " " + std::string(key, key_size) +
                            "=" + Bytes(value));
    }
    self->gate.Add();
  }
};

TEST_F(GroupOptions, TheListenerIsToldOfWhatLeavesForRoom) {
  Evicted evicted;
  ASSERT_EQ(cohort_group_options_set_max_entries(options_.get(), 8, error_), COHORT_OK);
  ASSERT_EQ(cohort_group_options_set_eviction_listener(options_.get(), &Evicted::Call, nullptr, &evicted, error_),
            COHORT_OK);
  const Owned<cohort_group_t> group = NewGroup(instance_, options_);
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h"}) Got(group, key);
  evicted.gate.WaitFor(1);
  EXPECT_EQ(evicted.lines, std::vector<std::string>{"1 1 a=v:a"});
  ASSERT_EQ(cohort_group_remove(group.get(), "b", 1, 0, error_), COHORT_OK);
  ASSERT_EQ(cohort_group_set(group.get(), "c", 1, "x", 1, 0, 0, error_), COHORT_OK);
  instance_.reset();
  EXPECT_EQ(evicted.gate.count(), 1);  // Not of Remove, Set or closing.
}

TEST_F(GroupOptions, TheListenerIsToldOfWhatExpires) {
  Evicted evicted;
  ASSERT_EQ(cohort_group_options_set_eviction_listener(options_.get(), &Evicted::Call, nullptr, &evicted, error_),
            COHORT_OK);
  const Owned<cohort_group_t> group = NewGroup(instance_, options_);
  const int64_t soon_unix_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(
          (std::chrono::system_clock::now() + std::chrono::milliseconds(20)).time_since_epoch())
          .count();
  ASSERT_EQ(cohort_group_set(group.get(), "k", 1, "x", 1, soon_unix_ns, 0, error_), COHORT_OK);
  while (Cached(group, "k")) {
  }
  evicted.gate.WaitFor(1);
  EXPECT_EQ(evicted.lines, std::vector<std::string>{"1 2 k=x"});
}

TEST_F(GroupOptions, AQueueReplacesAGetterAndTheOtherWayRound) {
  Destroyed destroyed;
  const auto getter = [](void*, cohort_load_t* load, const char*, size_t) {
    cohort_load_complete(load, "from the function", 17, 0, nullptr);
  };
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_queue_t> queue = NewQueue();
  ASSERT_EQ(cohort_group_options_set_getter(options_.get(), getter, &Destroyed::Call, &destroyed, error_), COHORT_OK);
  ASSERT_EQ(cohort_group_options_set_getter_queue(options_.get(), loads.get(), 3, error_), COHORT_OK);
  EXPECT_EQ(destroyed.count, 1);
  const Owned<cohort_group_t> by_queue = NewGroup(instance_, options_, "by queue");
  cohort_answer_t answer;
  ASSERT_EQ(Begin(by_queue, "k", queue, 1, &answer), COHORT_BEGIN_PENDING);
  EXPECT_EQ(TakeOne(loads)->tag, 3U);
  ASSERT_EQ(cohort_group_options_set_getter(options_.get(), getter, nullptr, nullptr, error_), COHORT_OK);
  EXPECT_EQ(Got(NewGroup(instance_, options_, "by function"), "k"), "from the function");
}

// A cache of the program's own: a map that counts.
struct MapCache {
  std::mutex mutex;
  std::map<std::string, cohort_value_t*> entries;
  int cleared = 0;
  ~MapCache() {
    for (auto& entry : entries) cohort_value_free(entry.second);
  }
  static cohort_value_t* Get(void* user, const char* key, size_t key_size) {
    auto* self = static_cast<MapCache*>(user);
    std::lock_guard<std::mutex> lock(self->mutex);
    const auto found = self->entries.find(std::string(key, key_size));
    return found == self->entries.end() ? nullptr : cohort_value_clone(found->second);
  }
  static void Add(void* user, const char* key, size_t key_size, const cohort_value_t* value) {
    auto* self = static_cast<MapCache*>(user);
    std::lock_guard<std::mutex> lock(self->mutex);
    cohort_value_free(std::exchange(self->entries[std::string(key, key_size)], cohort_value_clone(value)));
  }
  static void Remove(void* user, const char* key, size_t key_size) {
    auto* self = static_cast<MapCache*>(user);
    std::lock_guard<std::mutex> lock(self->mutex);
    if (key == nullptr) {
      ++self->cleared;
      for (auto& entry : self->entries) cohort_value_free(entry.second);
      self->entries.clear();
      return;
    }
    const auto found = self->entries.find(std::string(key, key_size));
    if (found == self->entries.end()) return;
    cohort_value_free(found->second);
    self->entries.erase(found);
  }
  size_t size() {
    std::lock_guard<std::mutex> lock(mutex);
    return entries.size();
  }
};

TEST_F(GroupOptions, ACacheOfTheProgramsOwnHoldsTheMainTier) {
  MapCache cache;
  ASSERT_EQ(cohort_group_options_set_cache(options_.get(), COHORT_TIER_MAIN, &MapCache::Get, &MapCache::Add,
                                           &MapCache::Remove, nullptr, &cache, error_),
            COHORT_OK);
  const Owned<cohort_group_t> group = NewGroup(instance_, options_);
  EXPECT_EQ(Got(group, "k"), "v:k");
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(Got(group, "k"), "v:k");
  EXPECT_EQ(StatsOf(group).local_loads, 1);
  EXPECT_EQ(Got(group, ""), "v:");  // An empty key is a key, and not the call that clears.
  ASSERT_EQ(cohort_group_remove(group.get(), "", 0, 0, error_), COHORT_OK);
  EXPECT_EQ(cache.cleared, 0);
  EXPECT_EQ(cache.size(), 1U);
  ASSERT_EQ(cohort_group_set(group.get(), "k", 1, "x", 1, 0, 0, error_), COHORT_OK);
  EXPECT_EQ(Got(group, "k"), "x");
  ASSERT_EQ(cohort_group_remove(group.get(), "k", 1, 0, error_), COHORT_OK);
  EXPECT_EQ(cache.size(), 0U);
  ASSERT_EQ(cohort_group_reset_cache(group.get(), 1 << 20, error_), COHORT_OK);
  EXPECT_EQ(cache.cleared, 1);
  instance_.reset();
}

TEST_F(GroupOptions, P2_ALoadThatARemoveOvertookNeverFillsACacheOfTheProgramsOwn) {
  MapCache cache;
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_queue_t> queue = NewQueue();
  options_ = OptionsWithQueue(loads, 0);
  ASSERT_EQ(cohort_group_options_set_cache(options_.get(), COHORT_TIER_MAIN, &MapCache::Get, &MapCache::Add,
                                           &MapCache::Remove, nullptr, &cache, error_),
            COHORT_OK);
  const Owned<cohort_group_t> group = NewGroup(instance_, options_);
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group, "k", queue, 1, &answer), COHORT_BEGIN_PENDING);
  Event old_load = TakeOne(loads);
  ASSERT_EQ(cohort_group_remove(group.get(), "k", 1, 0, error_), COHORT_OK);
  ASSERT_EQ(Begin(group, "k", queue, 2, &answer), COHORT_BEGIN_PENDING);
  Event new_load = TakeOne(loads);  // It does not join the old one.
  Complete(new_load.TakeLoad(), "new");
  const Event new_end = TakeOne(queue);
  EXPECT_EQ(new_end->tag, 2U);
  EXPECT_EQ(new_end->flags, 0);
  Complete(old_load.TakeLoad(), "old");
  const Event old_end = TakeOne(queue);
  EXPECT_EQ(old_end->tag, 1U);
  EXPECT_EQ(old_end.data(), "old");
  EXPECT_EQ(old_end->flags, COHORT_EVENT_OVERTAKEN);
  EXPECT_EQ(Got(group, "k"), "new");
  EXPECT_EQ(StatsOf(group).overtaken_loads, 1);
  instance_.reset();
}

}  // namespace
}  // namespace capi_test
