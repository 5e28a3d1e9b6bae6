// What one group promises on one node, whatever the threads do.
#include <atomic>
#include <thread>

#include "engine/cluster_fixture.h"

namespace cohort {
namespace {

class GroupTest : public ClusterFixture {
 protected:
  GroupTest() { AddMember(); }
};

TEST_F(GroupTest, AMissRunsTheGetterOnceAndLaterGetsHit) {
  Count runs;
  auto group = AddGroup(0, Answer("v:", &runs));
  EXPECT_EQ("v:a", Text(group->Get("a", 0, 0).value));
  const Outcome again = group->Get("a", 0, 0);
  EXPECT_EQ("v:a", Text(again.value));
  EXPECT_EQ(Source::kMain, again.source);
  EXPECT_EQ(1, runs.Get());
  const GroupStats stats = group->StatsNow();
  EXPECT_EQ(2, stats.gets);
  EXPECT_EQ(1, stats.cache_hits);
  EXPECT_EQ(1, stats.local_loads);
  EXPECT_EQ(0, stats.waiting);
  EXPECT_EQ(0, stats.loading);
}

TEST_F(GroupTest, P1_ManyThreadsShareOneLoad) {
  Count runs;
  Gate gate;
  auto group = AddGroup(0, [&](std::unique_ptr<Load> load) {
    runs.Add();
    gate.Pass();
    load->Complete(Value::Copy(load->key(), "v", 0));
  });
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] { right += Text(group->Get("k", 0, 0).value) == "v" ? 1 : 0; });
  }
  runs.AwaitAtLeast(1);
  while (group->StatsNow().waiting < 16) std::this_thread::yield();
  gate.Open();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(16, right.load());
  EXPECT_EQ(1, runs.Get());
}

TEST_F(GroupTest, P2_ALoadThatARemoveOvertookIsDeliveredAndNotKept) {
  Count runs;
  std::mutex mutex;
  std::vector<std::unique_ptr<Load>> loads;
  auto group = AddGroup(0, [&](std::unique_ptr<Load> load) {
    std::lock_guard lock(mutex);
    loads.push_back(std::move(load));
    runs.Add();
  });
  Outcome first;
  Outcome second;
  std::thread before([&] { first = group->Get("k", 0, 0); });
  runs.AwaitAtLeast(1);
  EXPECT_TRUE(Await([&](Group::ChangeDone done) { group->Remove("k", 0, std::move(done)); }).ok());
  std::thread after([&] { second = group->Get("k", 0, 0); });
  runs.AwaitAtLeast(2);  // It does not join the load that began before the Remove.
  loads[1]->Complete(Value::Copy("k", "new", 0));
  after.join();
  loads[0]->Complete(Value::Copy("k", "old", 0));
  before.join();
  EXPECT_EQ("old", Text(first.value));
  EXPECT_FALSE(first.keep);
  EXPECT_EQ("new", Text(second.value));
  EXPECT_EQ("new", Text(group->Lookup("k").Adopt()));
  EXPECT_EQ(1, group->StatsNow().overtaken_loads);
}

TEST_F(GroupTest, P2_ASetDuringALoadWins) {
  Count runs;
  Gate gate;
  auto group = AddGroup(0, [&](std::unique_ptr<Load> load) {
    runs.Add();
    gate.Pass();
    load->Complete(Value::Copy(load->key(), "loaded", 0));
  });
  std::thread before([&] { EXPECT_EQ("loaded", Text(group->Get("k", 0, 0).value)); });
  runs.AwaitAtLeast(1);
  EXPECT_TRUE(
      Await([&](Group::ChangeDone done) { group->Set("k", Value::Copy("k", "set", 0), 0, std::move(done)); }).ok());
  EXPECT_EQ("set", Text(group->Lookup("k").Adopt()));
  gate.Open();
  before.join();
  EXPECT_EQ("set", Text(group->Lookup("k").Adopt()));
}

