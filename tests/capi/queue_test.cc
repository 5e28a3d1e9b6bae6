// Queues and events.
#include <poll.h>

#include <thread>

#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

bool Readable(int fd) {
  pollfd poller{fd, POLLIN, 0};
  return poll(&poller, 1, 0) == 1;
}

class Queue : public ::testing::Test {
 protected:
  // A group whose loads come to loads_, so that gets wait until a test ends them.
  Owned<cohort_queue_t> loads_ = NewQueue();
  Owned<cohort_queue_t> queue_ = NewQueue();
  Owned<cohort_instance_t> instance_ = NewInstance();
  Owned<cohort_group_t> group_ = NewGroup(instance_, OptionsWithQueue(loads_, 7));
};

TEST_F(Queue, AGetEndsInOneEventWithItsTag) {
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group_, "key", queue_, 42, &answer), COHORT_BEGIN_PENDING);
  EXPECT_NE(answer.ticket, 0U);
  Event load = TakeOne(loads_);
  EXPECT_EQ(load->kind, COHORT_EVENT_LOAD);
  EXPECT_EQ(load->tag, 7U);
  EXPECT_EQ(load.data(), "key");
  ASSERT_NE(load->load, nullptr);
  Complete(load.TakeLoad(), "value", 0);
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end->kind, COHORT_EVENT_GET);
  EXPECT_EQ(end->tag, 42U);
  EXPECT_EQ(end->status, COHORT_OK);
  EXPECT_EQ(end.data(), "value");
  EXPECT_EQ(Bytes(end->value), "value");
  EXPECT_EQ(end->source, COHORT_SOURCE_LOAD);
  EXPECT_EQ(end->flags, 0);
  EXPECT_TRUE(Empty(queue_));
}

TEST_F(Queue, AFailureCarriesItsMessageAndTheGettersTag) {
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &answer), COHORT_BEGIN_PENDING);
  ASSERT_EQ(Begin(group_, "key", queue_, 2, &answer), COHORT_BEGIN_PENDING);
  EXPECT_EQ(cohort_load_fail(TakeOne(loads_).TakeLoad(), COHORT_LOAD_FAILED, "no luck", 7, 99), 2);
  std::set<uint64_t> tags;
  for (const Event& end : Take(queue_, 2)) {
    tags.insert(end->tag);
    EXPECT_EQ(end->status, COHORT_LOAD_FAILED);
    EXPECT_EQ(end.data(), "no luck");
    EXPECT_EQ(end->error_tag, 99U);
  }
  EXPECT_EQ(tags, (std::set<uint64_t>{1, 2}));
}

TEST_F(Queue, ReleasingAnEventAbandonsItsLoad) {
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group_, "key", queue_, 1, &answer), COHORT_BEGIN_PENDING);
  cohort_event_t load;
  ASSERT_EQ(cohort_queue_wait(loads_.get(), &load, 1, kPatienceMs), 1);
  cohort_event_release(&load);
  EXPECT_EQ(load.load, nullptr);
  cohort_event_release(&load);
  cohort_event_release(nullptr);
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_LOAD_ABANDONED);
}

TEST_F(Queue, TheDescriptorIsReadableWhileThereAreEvents) {
  Error error;
  const int32_t fd = cohort_queue_fd(queue_.get(), error);
  ASSERT_GE(fd, 0) << error.message();
  EXPECT_FALSE(Readable(fd));
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group_, "a", queue_, 1, &answer), COHORT_BEGIN_PENDING);
  ASSERT_EQ(Begin(group_, "b", queue_, 2, &answer), COHORT_BEGIN_PENDING);
  EXPECT_FALSE(Readable(fd));
  for (Event& load : Take(loads_, 2)) Complete(load.TakeLoad(), "v");
  EXPECT_TRUE(Readable(fd));
  TakeOne(queue_);
  EXPECT_TRUE(Readable(fd));
  TakeOne(queue_);
  EXPECT_FALSE(Readable(fd));
  cohort_queue_wake(queue_.get());
  EXPECT_TRUE(Readable(fd));
  EXPECT_TRUE(Empty(queue_));
  EXPECT_FALSE(Readable(fd));
}

// A poller that sleeps until the descriptor says so, and then takes one event, finds them all.
TEST_F(Queue, NoEventComesWithoutThePollerBeingTold) {
  Error error;
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  const int32_t fd = cohort_queue_fd(queue_.get(), error);
  ASSERT_GE(fd, 0) << error.message();
  std::vector<std::thread> pushers;
  for (int t = 0; t < kThreads; ++t) {
    pushers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        ASSERT_EQ(cohort_group_remove_queue(group_.get(), "key", 3, 0, queue_.get(), t, nullptr), COHORT_OK);
      }
    });
  }
  for (int taken = 0; taken < kThreads * kEach;) {
    pollfd poller{fd, POLLIN, 0};
    if (poll(&poller, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "an event was left behind after " << taken;
      break;
    }
    cohort_event_t event;
    if (cohort_queue_wait(queue_.get(), &event, 1, 0) == 1) {
      cohort_event_release(&event);
      ++taken;
    }
  }
  for (std::thread& pusher : pushers) pusher.join();
}

