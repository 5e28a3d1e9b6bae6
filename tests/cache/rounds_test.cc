// Rounds tell how long ago something was, in parts of a round, also when their numbers have come round.
#include "cache/rounds.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace cohort {
namespace {

TEST(Rounds, ARoundIsAsManyAsThereAre) {
  for (const int64_t items : {16, 1'000, 48'000}) {
    Rounds rounds;
    const uint8_t stamp = rounds.now();
    for (int64_t i = 0; i < items; ++i) rounds.Pass(items);
    EXPECT_NEAR(rounds.Since(stamp), Rounds::kParts, 1) << items;
  }
}

TEST(Rounds, OfFewItemsEachThatLeavesIsAnAge) {
  Rounds rounds;
  const uint8_t stamp = rounds.now();
  for (int i = 0; i < 5; ++i) rounds.Pass(3);
  EXPECT_EQ(rounds.Since(stamp), 5U);
}

TEST(Rounds, GoOnWhenTheirNumbersComeRound) {
  Rounds rounds;
  for (int i = 0; i < 250; ++i) rounds.Pass(1);
  const uint8_t stamp = rounds.now();
  for (unsigned i = 0; i < Rounds::kMost; ++i) {
    EXPECT_EQ(rounds.Since(stamp), i);
    rounds.Pass(1);
  }
}

}  // namespace
}  // namespace cohort
