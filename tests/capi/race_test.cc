// P4 under races: whatever happens at once, every accepted operation ends exactly once.
#include <array>
#include <thread>

#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define COHORT_SLOW_BUILD 1
#endif
#endif
#if defined(COHORT_SLOW_BUILD)
constexpr int kRounds = 60;
#else
constexpr int kRounds = 300;
#endif

// Threads that begin together.
class Together {
 public:
  explicit Together(std::vector<std::function<void()>> bodies) {
    for (auto& body : bodies) {
      threads_.emplace_back([this, body = std::move(body)] {
        ready_.fetch_add(1);
        while (!go_) std::this_thread::yield();
        body();
      });
    }
    while (ready_ < static_cast<int>(threads_.size())) std::this_thread::yield();
    go_ = true;
  }
  ~Together() {
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::vector<std::thread> threads_;
  std::atomic<int> ready_{0};
  std::atomic<bool> go_{false};
};

// What a queue's events have said, by tag.
class Ledger {
 public:
  explicit Ledger(size_t tags) : seen_(tags) {}
  void Read(const Owned<cohort_queue_t>& queue) {
    std::array<cohort_event_t, 16> events;
    while (cohort_queue_drained(queue.get()) == 0) {
      const int64_t n = cohort_queue_wait(queue.get(), events.data(), events.size(), -1);
      for (int64_t i = 0; i < n; ++i) Count(&events[static_cast<size_t>(i)]);
    }
  }
  void Count(cohort_event_t* event) {
    if (event->kind == COHORT_EVENT_GET || event->kind == COHORT_EVENT_LEAD || event->kind == COHORT_EVENT_DONE) {
      ++seen_.at(event->tag);
      ++by_status_[event->status];
    }
    cohort_event_release(event);
  }
  void Refused(uint64_t tag) { refused_.insert(tag); }
  void ExpectEachOnce() const {
    for (size_t tag = 0; tag < seen_.size(); ++tag) {
      EXPECT_EQ(seen_[tag], refused_.count(tag) != 0 ? 0 : 1) << "tag " << tag;
    }
  }
  int count(cohort_status_t status) const {
    const auto found = by_status_.find(status);
    return found == by_status_.end() ? 0 : found->second;
  }

 private:
  std::vector<int> seen_;
  std::set<uint64_t> refused_;
  std::map<cohort_status_t, int> by_status_;
};

// Gets that wait for loads which the test ends.
class Race : public ::testing::Test {
 protected:
  static constexpr size_t kGets = 24;
  void StartRound(int64_t timeout_ms) {
    loads_ = NewQueue();
    queue_ = NewQueue();
    instance_ = NewInstance();
    group_ = NewGroup(instance_, OptionsWithQueue(loads_, 0));
    ledger_ = std::make_unique<Ledger>(kGets);
    for (size_t i = 0; i < kGets; ++i) {
      cohort_answer_t answer;
      ASSERT_EQ(Begin(group_, "k" + std::to_string(i % 4), queue_, i, &answer, 0, i % 2 == 0 ? timeout_ms : 0),
                COHORT_BEGIN_PENDING);
      tickets_[i] = answer.ticket;
    }
  }
  void CompleteLoads() {
    cohort_event_t event;
    while (cohort_queue_wait(loads_.get(), &event, 1, 0) == 1) {
      cohort_load_complete(std::exchange(event.load, nullptr), "v", 1, 0, nullptr);
      cohort_event_release(&event);
    }
  }
  void CancelAll() {
    for (const uint64_t ticket : tickets_) cohort_group_cancel(group_.get(), ticket);
  }

  Owned<cohort_queue_t> loads_;
  Owned<cohort_queue_t> queue_;
  Owned<cohort_instance_t> instance_;
  Owned<cohort_group_t> group_;
  std::unique_ptr<Ledger> ledger_;
  std::array<uint64_t, kGets> tickets_{};
};

TEST_F(Race, P4_CompletionCancelTimeoutAndQueueCloseAtOnce) {
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_NO_FATAL_FAILURE(StartRound(1));
    {
      const Together together({[&] { CompleteLoads(); }, [&] { CancelAll(); },
                               [&] { cohort_queue_close(queue_.get()); }, [&] { ledger_->Read(queue_); }});
    }
    ledger_->ExpectEachOnce();
    EXPECT_EQ(cohort_queue_drained(queue_.get()), 1);
    EXPECT_EQ(StatsOf(group_).waiting, 0);
  }
}

