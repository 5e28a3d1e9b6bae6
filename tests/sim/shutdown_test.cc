// A shutdown takes no longer than it is given, whoever is still being asked.
#include <gtest/gtest.h>

#include "sim/member.h"

namespace cohort::sim {
namespace {

class Shutdown : public ::testing::Test {
 protected:
  Member& Add(int node) {
    const Surroundings around{world_, network_, model_, census_, keys_};
    MemberOptions options;
    options.ring.preset = RingPreset::kXxh3;
    members_.push_back(std::make_unique<Member>(around, options, Rng(9), node, ring_[static_cast<size_t>(node)]));
    members_.back()->Start(ring_);
    return *members_.back();
  }
  std::string Broken() const { return model_.violations().empty() ? "" : model_.violations().front().text; }

  const std::vector<std::string> keys_ = {"a", "b"};
  const std::vector<std::string> ring_ = {"node0:1", "node1:1"};
  World world_{"shutdown_test"};
  Census census_;
  Model model_{world_, {false, false, 60 * kS, 10 * kMs, 50 * kMs}, keys_};
  SimNetwork network_{world_, Rng(1), NetworkOptions(), model_};
  std::vector<std::unique_ptr<Member>> members_;
};

TEST_F(Shutdown, DoesNotWaitForAPeerThatIsSilent) {
  Member& leaving = Add(0);
  Member& silent = Add(1);
  network_.Partition({{ring_[0], 0}, {ring_[1], 1}});
  leaving.Change(ChangeKind::kRemove, {0}, 10'000);
  leaving.Stop(0);
  silent.Stop(0);
  world_.RunOut();
  EXPECT_EQ("", Broken());
}

TEST_F(Shutdown, DoesNotWaitForAPeerThatHasLeftTheRing) {
  Member& leaving = Add(0);
  Member& silent = Add(1);
  network_.Partition({{ring_[0], 0}, {ring_[1], 1}});
  leaving.Change(ChangeKind::kRemove, {0}, 10'000);
  leaving.SetPeers({});
  leaving.Stop(0);
  silent.Stop(0);
  world_.RunOut();
  EXPECT_EQ("", Broken());
}

TEST_F(Shutdown, GivesWhatIsUnderWayItsTime) {
  Member& leaving = Add(0);
  leaving.SetPeers({});
  leaving.Get(0, false, false, false, 0);
  EXPECT_EQ(1u, model_.Waiting(leaving.incarnation()).size());
  leaving.Stop(5'000);
  EXPECT_EQ(1, model_.gets());
  EXPECT_EQ(1, model_.runs());
  EXPECT_LT(world_.now_ns(), kS);
  world_.RunOut();
  EXPECT_EQ("", Broken());
}

}  // namespace
}  // namespace cohort::sim
