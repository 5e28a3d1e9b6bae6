// The list evicts in the order of use.
#include "cache/lru.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cohort {
namespace {

class LruTest : public testing::Test {
 protected:
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

}  // namespace
}  // namespace cohort