TEST_F(Race, P4_CompletionCancelAndFreeingTheInstanceAtOnce) {
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_NO_FATAL_FAILURE(StartRound(1));
    {
      const Together together({[&] { CompleteLoads(); }, [&] { CancelAll(); }, [&] { instance_.reset(); }});
    }
    cohort_queue_close(queue_.get());
    ledger_->Read(queue_);
    ledger_->ExpectEachOnce();
  }
}

TEST_F(Race, P4_LeadersComeAndGoWhileTheQueueCloses) {
  for (int round = 0; round < kRounds; ++round) {
    loads_ = NewQueue();
    queue_ = NewQueue();
    instance_ = NewInstance();
    group_ = NewGroup(instance_, OptionsWithQueue(loads_, 0));
    ledger_ = std::make_unique<Ledger>(kGets);
    std::vector<cohort_load_t*> leads;
    std::mutex mutex;
    const auto begin = [&](size_t from) {
      for (size_t i = from; i < kGets; i += 2) {
        cohort_answer_t answer;
        const int32_t begun = Begin(group_, "k", queue_, i, &answer, COHORT_GET_CAN_LEAD);
        if (begun == COHORT_BEGIN_LEAD) {
          cohort_load_free(answer.load);
        } else if (begun == COHORT_BEGIN_HIT) {
          cohort_value_free(answer.value);
        }
        if (begun != COHORT_BEGIN_PENDING) {
          std::lock_guard<std::mutex> lock(mutex);
          ledger_->Refused(i);
        }
      }
    };
    {
      const Together together({[&] { begin(0); }, [&] { begin(1); }, [&] { ledger_->Read(queue_); },
                               [&] { cohort_queue_close(queue_.get()); }});
    }
    ledger_->ExpectEachOnce();
  }
}

TEST_F(Race, P4_ManyKeysWhileTheQueueCloses) {
  for (int round = 0; round < kRounds; ++round) {
    queue_ = NewQueue();
    instance_ = NewInstance();
    group_ = NewGroup(instance_, Echo());
    ledger_ = std::make_unique<Ledger>(kGets);
    {
      const Together together({[&] {
                                 const std::string keys(kGets, 'k');
                                 std::vector<int64_t> sizes(kGets, 1);
                                 std::array<cohort_answer_t, kGets> answers;
                                 std::string distinct;
                                 for (size_t i = 0; i < kGets; ++i) distinct += static_cast<char>('a' + i);
                                 const int64_t hits =
                                     cohort_group_begin_many(group_.get(), distinct.data(), kGets, sizes.data(), kGets,
                                                             0, 0, queue_.get(), 0, answers.data(), nullptr);
                                 EXPECT_TRUE(hits == 0 || hits == -COHORT_CLOSED);
                                 if (hits < 0) {
                                   for (size_t i = 0; i < kGets; ++i) ledger_->Refused(i);
                                 }
                               },
                               [&] { cohort_queue_close(queue_.get()); }});
    }
    ledger_->Read(queue_);
    ledger_->ExpectEachOnce();
  }
}

