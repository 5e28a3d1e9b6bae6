// Blocks that go from thread to thread: none is given out twice, and what a thread keeps when it ends is not lost.
#include "base/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace cohort {
namespace {

TEST(BlockPool, NoBlockIsGivenOutTwice) {
  using Pool = BlockPool<48>;
  for (int round = 0; round < 3; ++round) {
    std::set<void*> blocks;
    for (int i = 0; i < 1'000; ++i) {
      void* const block = Pool::Take();
      std::memset(block, i, 48);
      EXPECT_TRUE(blocks.insert(block).second);
    }
    for (void* const block : blocks) Pool::Give(block);
  }
  Pool::Give(nullptr);
}

TEST(BlockPool, WhatOneThreadTakesAnotherGivesBack) {
  using Pool = BlockPool<64>;
  constexpr int kThreads = 4;
  constexpr int kEach = 2'000;
  for (int round = 0; round < 5; ++round) {
    std::vector<std::vector<void*>> taken(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&taken, t] {
        for (int i = 0; i < kEach; ++i) {
          void* const block = Pool::Take();
          std::memset(block, t, 64);
          taken[static_cast<size_t>(t)].push_back(block);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::set<void*> distinct;
    for (const auto& blocks : taken) distinct.insert(blocks.begin(), blocks.end());
    EXPECT_EQ(distinct.size(), size_t{kThreads} * kEach);
    threads.clear();
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&taken, t] {
        for (void* const block : taken[static_cast<size_t>((t + 1) % kThreads)]) {
          EXPECT_EQ(*static_cast<char*>(block), (t + 1) % kThreads) << "nobody else has written to it";
          Pool::Give(block);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(BlockPool, SharedObjectsLieInBlocksWithTheirCounts) {
  struct Thing {
    explicit Thing(int* count) : alive(count) { ++*alive; }
    ~Thing() { --*alive; }
    Thing(const Thing&) = delete;
    Thing& operator=(const Thing&) = delete;
    int* alive;
    char room[100] = {};
  };
  int alive = 0;
  std::vector<std::shared_ptr<Thing>> things;
  std::weak_ptr<Thing> weak;
  for (int i = 0; i < 100; ++i) things.push_back(MakePooled<Thing>(&alive));
  weak = things[0];
  EXPECT_EQ(alive, 100);
  things.clear();
  EXPECT_EQ(alive, 0);
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace cohort
