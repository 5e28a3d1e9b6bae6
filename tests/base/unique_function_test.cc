// A callable that can only be moved: in its own room when small, on the heap when not, and gone exactly once.
#include "base/unique_function.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace cohort {
namespace {

// Counts how many of it there are, and weighs as much as it is told to.
template <size_t kWeight>
struct Counted {
  explicit Counted(int* alive_count) : alive(alive_count) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(other.alive), called(other.called) { ++*alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --*alive; }
  int operator()(int more) { return called += more; }

  int* alive;
  int called = 0;
  std::array<char, kWeight> weight{};
};

template <size_t kWeight>
void LivesOnce() {
  int alive = 0;
  {
    UniqueFunction<int(int)> first = Counted<kWeight>(&alive);
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(first(2), 2);
    UniqueFunction<int(int)> second = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(second(3), 5) << "its state moves with it";
    EXPECT_EQ(alive, 1);
    int other = 0;
    first = Counted<kWeight>(&other);
    first = std::move(second);
    EXPECT_EQ(other, 0) << "what was there before is gone";
    EXPECT_EQ(first(1), 6);
    first = nullptr;
    EXPECT_EQ(alive, 0);
    EXPECT_FALSE(first);
    first = Counted<kWeight>(&alive);
  }
  EXPECT_EQ(alive, 0);
}

TEST(UniqueFunction, ASmallCallableLivesOnce) { LivesOnce<1>(); }
TEST(UniqueFunction, ALargeCallableLivesOnce) { LivesOnce<200>(); }

TEST(UniqueFunction, ArgumentsAndResultsMayOnlyMove) {
  UniqueFunction<std::unique_ptr<std::string>(std::unique_ptr<std::string>)> function =
      [own = std::make_unique<int>(7)](std::unique_ptr<std::string> text) {
        *text += std::to_string(*own);
        return text;
      };
  EXPECT_EQ(*function(std::make_unique<std::string>("a")), "a7");
}

TEST(UniqueFunction, WhatIsAssignedMayBeOwnedByWhatGoes) {
  struct Node {
    UniqueFunction<int()> next;
  };
  auto node = std::make_shared<Node>();
  node->next = [] { return 7; };
  Node* const raw = node.get();
  UniqueFunction<int()> function = [node = std::move(node)] { return 1; };
  function = std::move(raw->next);
  EXPECT_EQ(function(), 7);
}

TEST(UniqueFunction, ACallableThatMayThrowWhenMovedIsMovedNoMore) {
  struct Throws {
    explicit Throws(int its_number) : number(its_number) {}
    // NOLINTNEXTLINE(performance-noexcept-move-constructor): that is what is tested
    Throws(Throws&& other) noexcept(false) : number(other.number) {
      if (number < 0) throw std::bad_alloc();
    }
    int operator()() const { return number; }
    int number;
  };
  UniqueFunction<int()> first = Throws(3);
  UniqueFunction<int()> second = std::move(first);
  EXPECT_EQ(second(), 3);
}

}  // namespace
}  // namespace cohort