TEST_F(Race, P4_ChangesWhileTheQueueAndTheInstanceClose) {
  for (int round = 0; round < kRounds; ++round) {
    queue_ = NewQueue();
    instance_ = NewInstance();
    group_ = NewGroup(instance_, Echo());
    ledger_ = std::make_unique<Ledger>(kGets);
    const auto change = [&](size_t from) {
      for (size_t i = from; i < kGets; i += 2) {
        const int64_t size = 1;
        cohort_status_t status = COHORT_OK;
        if (i % 5 == 0) {
          status = cohort_group_set_queue(group_.get(), "k", 1, "v", 1, 0, 0, queue_.get(), i, nullptr);
        } else if (i % 5 == 1) {
          status = cohort_group_remove_queue(group_.get(), "k", 1, 0, queue_.get(), i, nullptr);
        } else if (i % 5 == 2) {
          status = cohort_group_begin_set(group_.get(), "k", 1, "v", 1, 0, 0, queue_.get(), i, nullptr);
          if (status == COHORT_BEGIN_PENDING) status = COHORT_OK;
        } else if (i % 5 == 3) {
          status = cohort_group_begin_remove(group_.get(), "k", 1, 0, queue_.get(), i, nullptr);
          if (status == COHORT_BEGIN_PENDING) status = COHORT_OK;
        } else {
          status = cohort_group_remove_keys_queue(group_.get(), "k", 1, &size, 1, 0, queue_.get(), i, nullptr);
        }
        static std::mutex mutex;
        std::lock_guard<std::mutex> lock(mutex);
        if (status != COHORT_OK) ledger_->Refused(i);
      }
    };
    {
      const Together together({[&] { change(0); }, [&] { change(1); }, [&] { cohort_queue_close(queue_.get()); },
                               [&] { cohort_instance_shutdown(instance_.get(), 0, nullptr); }});
    }
    ledger_->Read(queue_);
    ledger_->ExpectEachOnce();
  }
}

// Callbacks: each get_async is answered once, while the instance is being freed.
TEST_F(Race, P4_CallbacksComeOnceWhileTheInstanceCloses) {
  struct Count {
    std::array<std::atomic<int>, kGets> calls{};
  };
  for (int round = 0; round < kRounds; ++round) {
    Count count;
    struct User {
      Count* count;
      size_t index;
    };
    std::array<User, kGets> users;
    std::array<bool, kGets> accepted{};
    instance_ = NewInstance();
    group_ = NewGroup(instance_, Echo());
    {
      const Together together({[&] {
                                 for (size_t i = 0; i < kGets; ++i) {
                                   users[i] = {&count, i};
                                   const std::string key = std::to_string(i % 5);
                                   accepted[i] =
                                       cohort_group_get_async(
                                           group_.get(), key.data(), key.size(), 0, i % 2 == 0 ? 1 : 0,
                                           [](void* user, cohort_status_t, cohort_value_t* value, const char*, size_t) {
                                             cohort_value_free(value);
                                             auto* own = static_cast<User*>(user);
                                             own->count->calls[own->index].fetch_add(1);
                                           },
                                           &users[i], nullptr) != 0;
                                 }
                               },
                               [&] { cohort_instance_shutdown(instance_.get(), 0, nullptr); }});
    }
    instance_.reset();  // Its threads are gone: what has not been called by now never will be.
    for (size_t i = 0; i < kGets; ++i) EXPECT_EQ(count.calls[i], accepted[i] ? 1 : 0) << i;
  }
}

// A custom transport is asked, and answers, while the instance goes. (What is left over is what the leak checker
// finds.)
TEST_F(Race, P4_CustomRequestsWhileTheInstanceCloses) {
  for (int round = 0; round < kRounds; ++round) {
    const Owned<cohort_queue_t> sends = NewQueue();
    const Owned<cohort_transport_t> transport(cohort_transport_new_queue(COHORT_SEND_CALLS, sends.get(), 0, nullptr));
    queue_ = NewQueue();
    instance_ = NewInstance(transport);
    group_ = NewGroup(instance_, Echo());
    SetPeers(instance_, {"me", "you"}, "me");
    ledger_ = std::make_unique<Ledger>(kGets);
    std::vector<std::string> keys;
    for (size_t i = 0; i < kGets; ++i) keys.push_back(KeyOf(instance_, "you", std::to_string(i)));
    {
      const Together together({[&] {
                                 for (size_t i = 0; i < kGets; ++i) {
                                   cohort_answer_t answer;
                                   const int32_t begun = Begin(group_, keys[i], queue_, i, &answer, 0, 1 + i % 2);
                                   if (begun < 0) ledger_->Refused(i);
                                 }
                               },
                               [&] {
                                 cohort_event_t event;
                                 for (int i = 0; i < 20; ++i) {
                                   if (cohort_queue_wait(sends.get(), &event, 1, 0) == 0) continue;
                                   cohort_request_t* const request = std::exchange(event.request, nullptr);
                                   if (i % 2 == 0) cohort_request_reply(request, "v", 1, 0);
                                   if (i % 2 == 1) cohort_request_free(request);
                                   cohort_event_release(&event);
                                 }
                               },
                               [&] { instance_.reset(); }});
    }
    cohort_queue_close(queue_.get());
    ledger_->Read(queue_);
    ledger_->ExpectEachOnce();
  }
}

