// LRU evicts in the order of use, or of the ages of use.
#include "cache/lru.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cohort {
namespace {

class LruTest : public testing::Test {
 protected:
  LruTest() { lru_.SetCapacity(0, 0, true); }

  Entry* Add(const std::string& key) {
    values_.push_back(Value::Copy(key, "", 0));
    EXPECT_TRUE(lru_.OnInsert(Entry::Of(values_.back().get())));
    return Entry::Of(values_.back().get());
  }
  std::string EvictAll() {
    std::string order;
    while (Entry* const victim = lru_.Victim(nullptr, false, Room())) {
      lru_.OnRemove(victim);
      order += victim->key();
    }
    return order;
  }

  std::vector<ValueRef> values_;
  Ages ages_;
  Lru lru_{&ages_};
};

TEST_F(LruTest, EvictsInTheOrderOfUse) {
  Entry* const a = Add("a");
  Entry* const b = Add("b");
  Add("c");
  lru_.OnHit(a);
  lru_.OnHit(a);
  lru_.OnHit(b);
  EXPECT_EQ(EvictAll(), "cab");
}

TEST_F(LruTest, RemovesFromBothEndsAndTheMiddle) {
  Entry* const a = Add("a");
  Entry* const b = Add("b");
  Entry* const c = Add("c");
  Add("d");
  Entry* const e = Add("e");
  lru_.OnRemove(c);
  lru_.OnRemove(a);
  lru_.OnRemove(e);
  lru_.OnHit(b);
  EXPECT_EQ(EvictAll(), "db");
}

// Hits stamp entries; the order of those that were used in one age is that in which they came or were met.
class LargeLruTest : public LruTest {
 protected:
  LargeLruTest() {
    ages_.Restart(true);
    lru_.SetCapacity(0, 0, false);
  }
  std::vector<Entry*> AddSome(int count) {
    std::vector<Entry*> entries;
    entries.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) entries.push_back(Add(std::string(1, static_cast<char>('0' + i))));
    return entries;
  }
  // As if all shards but this one had entries that are used all the time.
  void LetAgesPass(int64_t ages = 1) {
    for (const int64_t end = ages_.now() + ages; ages_.now() < end;) {
      ages_.OnLeave(ages_.now());
      ages_.OnCount(0);
    }
  }
};

TEST_F(LargeLruTest, AsksForNoHits) {
  for (const Entry* entry : AddSome(20)) EXPECT_FALSE(entry->state().notes_hits);
}

TEST_F(LargeLruTest, EvictsInTheOrderOfTheAgesInWhichTheyWereUsed) {
  const std::vector<Entry*> entries = AddSome(8);
  for (const size_t used : {size_t{5}, size_t{0}, size_t{7}, size_t{5}}) {
    LetAgesPass();
    ages_.Stamp(entries[used]);
  }
  LetAgesPass();
  EXPECT_EQ(EvictAll(), "12346075");
}

TEST_F(LargeLruTest, WhatIsUsedAgainAndAgainStays) {
  const std::vector<Entry*> entries = AddSome(64);
  std::string evicted;
  for (int i = 0; i < 5000; ++i) {
    for (const size_t hot : {size_t{10}, size_t{20}}) {
      ages_.Stamp(entries[hot]);
      ages_.OnCount(i);
    }
    Entry* const victim = lru_.Victim(nullptr, false, Room());
    evicted += victim->key();
    lru_.OnRemove(victim);
    ASSERT_TRUE(lru_.OnInsert(victim));
  }
  EXPECT_EQ(evicted.find_first_of(std::string(entries[10]->key()) + std::string(entries[20]->key())),
            std::string::npos);
  EXPECT_EQ(evicted.substr(0, 62 * 10), evicted.substr(62, 62 * 10));
}

TEST_F(LargeLruTest, WhatNobodyHasLookedAtForManyAgesIsStillTheOldest) {
  const std::vector<Entry*> entries = AddSome(6);
  LetAgesPass(2000);
  for (const size_t used : {size_t{4}, size_t{1}}) {
    LetAgesPass(3);
    ages_.Stamp(entries[used]);
  }
  Add("late");
  EXPECT_EQ(lru_.Victim(nullptr, false, Room()), entries[0]);
  LetAgesPass(2000);
  ages_.Stamp(entries[5]);
  // Those that were used so long ago are no longer told apart.
  EXPECT_EQ(EvictAll(), "01234late5");
}

