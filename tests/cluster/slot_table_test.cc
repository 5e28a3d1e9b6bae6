// Numbers and deadlines of many gets: a number is found until it is taken and never again, a deadline passes once.
#include "cluster/slot_table.h"

#include <gtest/gtest.h>

#include <list>
#include <memory>

#include "cluster/deadlines.h"

namespace cohort {
namespace {

TEST(SlotTable, ANumberIsNeverAnotherObjects) {
  SlotTable<std::shared_ptr<int>> table;
  EXPECT_EQ(table.Find(0), nullptr);
  const uint64_t a = table.Add(std::make_shared<int>(1));
  const uint64_t b = table.Add(std::make_shared<int>(2));
  EXPECT_NE(a, 0u);
  EXPECT_EQ(**table.Find(a), 1);
  EXPECT_EQ(*table.Take(a), 1);
  EXPECT_EQ(table.Find(a), nullptr);
  const uint64_t c = table.Add(std::make_shared<int>(3));
  EXPECT_NE(c, a) << "though it has its place";
  EXPECT_EQ(table.Find(a), nullptr);
  int sum = 0;
  table.ForEach([&](uint64_t number, const std::shared_ptr<int>& value) {
    EXPECT_TRUE(number == b || number == c);
    sum += *value;
  });
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(table.Find(uint64_t{1} << 40), nullptr);
}

struct Timer : Deadlines::Timed {
  using Timed::Timed;
};

TEST(Deadlines, EachPassesOnceAndThoseThatAreTakenOutDoNot) {
  Deadlines deadlines;
  std::list<Timer> timers;
  const auto add = [&](int64_t ns) -> Timer& {
    timers.emplace_back(ns);
    deadlines.Add(timers.back());
    return timers.back();
  };
  EXPECT_TRUE(deadlines.empty());
  Timer& late = add(9'000'000'000);
  Timer& second = add(5'000'300);
  Timer& first = add(5'000'100);
  Timer& gone = add(5'000'200);
  Timer& much_later = add(1'000'000'000'000'000);
  deadlines.Add(first);  // Again: nothing.
  deadlines.Remove(gone);
  deadlines.Remove(gone);
  EXPECT_LE(deadlines.DueNs(), 5'000'100);
  EXPECT_TRUE(deadlines.TakePassed(5'000'099).empty());
  EXPECT_EQ(deadlines.TakePassed(5'000'100), (std::vector<Deadlines::Timed*>{&first}));
  EXPECT_GT(deadlines.DueNs(), 5'000'100) << "or a timer would look in for ever";
  EXPECT_EQ(deadlines.TakePassed(9'000'000'000), (std::vector<Deadlines::Timed*>{&second, &late}));
  deadlines.Remove(much_later);
  EXPECT_TRUE(deadlines.empty());
  EXPECT_TRUE(deadlines.TakePassed(INT64_MAX).empty());
}

TEST(Deadlines, AnyOfAListMayBeTakenOut) {
  for (size_t skipped = 0; skipped < 3; ++skipped) {
    Deadlines deadlines;
    std::list<Timer> timers;
    for (int i = 0; i < 3; ++i) deadlines.Add(timers.emplace_back(1'000 + i));
    deadlines.Remove(*std::next(timers.begin(), static_cast<std::ptrdiff_t>(skipped)));
    EXPECT_EQ(deadlines.TakePassed(2'000).size(), 2u);
    EXPECT_TRUE(deadlines.empty());
  }
}

}  // namespace
}  // namespace cohort