// Requests of peers are answered once while the instance closes, and never with the 503 or 404 that only a getter may
// say: the peer would take it as the last word and not load for itself.
TEST_F(Race, P4_RequestsOfPeersWhileTheInstanceCloses) {
  std::array<std::string, kGets> targets;
  for (size_t i = 0; i < kGets; ++i) targets[i] = "/_groupcache/g/k" + std::to_string(i % 5);
  for (int round = 0; round < kRounds; ++round) {
    queue_ = NewQueue();
    instance_ = NewInstance();
    group_ = NewGroup(instance_, Echo());
    std::array<bool, kGets> accepted{};
    {
      const Together together({[&] {
                                 for (size_t i = 0; i < kGets; ++i) {
                                   accepted[i] =
                                       cohort_instance_handle_request(instance_.get(), "GET", 3, targets[i].data(),
                                                                      targets[i].size(), nullptr, 0, nullptr, 0, 1'000,
                                                                      queue_.get(), i, nullptr) == COHORT_OK;
                                 }
                               },
                               [&] { cohort_instance_shutdown(instance_.get(), 0, nullptr); }});
    }
    instance_.reset();
    cohort_queue_close(queue_.get());
    std::array<int, kGets> answers{};
    cohort_event_t event;
    while (cohort_queue_wait(queue_.get(), &event, 1, 0) == 1) {
      ASSERT_EQ(event.kind, COHORT_EVENT_RESPONSE);
      ++answers.at(event.tag);
      cohort_response_view_t view;
      cohort_response_view(event.response, &view);
      EXPECT_TRUE(view.http_status == 200 || view.http_status == 500) << view.http_status;
      cohort_event_release(&event);
    }
    for (size_t i = 0; i < kGets; ++i) EXPECT_EQ(answers[i], accepted[i] ? 1 : 0) << i;
  }
}

// One queue for many threads: nothing is lost, nothing comes twice.
TEST_F(Race, P4_ManyThreadsTakeFromOneQueue) {
  constexpr size_t kPerThread = 2'000;
  constexpr size_t kThreads = 4;
  queue_ = NewQueue();
  instance_ = NewInstance();
  group_ = NewGroup(instance_, Echo());
  std::vector<std::unique_ptr<Ledger>> ledgers;
  std::vector<std::function<void()>> bodies;
  std::atomic<int> hits{0};
  std::atomic<int> taken{0};
  for (size_t t = 0; t < kThreads; ++t) {
    bodies.emplace_back([&, t] {
      for (size_t i = 0; i < kPerThread; ++i) {
        const uint64_t tag = t * kPerThread + i;
        cohort_answer_t answer;
        const int32_t begun = Begin(group_, "k" + std::to_string(i), queue_, tag, &answer);
        if (begun == COHORT_BEGIN_HIT) {
          cohort_value_free(answer.value);
          hits.fetch_add(1);
        } else {
          EXPECT_EQ(begun, COHORT_BEGIN_PENDING);
        }
      }
    });
    ledgers.push_back(std::make_unique<Ledger>(kThreads * kPerThread));
    bodies.emplace_back([&, ledger = ledgers.back().get()] {
      std::array<cohort_event_t, 7> events;
      for (;;) {
        if (hits + taken == static_cast<int>(kThreads * kPerThread)) break;
        const int64_t n = cohort_queue_wait(queue_.get(), events.data(), events.size(), 1);
        for (int64_t i = 0; i < n; ++i) ledger->Count(&events[static_cast<size_t>(i)]);
        taken.fetch_add(static_cast<int>(n));
      }
    });
  }
  { const Together together(std::move(bodies)); }
  int ok = 0;
  for (const auto& ledger : ledgers) ok += ledger->count(COHORT_OK);
  EXPECT_EQ(ok + hits, static_cast<int>(kThreads * kPerThread));
  EXPECT_TRUE(Empty(queue_));
}

}  // namespace
}  // namespace capi_test