// A get looks, finds nothing, and comes to the lock when another's load, or a Set, has filled the cache meanwhile.
TEST_F(GroupTest, P1_WhatWasFilledSinceALookIsNotLoadedAgain) {
  Count runs;
  auto group = AddGroup(0, Answer("v:", &runs));
  auto queue = *EventQueue::New();
  const auto waiter = [&] { return std::make_unique<QueueWaiter>(queue, 0, false); };
  const Look before_load = group->BeginLook(LocalCache::Hash("loaded"));
  const Look before_set = group->BeginLook(LocalCache::Hash("set"));
  EXPECT_EQ("v:loaded", Text(group->Get("loaded", 0, 0).value));
  EXPECT_TRUE(
      Await([&](Group::ChangeDone done) { group->Set("set", Value::Copy("set", "new", 0), 0, std::move(done)); }).ok());
  GetAnswer answer;
  EXPECT_EQ(Begun::kHit, group->Begin("loaded", before_load, 0, 0, waiter, &answer));
  EXPECT_EQ("v:loaded", Text(answer.value));
  EXPECT_EQ(Begun::kHit, group->Begin("set", before_set, 0, 0, waiter, &answer));
  EXPECT_EQ("new", Text(answer.value));
  EXPECT_EQ(1, runs.Get());
  EXPECT_EQ(3, group->StatsNow().gets);
}

TEST_F(GroupTest, P6_AnEarlierDeadlineThatComesLaterIsKept) {
  std::mutex mutex;
  std::vector<std::unique_ptr<Load>> loads;
  auto group = AddGroup(0, [&](std::unique_ptr<Load> load) {
    std::lock_guard lock(mutex);
    loads.push_back(std::move(load));
  });
  auto queue = *EventQueue::New();
  // The longest first; keys of many shards.
  constexpr int kWaits = 20;
  for (int i = 0; i < kWaits; ++i) {
    GetAnswer answer;
    const int64_t timeout_ms = i % 2 == 0 ? 60'000 : 40 - i;
    ASSERT_EQ(Begun::kPending,
              group->Begin(
                  "k" + std::to_string(i), 0, timeout_ms,
                  [&] { return std::make_unique<QueueWaiter>(queue, static_cast<uint64_t>(i), false); }, &answer));
  }
  for (int ended = 0; ended < kWaits / 2; ++ended) {
    const auto events = queue->Take(1, -1);
    ASSERT_EQ(1u, events.size());
    EXPECT_EQ(1u, events[0]->tag % 2);
    EXPECT_EQ(static_cast<int32_t>(Code::kTimeout), events[0]->status);
  }
  EXPECT_EQ(kWaits / 2, group->StatsNow().waiting);
  EXPECT_EQ(kWaits / 2, group->StatsNow().timeouts);
}

TEST_F(GroupTest, AQueueLivesUntilWhatWasAnnouncedHasCome) {
  Gate gate;
  auto group = AddGroup(0, [&](std::unique_ptr<Load> load) {
    gate.Pass();
    load->Complete(Value::Copy(load->key(), "v", 0));
  });
  auto queue = *EventQueue::New();
  const std::weak_ptr<EventQueue> alive = queue;
  for (uint64_t tag = 0; tag < 3; ++tag) {
    GetAnswer answer;
    ASSERT_EQ(Begun::kPending,
              group->Begin(
                  "k", 0, 0, [&] { return std::make_unique<QueueWaiter>(queue, tag, false); }, &answer));
  }
  queue.reset();
  EXPECT_FALSE(alive.expired());
  gate.Open();
  while (!alive.expired()) std::this_thread::yield();
  queue = *EventQueue::New();
  const std::weak_ptr<EventQueue> unused = queue;
  EXPECT_TRUE(queue->Enter(2));
  queue->Leave(2);
  queue.reset();
  EXPECT_TRUE(unused.expired());
}

