// Bursts: what is put off runs once, in order, when the outermost ends or before its thread blocks.
#include "runtime/burst.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace cohort {
namespace {

TEST(Burst, WhatIsPutOffRunsInOrderWhenTheOutermostEnds) {
  std::string ran;
  EXPECT_FALSE(Burst::open());
  {
    const Burst outer;
    EXPECT_TRUE(Burst::open());
    Burst::PutOff([&] {
      ran += "a";
      Burst::PutOff([&] { ran += "c"; });
    });
    {
      const Burst inner;
      Burst::PutOff([&] { ran += "b"; });
    }
    EXPECT_EQ(ran, "");
    std::thread([] { EXPECT_FALSE(Burst::open()) << "it is one thread's"; }).join();
  }
  EXPECT_EQ(ran, "abc");
  EXPECT_FALSE(Burst::open());
}

TEST(Burst, CodeOfTheHostIsToldApart) {
  EXPECT_FALSE(Burst::is_of_ends());
  const Burst ends;
  EXPECT_TRUE(Burst::is_of_ends());
  {
    const Burst callbacks(Burst::Of::kCallbacks);
    EXPECT_TRUE(Burst::open());
    EXPECT_FALSE(Burst::is_of_ends());
  }
  EXPECT_TRUE(Burst::is_of_ends());
}

TEST(Burst, AThreadThatIsAboutToBlockRunsItBefore) {
  int ran = 0;
  const Burst burst;
  Burst::PutOff([&] { ++ran; });
  Burst::BeforeBlocking();
  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(Burst::open());
  Burst::BeforeBlocking();
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace cohort
