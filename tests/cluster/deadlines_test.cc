// Deadlines beside a list that is searched from end to end: the same ones pass, in the same order, whatever was done.
#include "cluster/deadlines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace cohort {
namespace {

TEST(Deadlines, AreThoseOfAPlainList) {
  std::mt19937_64 random(7);
  for (const int64_t apart_ns : {int64_t{1'000}, int64_t{3'000'000}, int64_t{500'000'000}}) {
    Deadlines deadlines;
    std::vector<std::unique_ptr<Deadlines::Timed>> listed;
    int64_t now_ns = 0;
    for (int step = 0; step < 4'000; ++step) {
      const uint64_t what = random() % 10;
      if (what < 6) {
        const auto at_ns = now_ns + static_cast<int64_t>(random() % 40) * apart_ns;
        listed.push_back(std::make_unique<Deadlines::Timed>(at_ns));
        deadlines.Add(*listed.back());
        deadlines.Add(*listed.back());  // Says nothing new.
      } else if (what < 9 && !listed.empty()) {
        const auto at = listed.begin() + static_cast<std::ptrdiff_t>(random() % listed.size());
        deadlines.Remove(**at);
        deadlines.Remove(**at);
        listed.erase(at);
      } else {
        now_ns += static_cast<int64_t>(random() % 20) * apart_ns;
        std::vector<int64_t> expected;
        for (const auto& timed : listed) {
          if (timed->deadline_ns <= now_ns) expected.push_back(timed->deadline_ns);
        }
        std::sort(expected.begin(), expected.end());
        std::vector<int64_t> passed;
        for (const Deadlines::Timed* timed : deadlines.TakePassed(now_ns)) passed.push_back(timed->deadline_ns);
        ASSERT_EQ(passed, expected);
        std::erase_if(listed, [&](const auto& timed) { return timed->deadline_ns <= now_ns; });
      }
      ASSERT_EQ(deadlines.empty(), listed.empty());
      for (const auto& timed : listed) ASSERT_LE(deadlines.DueNs(), timed->deadline_ns);
    }
  }
}

}  // namespace
}  // namespace cohort
