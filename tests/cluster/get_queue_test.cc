// The queue of gets: in order, in turns, within bounds.
#include "cluster/get_queue.h"

#include <gtest/gtest.h>

#include <set>

namespace cohort {
namespace {

using Ids = std::vector<GetQueue::Id>;

bool All(GetQueue::Id /*id*/) { return true; }

TEST(GetQueue, TheFirstComeAreTheFirstToGo) {
  GetQueue queue;
  for (GetQueue::Id id = 1; id <= 5; ++id) queue.Push("g", id, 1);
  EXPECT_EQ(queue.Take(2, 100, All), (Ids{1, 2}));
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.Take(100, 100, All), (Ids{3, 4, 5}));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Take(100, 100, All), Ids());
}

TEST(GetQueue, GroupsTakeTurns) {
  GetQueue queue;
  for (GetQueue::Id id = 1; id <= 100; ++id) queue.Push("large", id, 1);
  queue.Push("small", 201, 1);
  queue.Push("small", 202, 1);
  queue.Push("other", 301, 1);
  EXPECT_EQ(queue.Take(6, 100, All), (Ids{1, 201, 301, 2, 202, 3}));
  queue.Push("small", 203, 1);
  EXPECT_EQ(queue.Take(4, 100, All), (Ids{4, 203, 5, 6}));
  EXPECT_EQ(queue.size(), 94u);
}

TEST(GetQueue, BytesAreBoundedButForTheFirst) {
  GetQueue queue;
  queue.Push("g", 1, 40);
  queue.Push("g", 2, 60);
  queue.Push("g", 3, 1);
  queue.Push("g", 4, 5000);
  queue.Push("g", 5, 1);
  EXPECT_EQ(queue.Take(100, 100, All), (Ids{1, 2}));
  EXPECT_EQ(queue.Take(100, 100, All), (Ids{3}));
  EXPECT_EQ(queue.Take(100, 100, All), (Ids{4}));
  EXPECT_EQ(queue.Take(100, 100, All), (Ids{5}));
}

TEST(GetQueue, WhatIsNotWantedTakesNoRoomAndNoTurn) {
  GetQueue queue;
  for (GetQueue::Id id = 1; id <= 6; ++id) queue.Push("a", id, 50);
  for (GetQueue::Id id = 11; id <= 12; ++id) queue.Push("b", id, 50);
  const std::set<GetQueue::Id> gone = {1, 2, 11, 5};
  const auto wanted = [&](GetQueue::Id id) { return gone.count(id) == 0; };
  EXPECT_EQ(queue.Take(2, 100, wanted), (Ids{3, 12}));
  EXPECT_EQ(queue.Take(100, 100, wanted), (Ids{4, 6}));
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace cohort
