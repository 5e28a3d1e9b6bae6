// The library as a guest in a process: forks, threads, signals, memory.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "capi/allocations.h"
#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COHORT_NO_THREADS_AFTER_FORK 1
#endif
#if __has_feature(address_sanitizer)
#define COHORT_NO_MEMORY_AFTER_FORK 1
#endif
#endif

TEST(Memory, AHitAllocatesNothing) {
  if (Allocations() < 0) GTEST_SKIP() << "a sanitizer counts its own way";
  const Owned<cohort_instance_t> instance = NewInstance();
  const Owned<cohort_group_t> group = NewGroup(instance, Echo());
  const Owned<cohort_queue_t> queue = NewQueue();
  const std::string key(100, 'k');
  const std::string value = Got(group, key);
  std::string buf(value.size(), '.');
  Error error;
  cohort_answer_t answer;
  const auto begin = [&](size_t cap) {
    return cohort_group_begin(group.get(), key.data(), key.size(), buf.data(), cap, COHORT_GET_CAN_LEAD, 1'000,
                              queue.get(), 1, &answer, error);
  };
  ASSERT_EQ(begin(buf.size()), COHORT_BEGIN_HIT);  // Whatever is made once for a thread is made now.
  const int64_t before = Allocations();
  EXPECT_EQ(begin(buf.size()), COHORT_BEGIN_HIT);
  EXPECT_EQ(Allocations() - before, 0) << "begin, copied";
  EXPECT_EQ(begin(0), COHORT_BEGIN_HIT);
  cohort_value_free(answer.value);
  EXPECT_EQ(Allocations() - before, 0) << "begin, not copied";
  EXPECT_EQ(cohort_group_try_copy(group.get(), key.data(), key.size(), buf.data(), buf.size()),
            static_cast<int64_t>(buf.size()));
  EXPECT_EQ(Allocations() - before, 0) << "try_copy";
  cohort_value_free(cohort_group_lookup(group.get(), key.data(), key.size()));
  EXPECT_EQ(Allocations() - before, 0) << "lookup";
  cohort_value_free(cohort_group_get(group.get(), key.data(), key.size(), 0, 1'000, error));
  EXPECT_EQ(Allocations() - before, 0) << "get";
  EXPECT_EQ(cohort_group_try_copy(group.get(), "absent", 6, nullptr, 0), -1);
  EXPECT_EQ(Allocations() - before, 0) << "a miss of try_copy";
  EXPECT_EQ(buf, value);
  std::string counted(100, 'x');
  EXPECT_GT(Allocations() - before, 0) << "the counter does not count";
}

TEST(Threads, P8_TenThousandWaitingGetsNeedNone) {
  if (CountThreads() < 0) GTEST_SKIP() << "no /proc here";
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_queue_t> queue = NewQueue();
  const Owned<cohort_instance_t> instance = NewInstance();
  const Owned<cohort_group_t> group = NewGroup(instance, OptionsWithQueue(loads, 0));
  const int before = CountThreads();
  constexpr uint64_t kGets = 10'000;
  for (uint64_t i = 0; i < kGets; ++i) {
    cohort_answer_t answer;
    ASSERT_EQ(Begin(group, std::to_string(i / 2), queue, i, &answer, 0, kPatienceMs), COHORT_BEGIN_PENDING);
  }
  EXPECT_EQ(StatsOf(group).waiting, static_cast<int64_t>(kGets));
  EXPECT_LE(CountThreads(), before + 4);
  for (Event& load : Take(loads, kGets / 2)) Complete(load.TakeLoad(), "v");
  EXPECT_EQ(Take(queue, kGets).size(), kGets);
}

TEST(Signals, TheDispositionOfSigpipeIsTheHosts) {
  struct sigaction before;
  ASSERT_EQ(sigaction(SIGPIPE, nullptr, &before), 0);
  {
    const Owned<cohort_instance_t> a = NewInstance();
    const Owned<cohort_instance_t> b = NewInstance();
    const Owned<cohort_group_t> at_a = NewGroup(a, Echo());
    const Owned<cohort_group_t> at_b = NewGroup(b, Echo());
    const std::string address_a = Listen(a);
    const std::string address_b = Listen(b);
    SetPeers(a, {address_a, address_b}, address_a);
    EXPECT_EQ(Got(at_a, KeyOf(a, address_b)).substr(0, 2), "v:");
    struct sigaction during;
    ASSERT_EQ(sigaction(SIGPIPE, nullptr, &during), 0);
    EXPECT_EQ(during.sa_handler, before.sa_handler);
    constexpr int kRestorer = 0x04000000;  // Added by libc itself whenever a disposition is set.
    EXPECT_EQ(during.sa_flags | kRestorer, before.sa_flags | kRestorer);
  }
  struct sigaction after;
  ASSERT_EQ(sigaction(SIGPIPE, nullptr, &after), 0);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
}

// Runs `body` in a forked child: 0 is what it returns when all is well.
int InChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1'000 + WTERMSIG(status);
}

class Fork : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(COHORT_NO_MEMORY_AFTER_FORK)
    GTEST_SKIP() << "clang 14's address sanitizer forks its allocator as it is, locked by whatever thread uses it";
#endif
  }

  Owned<cohort_queue_t> queue_ = NewQueue();
  Owned<cohort_queue_t> loads_ = NewQueue();
  Owned<cohort_transport_t> transport_{cohort_transport_new_http(nullptr)};
  Owned<cohort_instance_options_t> instance_options_{cohort_instance_options_new()};
  Owned<cohort_group_options_t> group_options_ = Echo();
  Owned<cohort_instance_t> instance_ = NewInstance(instance_options_);
  Owned<cohort_group_t> group_ = NewGroup(instance_, group_options_);
  Owned<cohort_group_t> queued_ = NewGroup(instance_, OptionsWithQueue(loads_, 0), "queued");
};