TEST_F(LargeLruTest, HitsAloneBeginAgesButNeverTooMany) {
  AddSome(64);
  const int64_t before = ages_.now();
  for (int64_t hits = 1; hits <= 1000; ++hits) ages_.OnCount(hits);
  EXPECT_GT(ages_.now(), before + Ages::kKept / 2);
  for (int64_t hits = 1; hits <= 10'000'000; ++hits) ages_.OnCount(hits);
  EXPECT_LT(ages_.now(), before + 400);
}

TEST_F(LargeLruTest, AnAgeIsASmallPartOfALife) {
  const std::vector<Entry*> entries = AddSome(64);
  int64_t before = 0;
  for (int i = 0; i < 64 * 200; ++i) {
    if (i == 64 * 100) before = ages_.now();
    Entry* const victim = lru_.Victim(nullptr, false, Room());
    lru_.OnRemove(victim);
    ASSERT_TRUE(lru_.OnInsert(victim));
  }
  EXPECT_GT(ages_.now() - before, 100 * 8);
  EXPECT_LT(ages_.now() - before, 100 * Ages::kKept);
}

TEST_F(LargeLruTest, AChoiceAmongManyThatWereUsedIsShort) {
  std::vector<Entry*> entries;
  entries.reserve(1000);
  for (int i = 0; i < 1000; ++i) entries.push_back(Add(std::to_string(i)));
  LetAgesPass();
  ages_.Stamp(entries[30]);
  LetAgesPass();
  for (Entry* const entry : entries) {
    if (entry != entries[30]) ages_.Stamp(entry);
  }
  LetAgesPass();
  EXPECT_EQ(lru_.Victim(nullptr, false, Room()), entries[30]);
}

// What is left to a shard of few entries leaves young there.
TEST_F(LargeLruTest, AsksAllShardsForRoomWhereItsOwnEntriesWouldLeaveMuchEarlier) {
  Lru large(&ages_);
  large.SetCapacity(0, 0, false);
  const ValueRef newcomer = Value::Copy("new", "", 0);
  const auto turn_over = [&](Lru* lru) {
    Entry* const victim = lru->Victim(nullptr, false, Room());
    lru->OnRemove(victim);
    ASSERT_TRUE(lru->OnInsert(victim));
  };
  for (int i = 0; i < 100; ++i) {
    values_.push_back(Value::Copy("large", "", 0));
    ASSERT_TRUE(large.OnInsert(Entry::Of(values_.back().get())));
  }
  AddSome(10);
  for (int i = 0; i < 3000; ++i) {
    turn_over(&large);
    if (i % 10 == 0) turn_over(&lru_);
  }
  const auto victim_for_newcomer = [&](Lru* lru) { return lru->Victim(Entry::Of(newcomer.get()), false, Room()); };
  for (Lru* const lru : {&large, &lru_}) lru->OnArrive(nullptr, 0);
  EXPECT_NE(victim_for_newcomer(&large), nullptr);
  EXPECT_NE(victim_for_newcomer(&lru_), nullptr);
  for (int i = 0; i < 3000; ++i) {
    turn_over(&large);
    for (int j = 0; j < 2; ++j) turn_over(&lru_);
  }
  for (Lru* const lru : {&large, &lru_}) lru->OnArrive(nullptr, 0);
  EXPECT_NE(victim_for_newcomer(&large), nullptr);
  EXPECT_EQ(victim_for_newcomer(&lru_), nullptr);
  EXPECT_NE(lru_.Victim(nullptr, false, Room()), nullptr);
  // A newcomer that replaces an entry: nobody may see its key absent.
  lru_.OnRemove(lru_.Victim(nullptr, false, Room()));
  EXPECT_NE(victim_for_newcomer(&lru_), nullptr);
}

TEST(Ages, KnowsAStampFromThePresentAge) {
  for (const int64_t now : {int64_t{0}, int64_t{70'000}, int64_t{1} << 40}) {
    for (const int64_t ago : {0, 1, 31, 32'000}) EXPECT_EQ(Ages::Of(static_cast<uint16_t>(now - ago), now), now - ago);
    EXPECT_EQ(Ages::Of(static_cast<uint16_t>(now + 2), now), now);
  }
}

}  // namespace
}  // namespace cohort
