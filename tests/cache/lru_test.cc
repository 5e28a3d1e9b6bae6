// The list evicts in the order of use.
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
  Lru lru_;
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

// Of 64, the latest quarter are those whose hits are not asked for.
class LargeLruTest : public LruTest {
 protected:
  static constexpr int kEntries = 64;
  static constexpr int kRecent = kEntries / 4;
  LargeLruTest() {
    lru_.SetCapacity(0, 0, false);
    for (int i = 0; i < kEntries; ++i) entries_.push_back(Add(std::string(1, static_cast<char>('0' + i))));
  }
  int Recent() const {
    int recent = 0;
    for (const Entry* entry : entries_) recent += entry->state().notes_hits ? 0 : 1;
    return recent;
  }
  std::vector<Entry*> entries_;
};

TEST_F(LargeLruTest, AsksForTheHitsOfAllButTheLatest) {
  EXPECT_EQ(Recent(), kRecent);
  for (int i = 0; i < kEntries; ++i)
    EXPECT_EQ(entries_[static_cast<size_t>(i)]->state().notes_hits, i < kEntries - kRecent);
  lru_.OnHit(entries_[3]);
  EXPECT_FALSE(entries_[3]->state().notes_hits);
  EXPECT_TRUE(entries_[kEntries - kRecent]->state().notes_hits);
  EXPECT_EQ(Recent(), kRecent);
}

TEST_F(LargeLruTest, EvictsInTheOrderOfUseButForTheLatest) {
  for (Entry* const entry : {entries_[5], entries_[0], entries_[63], entries_[5]}) lru_.OnHit(entry);
  std::string order;
  for (const Entry* entry : entries_) {
    if (entry != entries_[5] && entry != entries_[0]) order += entry->key();
  }
  EXPECT_EQ(EvictAll(), order + std::string(entries_[5]->key()) + std::string(entries_[0]->key()));
}

TEST_F(LargeLruTest, WhatIsUsedAgainAndAgainStays) {
  std::string evicted;
  for (int i = 0; i < 500; ++i) {
    for (const size_t hot : {size_t{10}, size_t{20}}) {
      if (entries_[hot]->state().notes_hits) lru_.OnHit(entries_[hot]);
    }
    Entry* const victim = lru_.Victim(nullptr, false, Room());
    evicted += victim->key();
    lru_.OnRemove(victim);
    ASSERT_TRUE(lru_.OnInsert(victim));
  }
  EXPECT_EQ(evicted.find_first_of(std::string(entries_[10]->key()) + std::string(entries_[20]->key())),
            std::string::npos);
}

}  // namespace
}  // namespace cohort