TEST_F(GroupTest, P4_AnAbandonedLoadPassesToTheNextWhoCanLead) {
  auto group = AddGroup(0, nullptr);
  auto queue = *EventQueue::New();
  GetAnswer answer;
  EXPECT_EQ(Begun::kLead, group->Begin("k", kCanLead, 0, nullptr, &answer));
  GetAnswer next;
  EXPECT_EQ(Begun::kPending,
            group->Begin(
                "k", kCanLead, 0, [&] { return std::make_unique<QueueWaiter>(queue, 7, true); }, &next));
  GetAnswer follower;
  EXPECT_EQ(Begun::kPending, group->Begin(
                                 "k", 0, 0, [&] { return std::make_unique<QueueWaiter>(queue, 8, false); }, &follower));
  answer.load.reset();
  auto events = queue->Take(8, -1);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(EventKind::kLead, events[0]->kind);
  EXPECT_EQ(7u, events[0]->tag);
  events.clear();  // Abandoned again, and nobody is left who could lead.
  events = queue->Take(8, -1);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(8u, events[0]->tag);
  EXPECT_EQ(static_cast<int32_t>(Code::kLoadAbandoned), events[0]->status);
  EXPECT_EQ(0, group->StatsNow().loading);
}

TEST_F(GroupTest, P4_ALateCompletionIsIgnored) {
  Count runs;
  std::unique_ptr<Load> kept;
  auto group = AddGroup(
      0,
      [&](std::unique_ptr<Load> load) {
        kept = std::move(load);
        runs.Add();
      },
      20);
  const Outcome outcome = group->Get("k", 0, 0);
  EXPECT_EQ(Code::kTimeout, outcome.code);
  EXPECT_TRUE(kept->Cancelled());
  kept->Complete(Value::Copy("k", "late", 0));
  EXPECT_FALSE(group->Lookup("k"));
}

TEST_F(GroupTest, P6_AWaitEndsByItsDeadlineAndTheLoadGoesOnForOthers) {
  Count runs;
  std::unique_ptr<Load> kept;
  auto group = AddGroup(0, [&](std::unique_ptr<Load> load) {
    kept = std::move(load);
    runs.Add();
  });
  auto queue = *EventQueue::New();
  GetAnswer patient;
  ASSERT_EQ(Begun::kPending, group->Begin(
                                 "k", 0, 0, [&] { return std::make_unique<QueueWaiter>(queue, 1, false); }, &patient));
  GetAnswer hasty;
  ASSERT_EQ(Begun::kPending, group->Begin(
                                 "k", 0, 10, [&] { return std::make_unique<QueueWaiter>(queue, 2, false); }, &hasty));
  auto events = queue->Take(8, -1);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(2u, events[0]->tag);
  EXPECT_EQ(static_cast<int32_t>(Code::kTimeout), events[0]->status);
  runs.AwaitAtLeast(1);
  kept->Complete(Value::Copy("k", "v", 0));
  events = queue->Take(8, -1);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(1u, events[0]->tag);
  EXPECT_EQ("v", Text(events[0]->value));
}

TEST_F(GroupTest, P6_TheLastWaiterToLeaveCancelsTheLoadAndTheWatcherIsTold) {
  auto group = AddGroup(0, nullptr);
  auto queue = *EventQueue::New();
  GetAnswer leader;
  ASSERT_EQ(Begun::kLead, group->Begin("k", kCanLead, 0, nullptr, &leader));
  ASSERT_TRUE(leader.load->Watch(queue, 99).ok());
  GetAnswer waiter;
  ASSERT_EQ(Begun::kPending, group->Begin(
                                 "k", 0, 0, [&] { return std::make_unique<QueueWaiter>(queue, 1, false); }, &waiter));
  leader.load->Leave();
  EXPECT_FALSE(leader.load->Cancelled());
  EXPECT_TRUE(group->EndWait(waiter.ticket, Code::kCancelled, "enough"));
  EXPECT_FALSE(group->EndWait(waiter.ticket, Code::kCancelled, "enough"));
  EXPECT_TRUE(leader.load->Cancelled());
  auto events = queue->Take(8, -1);
  ASSERT_EQ(2u, events.size());
  EXPECT_EQ(EventKind::kGet, events[0]->kind);
  EXPECT_EQ(static_cast<int32_t>(Code::kCancelled), events[0]->status);
  EXPECT_EQ(EventKind::kCancel, events[1]->kind);
  EXPECT_EQ(99u, events[1]->tag);
  leader.load->Complete(Value::Copy("k", "kept", 0));  // It did not give up: the value is as good as any.
  EXPECT_EQ("kept", Text(group->Lookup("k").Adopt()));
}

