// The index finds what a plain map finds, in few bytes, whatever the hashes do.
#include "cache/index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "cache/cache_fixture.h"
#include "cache/failing_new.h"

namespace cohort {
namespace {

// An index that owns what is put into it.
class IndexTest : public testing::Test {
 protected:
  ~IndexTest() override { Clear(); }

  Entry* Put(const std::string& key, uint64_t hash) {
    while (Entry* const in_the_way = index_.MakeRoom(hash)) {
      ++crowded_out_;
      Remove(in_the_way);
    }
    Entry* const entry = Entry::Of(Value::Copy(key, "v", 0).release());
    entry->SetHash(hash);
    index_.Insert(entry);
    return entry;
  }
  void Remove(Entry* entry) {
    index_.Remove(entry);
    entry->Unref();
  }
  void Clear() {
    index_.Clear([](Entry* entry) { entry->Unref(); });
  }

  Index index_;
  int crowded_out_ = 0;
};

std::string Key(int i) { return "key-" + std::to_string(i); }
uint64_t HashOf(int i) { return LocalCache::Hash(Key(i)); }

TEST_F(IndexTest, EmptyIndexFindsNothingAndOwnsNothing) {
  EXPECT_EQ(index_.Find("k", 1), nullptr);
  EXPECT_EQ(index_.memory_bytes(), 0);
  Index::Cursor cursor;
  EXPECT_EQ(index_.Walk(&cursor, 10, [](Entry*) { return true; }), 0);
  EXPECT_TRUE(cursor.done());
}

TEST_F(IndexTest, FindsWhatAModelFindsWhileItGrowsAndShrinks) {
  std::mt19937_64 random(1);
  std::map<int, Entry*> model;
  // Grows past several splits, then shrinks, then mixes.
  for (int step = 0; step < 60'000; ++step) {
    const int i = static_cast<int>(random() % 6000);
    const auto found = model.find(i);
    Entry* const entry = index_.Find(Key(i), HashOf(i));
    ASSERT_EQ(entry, found == model.end() ? nullptr : found->second);
    const uint64_t percent_put = step < 20'000 ? 90 : step < 40'000 ? 10 : 50;
    const bool put = random() % 100 < percent_put;
    if (put && entry == nullptr) model[i] = Put(Key(i), HashOf(i));
    if (!put && entry != nullptr) {
      Remove(entry);
      model.erase(i);
    }
    ASSERT_EQ(index_.count(), static_cast<int64_t>(model.size()));
  }
  for (const auto& [i, entry] : model) EXPECT_EQ(index_.Find(Key(i), HashOf(i)), entry);
  EXPECT_EQ(crowded_out_, 0);
}

TEST_F(IndexTest, TakesTwelveBytesAnEntryOrLessWhenItGrows) {
  int64_t worst_hundredths = 0;
  for (int i = 0; i < 100'000; ++i) {
    Put(Key(i), HashOf(i));
    if (i > 1000) worst_hundredths = std::max(worst_hundredths, index_.memory_bytes() * 100 / (i + 1));
  }
  EXPECT_LE(worst_hundredths, 1350);
  EXPECT_LE(index_.memory_bytes(), 100'000 * 12);
}

TEST_F(IndexTest, GivesMemoryBackWhenEntriesLeave) {
  std::vector<Entry*> entries;
  for (int i = 0; i < 50'000; ++i) entries.push_back(Put(Key(i), HashOf(i)));
  const int64_t full = index_.memory_bytes();
  for (Entry* entry : entries) Remove(entry);
  EXPECT_LT(index_.memory_bytes(), full / 20);
  Clear();
  EXPECT_EQ(index_.memory_bytes(), 0);
}

TEST_F(IndexTest, DifferentKeysWithOneHashAreDifferentEntries) {
  for (int i = 0; i < 300; ++i) Put(Key(i), 42);
  for (int i = 0; i < 300; ++i) {
    Entry* const entry = index_.Find(Key(i), 42);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->key(), Key(i));
  }
  EXPECT_EQ(index_.Find("another", 42), nullptr);
  for (int i = 0; i < 300; i += 2) Remove(index_.Find(Key(i), 42));
  for (int i = 0; i < 300; ++i) EXPECT_EQ(index_.Find(Key(i), 42) != nullptr, i % 2 == 1);
}

TEST_F(IndexTest, FloodOfOneHashCrowdsOutItsOwnKindAndStaysSmall) {
  for (int i = 0; i < 1000; ++i) Put(Key(i), HashOf(i));
  const uint64_t flood = HashOf(0);
  for (int i = 0; i < 6000; ++i) Put("flood-" + std::to_string(i), flood);
  EXPECT_GT(crowded_out_, 1000);
  EXPECT_LT(index_.memory_bytes(), 200'000);
  int survivors = 0;
  for (int i = 0; i < 1000; ++i) survivors += index_.Find(Key(i), HashOf(i)) != nullptr ? 1 : 0;
  EXPECT_GE(survivors, 998);
}

TEST_F(IndexTest, WalkShowsEveryEntryOnceInPieces) {
  std::multiset<std::string> seen;
  std::set<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    Put(Key(i), HashOf(i));
    expected.insert(Key(i));
  }
  Index::Cursor cursor;
  int64_t shown = 0;
  while (!cursor.done()) {
    const int64_t some = index_.Walk(&cursor, 7, [&](Entry* entry) {
      seen.insert(std::string(entry->key()));
      return false;
    });
    ASSERT_LE(some, 7);
    shown += some;
  }
  EXPECT_EQ(shown, 5000);
  EXPECT_EQ(std::multiset<std::string>(expected.begin(), expected.end()), seen);
}

TEST_F(IndexTest, WalkRemovesWhatLeavesAndMissesNothing) {
  for (int i = 0; i < 5000; ++i) Put(Key(i), HashOf(i));
  Index::Cursor cursor;
  while (!cursor.done()) {
    index_.Walk(&cursor, 100, [&](Entry* entry) {
      if (entry->key().back() % 2 != 0) return false;
      entry->Unref();
      return true;
    });
  }
  EXPECT_EQ(index_.count(), 2500);
  for (int i = 0; i < 5000; ++i) {
    const bool stays = Key(i).back() % 2 != 0;
    EXPECT_EQ(index_.Find(Key(i), HashOf(i)) != nullptr, stays) << i;
  }
}

TEST_F(IndexTest, OutOfMemoryLeavesItAsItWas) {
  if (!FailingNew::Works()) GTEST_SKIP() << "operator new is the sanitizer's";
  int failures = 0;
  for (int i = 0; i < 3000; ++i) {
    for (int allocations = 0; allocations < 3; ++allocations) {
      FailingNew failing(allocations);
      try {
        index_.MakeRoom(HashOf(i));
        break;
      } catch (const std::bad_alloc&) {
        ++failures;
      }
    }
    ASSERT_EQ(index_.count(), i);
    if (i > 0) {
      ASSERT_NE(index_.Find(Key(i / 2), HashOf(i / 2)), nullptr);
    }
    Put(Key(i), HashOf(i));
  }
  EXPECT_GT(failures, 20);
  for (int i = 0; i < 3000; ++i) EXPECT_NE(index_.Find(Key(i), HashOf(i)), nullptr);
}

}  // namespace
}  // namespace cohort
