// The turnstile: whoever opens it knows whether somebody has to be woken, and nobody sleeps through it.
#include "runtime/turnstile.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace cohort {
namespace {

TEST(Turnstile, OpenBeforeAnybodyComesWakesNobody) {
  Turnstile turnstile;
  EXPECT_FALSE(turnstile.Open());
  turnstile.Pass();
  EXPECT_FALSE(turnstile.Open()) << "it has closed again";
  turnstile.Pass();
}

TEST(Turnstile, EachPassNeedsItsOwnOpening) {
  constexpr int kTimes = 20'000;
  Turnstile turnstile, back;
  int carried = 0;  // Handed over and back.
  std::thread other([&] {
    for (int i = 0; i < kTimes; ++i) {
      turnstile.Pass();
      EXPECT_EQ(carried, 2 * i + 1);
      ++carried;
      if (back.Open()) back.Wake();
    }
  });
  for (int i = 0; i < kTimes; ++i) {
    ++carried;
    if (turnstile.Open()) turnstile.Wake();
    back.Pass();
    EXPECT_EQ(carried, 2 * i + 2);
  }
  other.join();
}

}  // namespace
}  // namespace cohort