TEST_F(Queue, AWakeEndsAWaitWithoutAnEvent) {
  Gate waiting;
  std::thread waiter([&] {
    cohort_event_t event;
    waiting.Add();
    EXPECT_EQ(cohort_queue_wait(queue_.get(), &event, 1, -1), 0);
  });
  waiting.WaitFor(1);
  cohort_queue_wake(queue_.get());
  waiter.join();
}

TEST_F(Queue, AWaitEndsWithItsTime) {
  cohort_event_t event;
  EXPECT_EQ(cohort_queue_wait(queue_.get(), &event, 1, 0), 0);
  EXPECT_EQ(cohort_queue_wait(queue_.get(), &event, 1, 1), 0);
}

TEST_F(Queue, AWaitOfAnyLengthDoesNotOverflow) {
  cohort_queue_wake(queue_.get());
  cohort_event_t event;
  EXPECT_EQ(cohort_queue_wait(queue_.get(), &event, 1, INT64_MAX), 0);
}

TEST_F(Queue, ClosingEndsWaitsRefusesNewOnesAndDrains) {
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group_, "key", queue_, 5, &answer), COHORT_BEGIN_PENDING);
  EXPECT_EQ(cohort_queue_drained(queue_.get()), 0);
  cohort_queue_close(queue_.get());
  cohort_queue_close(queue_.get());
  Error error;
  EXPECT_EQ(Begin(group_, "key", queue_, 6, &answer, 0, 0, error), -COHORT_CLOSED);
  EXPECT_EQ(error.message(), "the queue is closed");
  EXPECT_EQ(cohort_queue_drained(queue_.get()), 0);
  const Event end = TakeOne(queue_);
  EXPECT_EQ(end->tag, 5U);
  EXPECT_EQ(end->status, COHORT_CLOSED);
  EXPECT_EQ(cohort_queue_drained(queue_.get()), 1);
  cohort_event_t event;
  EXPECT_EQ(cohort_queue_wait(queue_.get(), &event, 1, -1), 0);
}

TEST_F(Queue, ClosingAbandonsLoadsThatNobodyTook) {
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group_, "key", queue_, 5, &answer), COHORT_BEGIN_PENDING);
  cohort_queue_close(loads_.get());
  EXPECT_EQ(TakeOne(queue_)->status, COHORT_LOAD_ABANDONED);
  EXPECT_TRUE(Empty(loads_));
}

TEST_F(Queue, FreeingReleasesWhatIsInItAndWhatComesLater) {
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group_, "a", queue_, 1, &answer), COHORT_BEGIN_PENDING);
  ASSERT_EQ(Begin(group_, "b", queue_, 2, &answer), COHORT_BEGIN_PENDING);
  Event a = TakeOne(loads_);
  const Event b = TakeOne(loads_);
  Complete(a.TakeLoad(), "v");
  queue_.reset();
  // The get of "b" has ended with its queue, so nobody waits for it.
  EXPECT_EQ(cohort_load_cancelled(b->load), 1);
  EXPECT_EQ(StatsOf(group_).waiting, 0);
}

TEST_F(Queue, ALeadThatNobodyTakesPassesOnWhenItsQueueIsFreed) {
  Owned<cohort_queue_t> other = NewQueue();
  cohort_answer_t first;
  cohort_answer_t second;
  ASSERT_EQ(Begin(group_, "key", other, 1, &first, COHORT_GET_CAN_LEAD), COHORT_BEGIN_LEAD);
  ASSERT_EQ(Begin(group_, "key", other, 2, &second, COHORT_GET_CAN_LEAD), COHORT_BEGIN_PENDING);
  ASSERT_EQ(Begin(group_, "key", queue_, 3, &second, COHORT_GET_CAN_LEAD), COHORT_BEGIN_PENDING);
  cohort_load_free(first.load);  // Now a LEAD event waits in `other`.
  other.reset();                 // And passes on.
  Event lead = TakeOne(queue_);
  EXPECT_EQ(lead->kind, COHORT_EVENT_LEAD);
  EXPECT_EQ(lead->tag, 3U);
  EXPECT_EQ(lead.data(), "key");
  Complete(lead.TakeLoad(), "v");
  EXPECT_EQ(Got(group_, "key"), "v");
}

TEST(QueueInput, P10_NullsAreHarmless) {
  Error error;
  EXPECT_EQ(cohort_queue_fd(nullptr, error), -1);
  EXPECT_EQ(error.message(), "queue is NULL");
  EXPECT_EQ(cohort_queue_wait(nullptr, nullptr, 1, 0), 0);
  const Owned<cohort_queue_t> queue = NewQueue();
  EXPECT_EQ(cohort_queue_wait(queue.get(), nullptr, 1, -1), 0);
  cohort_event_t event;
  EXPECT_EQ(cohort_queue_wait(queue.get(), &event, 0, -1), 0);
  EXPECT_EQ(cohort_queue_drained(nullptr), 1);
  cohort_queue_wake(nullptr);
  cohort_queue_close(nullptr);
  cohort_queue_free(nullptr);
}

}  // namespace
}  // namespace capi_test
