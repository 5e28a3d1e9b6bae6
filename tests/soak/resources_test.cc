// Growth is told from noise, and what a process opens is counted.
#include "soak/resources.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <thread>

namespace soak {
namespace {

TEST(Resources, CountWhatIsOpened) {
  std::thread([] {}).join();  // A sanitizer starts a thread of its own beside the first.
  const Resources before = ResourcesNow();
  if (before.threads == 0) GTEST_SKIP() << "no /proc here";
  std::promise<void> end;
  std::thread thread([waits = end.get_future()]() mutable { waits.wait(); });
  const int descriptor = open("/dev/null", O_RDONLY);
  const Resources now = ResourcesNow();
  EXPECT_EQ(now.threads, before.threads + 1);
  EXPECT_EQ(now.descriptors, before.descriptors + 1);
  EXPECT_GT(now.memory_bytes, 0);
  close(descriptor);
  end.set_value();
  thread.join();
}

TEST(Resources, NoiseIsNoGrowth) {
  std::vector<Resources> samples;
  for (int64_t i = 0; i < 30; ++i) samples.push_back({1000 + i % 7 * 10, 500 + i % 2, 20 + i % 3, 10 + i % 2});
  EXPECT_EQ(Growth(samples, {60, 1, 3, 2}), std::vector<std::string>());
}

TEST(Resources, WhatGrowsIsNamed) {
  std::vector<Resources> samples;
  for (int64_t i = 0; i < 30; ++i) samples.push_back({1000 + i * 10, 500 + i, 20, 10 + i / 10});
  EXPECT_EQ(Growth(samples, {100, 20, 3, 1}),
            (std::vector<std::string>{"memory grew from 1050 to 1250", "descriptors grew from 10 to 12"}));
}

TEST(Resources, TooFewSamplesProveNothing) { EXPECT_EQ(Growth({{}, {}}, {}).size(), 1U); }

}  // namespace
}  // namespace soak