TEST_F(Fork, InheritedHandlesSayForkedInTheChild) {
  Listen(instance_);
  Got(group_, "k");
  cohort_answer_t answer;
  ASSERT_EQ(Begin(queued_, "k", queue_, 1, &answer), COHORT_BEGIN_PENDING);
  Event load = TakeOne(loads_);
  EXPECT_EQ(
      InChild([&] {
        int line = 0;
        const auto expect = [&line](bool holds, int at) {
          if (!holds && line == 0) line = at;
        };
        Error error;
        cohort_answer_t mine;
        const int64_t size = 1;
        expect(Begin(group_, "k", queue_, 2, &mine, 0, 0, error) == -COHORT_FORKED, 1);
        expect(error.message() == "group was made by the parent process; make one of your own after fork", 2);
        expect(cohort_group_get(group_.get(), "k", 1, 0, 0, error) == nullptr && error.status() == COHORT_FORKED, 3);
        expect(cohort_group_try_copy(group_.get(), "k", 1, nullptr, 0) == -1, 4);
        expect(cohort_group_lookup(group_.get(), "k", 1) == nullptr, 5);
        expect(cohort_group_set(group_.get(), "k", 1, "v", 1, 0, 0, error) == COHORT_FORKED, 6);
        expect(cohort_group_remove(group_.get(), "k", 1, 0, error) == COHORT_FORKED, 7);
        expect(cohort_group_remove_keys(group_.get(), "k", 1, &size, 1, 0, error) == COHORT_FORKED, 8);
        expect(cohort_group_reset_cache(group_.get(), 1, error) == COHORT_FORKED, 9);
        cohort_group_stats_t stats;
        expect(cohort_group_stats(group_.get(), &stats, sizeof stats) == 0, 10);
        expect(cohort_group_cancel(group_.get(), answer.ticket) == 0, 11);
        expect(cohort_instance_listen(instance_.get(), "h:1", 3, error) == COHORT_FORKED, 12);
        expect(cohort_instance_shutdown(instance_.get(), 0, error) == COHORT_FORKED, 13);
        expect(cohort_instance_set_peers(instance_.get(), "", 0, "", 0, error) == COHORT_FORKED, 14);
        expect(cohort_instance_owner(instance_.get(), "k", 1, error) == nullptr, 15);
        expect(cohort_instance_new_group(instance_.get(), "n", 1, nullptr, error) == nullptr, 16);
        expect(cohort_instance_handle_request(instance_.get(), "GET", 3, "/", 1, nullptr, 0, nullptr, 0, 0,
                                              queue_.get(), 0, error) == COHORT_FORKED,
               17);
        cohort_event_t event;
        expect(cohort_queue_wait(queue_.get(), &event, 1, -1) == 0, 18);
        expect(cohort_queue_fd(queue_.get(), error) == -1 && error.status() == COHORT_FORKED, 19);
        expect(cohort_queue_drained(queue_.get()) == 1, 20);
        expect(cohort_load_complete(load->load, "v", 1, 0, error) == COHORT_FORKED, 21);
        expect(cohort_load_time_left_ms(load->load) == 0, 22);
        expect(cohort_load_fail(load->load, COHORT_LOAD_FAILED, nullptr, 0, 0) == 0, 23);
        expect(cohort_group_options_set_cache_bytes(group_options_.get(), 1, error) == COHORT_FORKED, 24);
        expect(cohort_instance_options_set_replicas(instance_options_.get(), 1, error) == COHORT_FORKED, 25);
        expect(cohort_transport_set_limit(transport_.get(), 1, 1, error) == COHORT_FORKED, 26);
        expect(cohort_instance_new(instance_options_.get(), error) == nullptr && error.status() == COHORT_FORKED, 27);
        // Freeing them closes nothing of the parent's, waits for nothing and joins nobody.
        cohort_queue_close(queue_.get());
        cohort_load_free(load->load);
        cohort_group_free(group_.release());
        cohort_instance_free(instance_.release());
        cohort_queue_free(queue_.release());
        cohort_group_options_free(group_options_.release());
        cohort_instance_options_free(instance_options_.release());
        cohort_transport_free(transport_.release());
        return line;
      }),
      0);
  // The parent goes on as if nothing had been.
  Complete(load.TakeLoad(), "v");
  EXPECT_EQ(TakeOne(queue_).data(), "v");
  EXPECT_EQ(Got(group_, "other"), "v:other");
}

