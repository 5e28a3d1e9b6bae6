// A few hundred schedules, each from its seed, break no promise; and a seed is one schedule, whenever it runs.
//
//   COHORT_SIM_SEEDS=N   how many seeds (else those below; COHORT_LONG=1 takes the long run)
//   COHORT_SIM_SEED=N    only that one
//   COHORT_SIM_FIRST=N   where to begin
#include "sim/schedule.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace cohort::sim {
namespace {

constexpr uint64_t kSeeds = 240;
constexpr uint64_t kSeedsOfALongRun = 4'000;
constexpr int kMostFailures = 3;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Schedules : public ::testing::TestWithParam<Flavor> {};

TEST_P(Schedules, KeepEveryPromise) {
  const uint64_t first = FromEnvironment("COHORT_SIM_FIRST", 1);
  const uint64_t only = FromEnvironment("COHORT_SIM_SEED", 0);
  const uint64_t usual = FromEnvironment("COHORT_LONG", 0) != 0 ? kSeedsOfALongRun : kSeeds;
  const uint64_t end = only != 0 ? only + 1 : first + FromEnvironment("COHORT_SIM_SEEDS", usual);
  int failures = 0;
  int64_t schedules = 0, events = 0, gets = 0, hits = 0, runs = 0, changes = 0;
  for (uint64_t seed = only != 0 ? only : first; seed < end && failures < kMostFailures; ++seed) {
    if (static_cast<Flavor>(seed % kFlavors) != GetParam()) continue;
    const Report report = RunSchedule(seed);
    ++schedules;
    events += report.events;
    gets += report.gets;
    hits += report.hits;
    runs += report.runs;
    changes += report.changes;
    if (report.ok()) continue;
    ++failures;
    ADD_FAILURE() << report.Text();
  }
  std::printf("%lld schedules: %lld events, %lld gets, %lld hits, %lld loads, %lld changes\n",
              static_cast<long long>(schedules), static_cast<long long>(events), static_cast<long long>(gets),
              static_cast<long long>(hits), static_cast<long long>(runs), static_cast<long long>(changes));
}

std::string NameOfFlavor(const ::testing::TestParamInfo<Flavor>& flavor) {
  constexpr const char* kNames[] = {"Calm", "Busy", "Faulty", "Moving"};
  return kNames[static_cast<int>(flavor.param)];
}

INSTANTIATE_TEST_SUITE_P(Sim, Schedules,
                         ::testing::Values(Flavor::kCalm, Flavor::kBusy, Flavor::kFaulty, Flavor::kMoving),
                         NameOfFlavor);

TEST(Schedule, ASeedIsTheSameScheduleEachTime) {
  for (uint64_t seed = 1000; seed < 1000 + 3 * kFlavors; ++seed) {
    const Report first = RunSchedule(seed);
    const Report second = RunSchedule(seed);
    EXPECT_EQ(first.hash, second.hash) << first.Text();
    EXPECT_EQ(first.trace, second.trace);
    EXPECT_GT(first.events, 100);
  }
}

TEST(Schedule, OtherSeedsAreOtherSchedules) { EXPECT_NE(RunSchedule(2000).hash, RunSchedule(2000 + kFlavors).hash); }

}  // namespace
}  // namespace cohort::sim