TEST_F(GroupTest, WhoJoinsACancelledLoadIsNotFailedByItsGivingUp) {
  auto group = AddGroup(0, nullptr);
  auto queue = *EventQueue::New();
  GetAnswer leader;
  ASSERT_EQ(Begun::kLead, group->Begin("k", kCanLead, 0, nullptr, &leader));
  leader.load->Leave();
  GetAnswer later;
  ASSERT_EQ(Begun::kPending,
            group->Begin(
                "k", kCanLead, 0, [&] { return std::make_unique<QueueWaiter>(queue, 5, true); }, &later));
  leader.load->Fail(Code::kLoadFailed, "context canceled", 0);
  auto events = queue->Take(8, -1);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(EventKind::kLead, events[0]->kind);
  events[0]->load->Complete(Value::Copy("k", "v", 0));
  EXPECT_EQ("v", Text(group->Lookup("k").Adopt()));
}

TEST_F(GroupTest, AGetterThatAsksForItsOwnKeyIsTold) {
  std::shared_ptr<Group> group;
  Code inner = Code::kOk;
  group = AddGroup(0, [&](std::unique_ptr<Load> load) {
    inner = group->Get(load->key(), 0, 0).code;
    load->Complete(Value::Copy(load->key(), "v", 0));
  });
  EXPECT_EQ("v", Text(group->Get("k", 0, 0).value));
  EXPECT_EQ(Code::kWouldDeadlock, inner);
}

TEST_F(GroupTest, GettersThatGetFromEachOtherNeedNoSpareThread) {
  AddMember(1);  // One getter thread.
  std::shared_ptr<Group> inner;
  Count runs;
  GroupOptions options;
  options.getter = std::make_shared<CallbackGetter>(Answer("in:", &runs));
  inner = *instances_[1]->NewGroup("inner", std::move(options));
  auto outer = AddGroup(1, [&](std::unique_ptr<Load> load) {
    load->Complete(Value::Copy(load->key(), Text(inner->Get("x", 0, 0).value), 0));
  });
  auto queue = *EventQueue::New();
  for (uint64_t i = 0; i < 20; ++i) {
    GetAnswer answer;
    outer->Begin(
        "k" + std::to_string(i), 0, 0, [&] { return std::make_unique<QueueWaiter>(queue, i, false); }, &answer);
  }
  int ended = 0;
  while (ended < 20) {
    for (auto& event : queue->Take(32, -1)) {
      EXPECT_EQ("in:x", Text(event->value));
      ++ended;
    }
  }
}

TEST_F(GroupTest, ClosingAQueueEndsItsGetsAndAbandonsItsLoads) {
  auto queue = *EventQueue::New();
  GroupOptions options;
  options.getter = std::make_shared<QueueGetter>(queue, 3);
  auto group = *instances_[0]->NewGroup("q", std::move(options));
  auto others = *EventQueue::New();
  GetAnswer mine;
  group->Begin(
      "k", 0, 0, [&] { return std::make_unique<QueueWaiter>(queue, 1, false); }, &mine);
  GetAnswer theirs;
  group->Begin(
      "k", 0, 0, [&] { return std::make_unique<QueueWaiter>(others, 2, false); }, &theirs);
  queue->Close();
  auto events = queue->Take(8, 0);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(1u, events[0]->tag);
  EXPECT_EQ(static_cast<int32_t>(Code::kClosed), events[0]->status);
  EXPECT_TRUE(queue->drained());
  events = others->Take(8, -1);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(static_cast<int32_t>(Code::kLoadAbandoned), events[0]->status);
  GetAnswer refused;
  EXPECT_EQ(Begun::kFailed, group->Begin(
                                "x", 0, 0, [&] { return std::make_unique<QueueWaiter>(queue, 4, false); }, &refused));
  EXPECT_EQ(Code::kClosed, refused.status.code());
}

