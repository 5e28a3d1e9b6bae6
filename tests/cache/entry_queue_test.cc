// The queues keep their order through any mixture of operations, and give their memory back.
#include "cache/entry_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <list>
#include <random>
#include <string>
#include <vector>

#include "cache/failing_new.h"

namespace cohort {
namespace {

class EntryQueueTest : public testing::Test {
 protected:
  Entry* Make() {
    values_.push_back(Value::Copy(std::to_string(values_.size()), "", 0));
    return Entry::Of(values_.back().get());
  }
  // From the oldest to the newest.
  std::list<Entry*> Walk(unsigned queue) {
    std::list<Entry*> all;
    for (Entry* entry = queues_.Oldest(queue); entry != nullptr; entry = queues_.Newer(entry)) all.push_back(entry);
    return all;
  }

  std::vector<ValueRef> values_;
  EntryQueues queues_{EntryQueues::kMostQueues};
};

TEST_F(EntryQueueTest, IsEmptyAtFirst) {
  EXPECT_EQ(queues_.Oldest(0), nullptr);
  EXPECT_EQ(queues_.Newest(0), nullptr);
  EXPECT_EQ(queues_.Size(0), 0U);
  EXPECT_EQ(queues_.MemoryBytes(), 0);
}

TEST_F(EntryQueueTest, JoinsAndLeavesAtBothEnds) {
  Entry* const a = Make();
  Entry* const b = Make();
  Entry* const c = Make();
  ASSERT_TRUE(queues_.PushNewest(3, a));
  ASSERT_TRUE(queues_.PushNewest(3, b));
  ASSERT_TRUE(queues_.PushOldest(3, c));
  EXPECT_EQ(Walk(3), (std::list<Entry*>{c, a, b}));
  EXPECT_EQ(queues_.QueueOf(c), 3U);
  ASSERT_TRUE(queues_.MoveToNewest(3, a));
  ASSERT_TRUE(queues_.MoveToOldest(3, b));
  EXPECT_EQ(Walk(3), (std::list<Entry*>{b, c, a}));
  ASSERT_TRUE(queues_.MoveToNewest(5, c));
  EXPECT_EQ(Walk(3), (std::list<Entry*>{b, a}));
  EXPECT_EQ(queues_.QueueOf(c), 5U);
  queues_.Remove(a);
  EXPECT_EQ(queues_.Newest(3), b);
  EXPECT_EQ(queues_.Size(3), 1U);
}

TEST_F(EntryQueueTest, FollowsAnotherInItsOrder) {
  for (const unsigned first : {0U, 1U, 57U, 58U, 200U}) {
    for (const unsigned second : {0U, 1U, 20U, 200U}) {
      std::list<Entry*> all;
      for (unsigned i = 0; i < first + second; ++i) {
        all.push_back(Make());
        ASSERT_TRUE(queues_.PushNewest(i < first ? 63 : 2, all.back()));
      }
      queues_.Append(2, 63);
      EXPECT_EQ(Walk(63), all);
      EXPECT_EQ(queues_.Size(63), first + second);
      EXPECT_EQ(Walk(2), std::list<Entry*>());
      for (Entry* const entry : all) {
        ASSERT_EQ(queues_.QueueOf(entry), 63U);
        ASSERT_EQ(queues_.Oldest(63), entry);
        queues_.Remove(entry);
      }
      EXPECT_EQ(queues_.MemoryBytes(), 0);
    }
  }
}

TEST_F(EntryQueueTest, TakesLittleMoreThanAPointerWhenFull) {
  constexpr int kEntries = 58 * 1000;
  for (int i = 0; i < kEntries; ++i) ASSERT_TRUE(queues_.PushNewest(0, Make()));
  EXPECT_LE(queues_.MemoryBytes(), kEntries * 87 / 10);
}

TEST_F(EntryQueueTest, GivesMemoryBackAsItShrinks) {
  std::vector<Entry*> all;
  for (int i = 0; i < 58 * 100; ++i) all.push_back(Make());
  for (Entry* const entry : all) ASSERT_TRUE(queues_.PushNewest(0, entry));
  const int64_t full = queues_.MemoryBytes();
  std::mt19937 random(7);
  std::shuffle(all.begin(), all.end(), random);
  for (size_t left = all.size(); left > 0; --left) {
    queues_.Remove(all[left - 1]);
    // Two neighbours have more than 53 of their 116 places taken.
    ASSERT_LE(queues_.MemoryBytes(),
              full * static_cast<int64_t>(left) / static_cast<int64_t>(all.size()) * 116 / 53 + 2048);
  }
  EXPECT_EQ(queues_.MemoryBytes(), 0);
}

TEST_F(EntryQueueTest, StaysAsItIsWithoutMemory) {
  if (!FailingNew::Works()) GTEST_SKIP() << "operator new is the sanitizer's";
  Entry* const a = Make();
  Entry* const b = Make();
  {
    const FailingNew failing(0);
    EXPECT_FALSE(queues_.PushNewest(0, a));
  }
  ASSERT_TRUE(queues_.PushNewest(0, a));
  ASSERT_TRUE(queues_.PushNewest(0, b));
  {
    const FailingNew failing(0);
    EXPECT_FALSE(queues_.MoveToNewest(1, a));
  }
  EXPECT_EQ(Walk(0), (std::list<Entry*>{a, b}));
  EXPECT_EQ(queues_.Size(1), 0U);
}

// Against std::list, with phases that grow, shuffle and shrink.
TEST_F(EntryQueueTest, DoesWhatListsDo) {
  constexpr size_t kEntries = 3000;
  constexpr unsigned kUsed = 3;
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    std::list<Entry*> model[kUsed];
    std::vector<Entry*> out;
    std::vector<Entry*> in;
    while (out.size() < kEntries) out.push_back(Make());
    const auto take = [&](std::vector<Entry*>* from) {
      std::swap((*from)[random() % from->size()], from->back());
      Entry* const entry = from->back();
      from->pop_back();
      return entry;
    };
    const auto add = [&](unsigned queue, bool newest, Entry* entry) {
      model[queue].insert(newest ? model[queue].end() : model[queue].begin(), entry);
    };
    for (int step = 0; step < 60000; ++step) {
      const unsigned phase = (static_cast<unsigned>(step) / 6000) % 3;
      const unsigned queue = random() % kUsed;
      const bool newest = random() % 4 != 0;
      const unsigned dice = random() % 10;
      if (step % 300 == 299) {
        queues_.Append(queue, (queue + 1) % kUsed);
        model[(queue + 1) % kUsed].splice(model[(queue + 1) % kUsed].end(), model[queue]);
      }
      if (dice < (phase == 0 ? 6U : phase == 1 ? 1U : 0U)) {
        if (out.empty()) continue;
        Entry* const entry = take(&out);
        ASSERT_TRUE(newest ? queues_.PushNewest(queue, entry) : queues_.PushOldest(queue, entry));
        add(queue, newest, entry);
        in.push_back(entry);
      } else if (!in.empty()) {
        Entry* const entry = take(&in);
        const unsigned of = queues_.QueueOf(entry);
        const auto at = std::find(model[of].begin(), model[of].end(), entry);
        ASSERT_NE(at, model[of].end());
        model[of].erase(at);
        if (dice < (phase == 2 ? 6U : phase == 1 ? 2U : 7U)) {
          queues_.Remove(entry);
          out.push_back(entry);
        } else {
          ASSERT_TRUE(newest ? queues_.MoveToNewest(queue, entry) : queues_.MoveToOldest(queue, entry));
          add(queue, newest, entry);
          in.push_back(entry);
        }
      }
      ASSERT_EQ(queues_.Size(queue), model[queue].size());
      ASSERT_EQ(queues_.Newest(queue), model[queue].empty() ? nullptr : model[queue].back());
      ASSERT_EQ(queues_.Oldest(queue), model[queue].empty() ? nullptr : model[queue].front());
      if (step % 500 == 0) {
        for (unsigned i = 0; i < kUsed; ++i) ASSERT_EQ(Walk(i), model[i]);
      }
    }
    for (Entry* const entry : in) queues_.Remove(entry);
    EXPECT_EQ(queues_.MemoryBytes(), 0);
    values_.clear();
  }
}

}  // namespace
}  // namespace cohort
