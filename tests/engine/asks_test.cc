// Gets that one call begins: what of them travels together, and that each is still a get of its own.
#include "engine/asks.h"

#include <map>
#include <set>
#include <thread>

#include "engine/cluster_fixture.h"
#include "engine/group.h"

namespace cohort {
namespace {

constexpr int kMany = 100;

class AsksTest : public ClusterFixture {
 protected:
  // One asker, member 0, and one owner.
  void Make(Loader owners, Loader askers = nullptr) {
    for (int i = 0; i < 2; ++i) AddMember();
    Introduce();
    asker_ = AddGroup(0, std::move(askers), 60'000, 0);
    owner_ = AddGroup(1, std::move(owners));
  }
  std::vector<std::string> KeysOf(size_t member, int count, const std::string& prefix = "key") {
    std::vector<std::string> keys;
    for (int i = 0; static_cast<int>(keys.size()) < count; ++i) {
      std::string key = prefix + std::to_string(i);
      if (instances_[0]->Owner(key) == addresses_[member]) keys.push_back(std::move(key));
    }
    return keys;
  }
  // The tag of each is its place in the list.
  std::vector<GetAnswer> Begin(const std::vector<std::string>& keys, Asks& asks, int64_t timeout_ms = 0) {
    std::vector<GetAnswer> answers(keys.size());
    EXPECT_TRUE(queue_->EnterGets(*asker_, static_cast<int64_t>(keys.size())));
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto make = [&] { return std::make_unique<QueueWaiter>(queue_, i, false, true); };
      EXPECT_EQ(asker_->Begin(keys[i], 0, timeout_ms, make, &answers[i], &asks), Begun::kPending);
    }
    return answers;
  }
  std::vector<GetAnswer> BeginMany(const std::vector<std::string>& keys, int64_t timeout_ms = 0) {
    Asks asks(asker_->context());
    return Begin(keys, asks, timeout_ms);
  }
  // The ends of so many, by tag.
  std::map<uint64_t, std::unique_ptr<EventNode>> Ends(size_t count) {
    std::map<uint64_t, std::unique_ptr<EventNode>> ends;
    while (ends.size() < count) {
      EventChain taken = queue_->TakeChain(count, 60'000);
      if (taken.empty()) break;
      while (std::unique_ptr<EventNode> node = taken.Pop()) {
        EXPECT_EQ(ends.count(node->tag), 0u) << "a second end";
        ends[node->tag] = std::move(node);
      }
    }
    EXPECT_EQ(ends.size(), count);
    return ends;
  }

  std::shared_ptr<EventQueue> queue_ = *EventQueue::New();
  std::shared_ptr<Group> asker_;
  std::shared_ptr<Group> owner_;
};

TEST_F(AsksTest, P1_WhatIsAskedForTwiceIsLoadedOnce) {
  Count runs;
  Make(Answer("n1:", &runs));
  const std::vector<std::string> once = KeysOf(1, kMany);
  std::vector<std::string> keys = once;
  keys.insert(keys.end(), once.begin(), once.end());
  BeginMany(keys);
  for (const auto& [tag, end] : Ends(keys.size())) EXPECT_EQ(Text(end->value), "n1:" + keys[tag]);
  EXPECT_EQ(runs.Get(), kMany);
  const GroupStats stats = asker_->StatsNow();
  EXPECT_EQ(stats.gets, 2 * kMany);
  EXPECT_EQ(stats.loads, 2 * kMany);
  EXPECT_EQ(stats.loads_deduped, kMany);
  EXPECT_EQ(stats.peer_loads, kMany);
  EXPECT_EQ(owner_->StatsNow().served_to_peers, kMany);
  EXPECT_EQ(stats.waiting, 0);
  EXPECT_EQ(stats.loading, 0);
}

TEST_F(AsksTest, P1_ACallJoinsTheFlightsOfOthersAndTheyItsOwn) {
  Count runs;
  Gate open;
  Make([&](std::unique_ptr<Load> load) {
    runs.Add();
    open.Pass();
    load->Complete(Value::Copy(load->key(), "v", 0));
  });
  const std::vector<std::string> keys = KeysOf(1, 3);
  std::vector<Outcome> outcomes(2);
  std::thread before([&] { outcomes[0] = asker_->Get(keys[0], 0, 0); });
  runs.AwaitAtLeast(1);
  BeginMany(keys);
  std::thread after([&] { outcomes[1] = asker_->Get(keys[2], 0, 0); });
  runs.AwaitAtLeast(3);
  while (asker_->StatsNow().waiting < 5) std::this_thread::yield();
  open.Open();
  before.join();
  after.join();
  Ends(3);
  for (const Outcome& outcome : outcomes) EXPECT_EQ(Text(outcome.value), "v");
  EXPECT_EQ(runs.Get(), 3);
}

TEST_F(AsksTest, AKeyThatFailsAndOneThatIsSlowLeaveTheOthersAlone) {
  Count runs;
  Gate open;
  Make([&](std::unique_ptr<Load> load) {
    runs.Add();
    const std::string key(load->key());
    if (key.rfind("bad", 0) == 0) {
      load->Fail(Code::kLoadFailed, "no such luck", 0);
      return;
    }
    if (key.rfind("slow", 0) == 0) open.Pass();
    load->Complete(Value::Copy(key, "v:" + key, 0));
  });
  std::vector<std::string> keys = KeysOf(1, kMany);
  keys.insert(keys.begin(), KeysOf(1, 1, "slow")[0]);
  keys.insert(keys.begin() + 1, KeysOf(1, 1, "bad")[0]);
  BeginMany(keys);
  for (const auto& [tag, end] : Ends(keys.size() - 1)) {
    EXPECT_NE(tag, 0u);
    EXPECT_EQ(end->status, static_cast<int32_t>(tag == 1 ? Code::kRemoteFailed : Code::kOk));
    if (tag > 1) {
      EXPECT_EQ(Text(end->value), "v:" + keys[tag]);
    }
  }
  open.Open();
  EXPECT_EQ(Text(Ends(1)[0]->value), "v:" + keys[0]);
}

TEST_F(AsksTest, P6_OneOfACallIsCancelledBeforeItIsAskedForAndIsNotLoaded) {
  Count runs;
  Make(Answer("n1:", &runs));
  const std::vector<std::string> keys = KeysOf(1, 3);
  {
    Asks asks(asker_->context());
    const std::vector<GetAnswer> answers = Begin(keys, asks);
    EXPECT_TRUE(asker_->EndWait(answers[1].ticket, Code::kCancelled, "cancelled"));
    EXPECT_FALSE(asker_->EndWait(answers[1].ticket, Code::kCancelled, "cancelled"));
  }
  auto ends = Ends(3);
  EXPECT_EQ(ends[1]->status, static_cast<int32_t>(Code::kCancelled));
  EXPECT_EQ(Text(ends[0]->value), "n1:" + keys[0]);
  EXPECT_EQ(Text(ends[2]->value), "n1:" + keys[2]);
  EXPECT_EQ(runs.Get(), 2);
}

TEST_F(AsksTest, P4_ClosingTheQueueEndsWhatACallHasBegunAndRefusesTheRest) {
  Count runs;
  Gate open;
  Make([&](std::unique_ptr<Load> load) {
    runs.Add();
    open.Pass();
    load->Complete(Value::Copy(load->key(), "late", 0));
  });
  const std::vector<std::string> keys = KeysOf(1, 3);
  {
    Asks asks(asker_->context());
    ASSERT_TRUE(queue_->EnterGets(*asker_, 3));
    GetAnswer answer;
    const auto make = [&] { return std::make_unique<QueueWaiter>(queue_, 7, false, true); };
    EXPECT_EQ(asker_->Begin(keys[0], 0, 0, make, &answer, &asks), Begun::kPending);
    EXPECT_EQ(asker_->Begin(keys[1], 0, 0, make, &answer, &asks), Begun::kPending);
    queue_->Close();
    EXPECT_EQ(asker_->Begin(keys[2], 0, 0, make, &answer, &asks), Begun::kFailed);
    EXPECT_EQ(answer.status.message(), "the queue is closed");
  }
  queue_->Leave(1);
  const auto events = queue_->Take(8, 0);
  ASSERT_EQ(events.size(), 2u);
  for (const auto& event : events) EXPECT_EQ(event->status, static_cast<int32_t>(Code::kClosed));
  EXPECT_TRUE(queue_->drained());
  EXPECT_EQ(asker_->StatsNow().waiting, 0);
  EXPECT_EQ(runs.Get(), 0) << "given up before the owner was asked";
  open.Open();
}

TEST_F(AsksTest, P4_ClosingTheGroupBeforeTheOwnerIsAskedEndsEach) {
  Count runs;
  Make(Answer("n1:", &runs));
  const std::vector<std::string> keys = KeysOf(1, kMany);
  {
    Asks asks(asker_->context());
    Begin(keys, asks);
    asker_->Close();
  }
  for (const auto& [tag, end] : Ends(keys.size())) EXPECT_EQ(end->status, static_cast<int32_t>(Code::kClosed));
  EXPECT_EQ(runs.Get(), 0);
}

TEST_F(AsksTest, P6_EachOfACallEndsByItsDeadlineWithoutALoadHere) {
  Count runs;
  Count own_runs;
  Gate open;
  Make(
      [&](std::unique_ptr<Load> load) {
        runs.Add();
        open.Pass();
        load->Complete(Value::Copy(load->key(), "late", 0));
      },
      Answer("n0:", &own_runs));
  BeginMany(KeysOf(1, 3), 50);
  for (const auto& [tag, end] : Ends(3)) EXPECT_EQ(end->status, static_cast<int32_t>(Code::kTimeout));
  EXPECT_EQ(own_runs.Get(), 0);
  open.Open();
  Stop();  // The owner's getters may still be on their way.
}

TEST_F(AsksTest, P9_TheOwnerThatTheCallSawIsAskedWhenThePeersChangeMeanwhile) {
  Count runs;
  Count own_runs;
  Make(Answer("n1:", &runs), Answer("n0:", &own_runs));
  const std::vector<std::string> keys = KeysOf(1, kMany);
  {
    Asks asks(asker_->context());
    Begin(keys, asks);
    ASSERT_TRUE(instances_[0]->SetPeers({addresses_[0]}, addresses_[0]).ok());
  }
  for (const auto& [tag, end] : Ends(keys.size())) {
    EXPECT_EQ(end->status, static_cast<int32_t>(Code::kOk)) << Text(end->value);
  }
  EXPECT_EQ(runs.Get() + own_runs.Get(), kMany);
}

// Calls of several threads over the same few keys, cancelled and closed at random: each get ends once.
TEST_F(AsksTest, P4_EveryGetOfManyCallsEndsOnce) {
  Count runs;
  Make(Answer("n1:", &runs), Answer("n0:", &runs));
  const std::vector<std::string> keys = KeysOf(1, 50);
  constexpr int kThreads = 4;
  constexpr int kCalls = 200;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const auto queue = *EventQueue::New();
      for (int call = 0; call < kCalls; ++call) {
        std::vector<GetAnswer> answers(keys.size());
        size_t pending = 0;
        ASSERT_TRUE(queue->EnterGets(*asker_, static_cast<int64_t>(keys.size())));
        {
          Asks asks(asker_->context());
          for (size_t i = 0; i < keys.size(); ++i) {
            const auto make = [&] { return std::make_unique<QueueWaiter>(queue, i, false, true); };
            const Begun begun = asker_->Begin(keys[i], 0, 60'000, make, &answers[i], &asks);
            ASSERT_TRUE(begun == Begun::kPending || begun == Begun::kHit);
            if (begun == Begun::kPending) ++pending;
            if ((call + static_cast<int>(i) + thread) % 7 == 0 && i > 3) {
              asker_->EndWait(answers[i - 3].ticket, Code::kCancelled, "cancelled");
            }
          }
        }
        queue->Leave(static_cast<int64_t>(keys.size() - pending));
        std::set<uint64_t> ended;
        while (ended.size() < pending) {
          EventChain taken = queue->TakeChain(64, 60'000);
          ASSERT_FALSE(taken.empty()) << ended.size() << " of " << pending;
          while (std::unique_ptr<EventNode> node = taken.Pop()) EXPECT_TRUE(ended.insert(node->tag).second);
        }
      }
      queue->Close();
      EXPECT_TRUE(queue->drained());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asker_->StatsNow().waiting, 0);
  Stop();  // What was cancelled may still be loading.
}

}  // namespace
}  // namespace cohort
