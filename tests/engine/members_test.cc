// What members promise one another: one load in the cluster, changes that reach everyone, requests that are never
// forwarded.
#include <chrono>
#include <set>
#include <thread>

#include "engine/cluster_fixture.h"

namespace cohort {
namespace {

class MembersTest : public ClusterFixture {
 protected:
  void Start(size_t members) {
    for (size_t i = 0; i < members; ++i) AddMember();
    Introduce();
    runs_.resize(members);
    for (size_t i = 0; i < members; ++i) {
      runs_[i] = std::make_unique<Count>();
      groups_.push_back(AddGroup(i, Answer("n" + std::to_string(i) + ":", runs_[i].get())));
    }
  }
  std::vector<std::unique_ptr<Count>> runs_;
  std::vector<std::shared_ptr<Group>> groups_;
};

TEST_F(MembersTest, P1_OneLoadInTheClusterByTheOwner) {
  Start(3);
  for (size_t owner = 0; owner < 3; ++owner) {
    const std::string key = KeyOf(owner);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < 12; ++i) {
      threads.emplace_back(
          [&, i] { EXPECT_EQ("n" + std::to_string(owner) + ":" + key, Text(groups_[i % 3]->Get(key, 0, 0).value)); });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(1, runs_[owner]->Get());
  }
  EXPECT_EQ(3, runs_[0]->Get() + runs_[1]->Get() + runs_[2]->Get());
}

TEST_F(MembersTest, APeersValueIsKeptHot) {
  Start(2);
  const std::string key = KeyOf(1);
  EXPECT_EQ(Source::kPeer, groups_[0]->Get(key, 0, 0).source);
  EXPECT_EQ(Source::kHot, groups_[0]->Get(key, 0, 0).source);
  EXPECT_EQ(1, groups_[1]->StatsNow().served_to_peers);
}

TEST_F(MembersTest, P7_SetIsSeenByEveryMemberWhoeverSetsIt) {
  Start(3);
  const std::string key = KeyOf(1);
  for (auto& group : groups_) group->Get(key, 0, 0);
  for (size_t setter = 0; setter < 3; ++setter) {
    const std::string value = "set by " + std::to_string(setter);
    EXPECT_TRUE(Await([&](Group::ChangeDone done) {
                  groups_[setter]->Set(key, Value::Copy(key, value, 0), 0, std::move(done));
                }).ok());
    for (auto& group : groups_) EXPECT_EQ(value, Text(group->Get(key, 0, 0).value));
  }
  EXPECT_EQ(1, runs_[1]->Get());
}

TEST_F(MembersTest, P7_OnlyWhoHasNoOtherMemberChangesAlone) {
  Start(2);
  const std::string key = KeyOf(0);
  ValueRef value = Value::Copy(key, "v", 0);
  EXPECT_FALSE(groups_[0]->SetAlone(key, &value));
  EXPECT_FALSE(groups_[0]->RemoveAlone(key));
  EXPECT_EQ("v", Text(value));
  EXPECT_FALSE(groups_[0]->Lookup(key));

  ASSERT_TRUE(instances_[0]->SetPeers({addresses_[0]}, addresses_[0]).ok());
  EXPECT_TRUE(groups_[0]->SetAlone(key, &value));
  EXPECT_EQ("v", Text(groups_[0]->Get(key, 0, 0).value));
  EXPECT_TRUE(groups_[0]->RemoveAlone(key));
  EXPECT_FALSE(groups_[0]->Lookup(key));
  EXPECT_EQ(1, groups_[0]->StatsNow().sets);
  EXPECT_EQ(1, groups_[0]->StatsNow().removes);

  Introduce();
  value = Value::Copy(key, "w", 0);
  EXPECT_FALSE(groups_[0]->SetAlone(key, &value));
}

// Whoever sets, and while others get: none is dropped for another, nobody keeps an older value, and a later Set wins.
TEST_F(MembersTest, P7_OfManySetsAtOnceTheLastOneWins) {
  Start(3);
  const std::string key = KeyOf(1);
  const auto set = [&](size_t member, const std::string& value) {
    EXPECT_TRUE(Await([&](Group::ChangeDone done) {
                  groups_[member]->Set(key, Value::Copy(key, value, 0), 0, std::move(done));
                }).ok());
  };
  for (int round = 0; round < 30; ++round) {
    std::set<std::string> last;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < 6; ++i) {
      const std::string name = std::to_string(round) + "." + std::to_string(i) + ".";
      last.insert(name + "2");
      threads.emplace_back([&, i, name] {
        for (int n = 0; n < 3; ++n) {
          set(i % 3, name + std::to_string(n));
          groups_[(i + 1) % 3]->Get(key, 0, 0);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    const std::string winner = Text(groups_[1]->Get(key, 0, 0).value);
    EXPECT_EQ(1u, last.count(winner)) << winner;
    for (auto& group : groups_) EXPECT_EQ(winner, Text(group->Get(key, 0, 0).value));
    set(static_cast<size_t>(round) % 3, "later");
    for (auto& group : groups_) EXPECT_EQ("later", Text(group->Get(key, 0, 0).value));
  }
}

TEST_F(MembersTest, P7_RemoveAndRemoveKeysReachEveryMember) {
  Start(3);
  std::vector<std::string> keys = {KeyOf(0), KeyOf(1), KeyOf(2), KeyOf(2, "other")};
  auto warm = [&] {
    for (auto& group : groups_) {
      for (const auto& key : keys) group->Get(key, 0, 0);
    }
  };
  warm();
  EXPECT_TRUE(Await([&](Group::ChangeDone done) { groups_[0]->RemoveKeys(keys, 0, std::move(done)); }).ok());
  for (auto& group : groups_) {
    for (const auto& key : keys) EXPECT_FALSE(group->Lookup(key)) << key;
  }
  warm();
  EXPECT_TRUE(Await([&](Group::ChangeDone done) { groups_[0]->Remove(keys[1], 0, std::move(done)); }).ok());
  for (auto& group : groups_) EXPECT_FALSE(group->Lookup(keys[1]));
  EXPECT_EQ(2, groups_[0]->StatsNow().removes + groups_[0]->StatsNow().remove_keys_requests);
  EXPECT_EQ(4, groups_[0]->StatsNow().removed_keys);
}

TEST_F(MembersTest, P2_AnAnswerThatARemoveOvertookIsNotKeptByTheAsker) {
  for (int i = 0; i < 2; ++i) AddMember();
  Introduce();
  Count runs;
  Gate gate;
  auto asker = AddGroup(0, nullptr);
  auto owner = AddGroup(1, [&](std::unique_ptr<Load> load) {
    runs.Add();
    gate.Pass();
    load->Complete(Value::Copy(load->key(), "old", 0));
  });
  const std::string key = KeyOf(1);
  std::thread get([&] { EXPECT_EQ("old", Text(asker->Get(key, 0, 0).value)); });
  runs.AwaitAtLeast(1);
  EXPECT_TRUE(Await([&](Group::ChangeDone done) { owner->Remove(key, 0, std::move(done)); }).ok());
  gate.Open();
  get.join();
  EXPECT_FALSE(asker->Lookup(key));
  EXPECT_FALSE(owner->Lookup(key));
}

TEST_F(MembersTest, P3_MembersThatDisagreeOnTheRingDoNotForward) {
  Start(3);
  // Node 0 believes that node 1 owns everything that is not its own; node 1 believes the same of node 2.
  const std::string key = KeyOf(2);
  ASSERT_TRUE(instances_[0]->SetPeers({addresses_[0], addresses_[1]}, addresses_[0]).ok());
  std::string routed = key;
  for (int i = 0; instances_[0]->Owner(routed) != addresses_[1] || instances_[1]->Owner(routed) != addresses_[2]; ++i) {
    routed = "routed" + std::to_string(i);
  }
  EXPECT_EQ("n1:" + routed, Text(groups_[0]->Get(routed, 0, 0).value));
  EXPECT_EQ(0, runs_[2]->Get());
  EXPECT_EQ(1, groups_[1]->StatsNow().misrouted);
  EXPECT_EQ(Source::kHot, groups_[1]->Get(routed, 0, 0).source);
}

TEST_F(MembersTest, P7_AnOwnerThatIsGoneCostsALocalLoadAndIsNamedByARemove) {
  Start(2);
  const std::string key = KeyOf(1);
  instances_[1]->Shutdown(0);
  const Outcome outcome = groups_[0]->Get(key, 0, 0);
  EXPECT_EQ("n0:" + key, Text(outcome.value));
  EXPECT_EQ(Source::kLoad, outcome.source);
  EXPECT_EQ(1, groups_[0]->StatsNow().peer_errors);
  const Status removed = Await([&](Group::ChangeDone done) { groups_[0]->Remove(key, 0, std::move(done)); });
  EXPECT_EQ(Code::kUnreachable, removed.code());
  EXPECT_NE(std::string::npos, removed.message().find(addresses_[1])) << removed.message();
  EXPECT_FALSE(groups_[0]->Lookup(key));
}

TEST_F(MembersTest, NotFoundAndFailedAreTheOwnersLastWord) {
  for (int i = 0; i < 2; ++i) AddMember();
  Introduce();
  Count local;
  auto asker = AddGroup(0, Answer("never", &local));
  AddGroup(1, [&](std::unique_ptr<Load> load) {
    if (load->key().front() == 'm') {
      load->Fail(Code::kNotFound, "no such thing", 0);
    } else {
      load->Fail(Code::kLoadFailed, "the database is down", 0);
    }
  });
  const Outcome missing = asker->Get(KeyOf(1, "m"), 0, 0);
  EXPECT_EQ(Code::kNotFound, missing.code);
  EXPECT_EQ("no such thing", missing.message());
  const Outcome failed = asker->Get(KeyOf(1, "f"), 0, 0);
  EXPECT_EQ(Code::kRemoteFailed, failed.code);
  EXPECT_EQ("the database is down", failed.message());
  EXPECT_EQ(0, local.Get());
}

TEST_F(MembersTest, AMemberWithoutTheGroupOrItsGetterLeavesTheLoadToTheAsker) {
  for (int i = 0; i < 3; ++i) AddMember();
  Introduce();
  Count runs;
  auto group = AddGroup(0, Answer("n0:", &runs));
  AddGroup(2, nullptr);
  const std::string without_group = KeyOf(1);
  const std::string without_getter = KeyOf(2);
  EXPECT_EQ("n0:" + without_group, Text(group->Get(without_group, 0, 0).value));
  EXPECT_EQ("n0:" + without_getter, Text(group->Get(without_getter, 0, 0).value));
  EXPECT_EQ(2, runs.Get());
}

TEST_F(MembersTest, P6_ADeadlineIsCarriedToTheOwner) {
  for (int i = 0; i < 2; ++i) AddMember();
  Introduce();
  Count runs;
  std::unique_ptr<Load> kept;
  auto asker = AddGroup(0, nullptr);
  AddGroup(1, [&](std::unique_ptr<Load> load) {
    EXPECT_LE(load->TimeLeftMs(), 5'000);
    EXPECT_GT(load->TimeLeftMs(), 0);
    kept = std::move(load);
    runs.Add();
  });
  auto queue = *EventQueue::New();
  GetAnswer answer;
  asker->Begin(
      KeyOf(1), 0, 5'000, [&] { return std::make_unique<QueueWaiter>(queue, 1, false); }, &answer);
  runs.AwaitAtLeast(1);
  kept->Complete(Value::Copy(kept->key(), "v", 0));
  EXPECT_EQ("v", Text(queue->Take(1, -1)[0]->value));
}

TEST_F(MembersTest, P6_WhoJoinsAnImpatientGetStillGetsTheOwnersValue) {
  for (int i = 0; i < 2; ++i) AddMember();
  Introduce();
  Count runs;
  Count own_runs;
  std::unique_ptr<Load> kept;
  auto asker = AddGroup(0, Answer("n0:", &own_runs));
  auto owner = AddGroup(1, [&](std::unique_ptr<Load> load) {
    kept = std::move(load);
    runs.Add();
  });
  const std::string key = KeyOf(1);
  auto queue = *EventQueue::New();
  GetAnswer answer;
  const auto get = [&](int64_t timeout_ms, uint64_t tag) {
    asker->Begin(
        key, 0, timeout_ms, [&] { return std::make_unique<QueueWaiter>(queue, tag, false); }, &answer);
  };
  get(50, 1);
  get(60'000, 2);
  runs.AwaitAtLeast(1);
  const auto impatient = queue->Take(1, -1);
  EXPECT_EQ(1u, impatient[0]->tag);
  EXPECT_EQ(static_cast<int32_t>(Code::kTimeout), impatient[0]->status);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (owner->StatsNow().served_to_peers < 2 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  kept->Complete(Value::Copy(key, "v", 0));
  const auto patient = queue->Take(1, -1);
  EXPECT_EQ(2u, patient[0]->tag);
  EXPECT_EQ("v", Text(patient[0]->value));
  EXPECT_EQ(1, runs.Get());
  EXPECT_EQ(0, own_runs.Get());
}

TEST_F(MembersTest, AnOwnerThatNeverAnswersEndsAGetByItsDeadlineWithoutALoad) {
  for (int i = 0; i < 2; ++i) AddMember();
  Introduce();
  Count runs;
  Count own_runs;
  std::unique_ptr<Load> kept;
  auto asker = AddGroup(0, Answer("n0:", &own_runs));
  AddGroup(1, [&](std::unique_ptr<Load> load) {
    kept = std::move(load);
    runs.Add();
  });
  // On a busy machine a deadline may pass before the owner has been asked: then once more.
  do {
    EXPECT_EQ(Code::kTimeout, asker->Get(KeyOf(1), 0, 50).code);
  } while (runs.Get() == 0);
  EXPECT_EQ(0, own_runs.Get());
  Stop();
}

TEST_F(MembersTest, PeersMustHoldThisMemberOnce) {
  Start(1);
  EXPECT_EQ(Code::kInvalidArgument, instances_[0]->SetPeers({"a:1", "b:1"}, "c:1").code());
  EXPECT_EQ(Code::kInvalidArgument, instances_[0]->SetPeers({"a:1", "a:1"}, "a:1").code());
  EXPECT_TRUE(instances_[0]->SetPeers({}, "").ok());
  EXPECT_EQ("", instances_[0]->Owner("k"));
}

TEST_F(MembersTest, P9_ThePeersMayChangeWhileGetsAreUnderWay) {
  Start(3);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (size_t t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop.load(); ++i) {
        const std::string key = "k" + std::to_string(i % 200);
        const Outcome outcome = groups_[t]->Get(key, 0, 0);
        if (!outcome.ok() || Text(outcome.value).substr(3) != key) ++wrong;
        if (i % 100 == 0) groups_[t]->Remove(key, 0, [](Status) {});
      }
    });
  }
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> some(addresses_.begin(), addresses_.begin() + 2 + round % 2);
    EXPECT_TRUE(instances_[0]->SetPeers(some, addresses_[0]).ok());
    EXPECT_TRUE(instances_[1]->SetPeers(some, addresses_[1]).ok());
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(0, wrong.load());
}

}  // namespace
}  // namespace cohort