TEST_F(GroupTest, RemovingAGroupEndsItsWaitsAndItsNameIsFree) {
  auto group = AddGroup(0, nullptr);
  auto queue = *EventQueue::New();
  GetAnswer leader;
  ASSERT_EQ(Begun::kLead, group->Begin("k", kCanLead, 0, nullptr, &leader));
  GetAnswer waiter;
  group->Begin(
      "k", 0, 0, [&] { return std::make_unique<QueueWaiter>(queue, 1, false); }, &waiter);
  EXPECT_TRUE(instances_[0]->RemoveGroup("g").ok());
  EXPECT_EQ(static_cast<int32_t>(Code::kClosed), queue->Take(8, -1)[0]->status);
  leader.load->Complete(Value::Copy("k", "v", 0));
  EXPECT_EQ(Code::kClosed, group->Get("k", 0, 0).code);
  EXPECT_TRUE(AddGroup(0, nullptr) != nullptr);
}

TEST_F(GroupTest, P10_AGroupsNameIsChecked) {
  for (const std::string& name : {std::string(), std::string("a/b"), std::string("."), std::string(256, 'x')}) {
    Result<std::shared_ptr<Group>> group = instances_[0]->NewGroup(name, GroupOptions());
    ASSERT_FALSE(group.ok());
    EXPECT_EQ(Code::kInvalidArgument, group.status().code());
  }
  AddGroup(0, nullptr);
  EXPECT_EQ(Code::kAlreadyExists, instances_[0]->NewGroup("g", GroupOptions()).status().code());
}

// Cancels, completions, timeouts, removes and a closing group race; each wait ends once, and nothing is left.
TEST_F(GroupTest, P4_EveryWaitEndsOnceUnderRaces) {
  auto group = AddGroup(
      0,
      [](std::unique_ptr<Load> load) {
        const char last = load->key().back();
        if (last % 3 == 0) load->Complete(Value::Copy(load->key(), "v", 0));
        if (last % 3 == 1) load->Fail(Code::kLoadFailed, "no", 0);
      },
      2'000);
  constexpr int kThreads = 4;
  constexpr int kGets = 2'000;
  auto queue = *EventQueue::New();
  std::vector<std::atomic<int>> ended(kThreads * kGets);
  std::atomic<int> pending{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kGets; ++i) {
        const auto tag = static_cast<uint64_t>(t * kGets + i);
        const std::string key = "k" + std::to_string(i % 50);
        GetAnswer answer;
        const int flags = i % 5 == 0 ? kCanLead : 0;
        const Begun begun = group->Begin(
            key, flags, i % 7 == 0 ? 1 : 0, [&] { return std::make_unique<QueueWaiter>(queue, tag, flags != 0); },
            &answer);
        if (begun == Begun::kPending) {
          ++pending;
          if (i % 3 == 0) group->EndWait(answer.ticket, Code::kCancelled, "cancelled");
        } else if (begun == Begun::kLead && i % 2 == 0) {
          answer.load->Complete(Value::Copy(key, "led", 0));
        }
        if (i % 11 == 0) group->Remove(key, 0, [](Status) {});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  int seen = 0;
  while (seen < pending.load()) {
    for (auto& event : queue->Take(256, -1)) {
      ++ended[event->tag];
      ++seen;
    }
  }
  for (auto& count : ended) EXPECT_LE(count.load(), 1);
  EXPECT_EQ(0, group->StatsNow().waiting);
  EXPECT_TRUE(queue->Take(8, 0).empty());
}

}  // namespace
}  // namespace cohort