TEST_F(Fork, ValuesAndErrorsGoOnInTheChild) {
  Owned<cohort_value_t> value = Get(group_, "k", nullptr);
  Error error;
  EXPECT_EQ(InChild([&] {
              if (Bytes(value) != "v:k") return 1;
              if (cohort_instance_shutdown(nullptr, 0, error) != COHORT_INVALID_ARGUMENT) return 2;
              if (error.message() != "instance is NULL") return 3;
              cohort_value_free(cohort_value_clone(value.get()));
              cohort_value_free(value.release());
              return 0;
            }),
            0);
}

TEST_F(Fork, TheChildMakesItsOwn) {
#if defined(COHORT_NO_THREADS_AFTER_FORK)
  GTEST_SKIP() << "the thread sanitizer allows no threads after a fork";
#endif
  Listen(instance_);
  Got(group_, "k");
  EXPECT_EQ(InChild([&] {
              const Owned<cohort_instance_t> own = NewInstance();
              const Owned<cohort_group_t> group = NewGroup(own, Echo());
              Listen(own);
              if (Got(group, "k") != "v:k") return 1;
              // And forks again.
              return InChild([&] {
                Error error;
                return cohort_group_set(group.get(), "k", 1, "v", 1, 0, 0, error) == COHORT_FORKED ? 0 : 2;
              });
            }),
            0);
  EXPECT_EQ(Got(group_, "k"), "v:k");
}

}  // namespace
}  // namespace capi_test
