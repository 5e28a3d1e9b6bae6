// A broken engine must not pass: within so many seeds the simulator reports the promise that this mutant breaks.
#include <gtest/gtest.h>

#include <cstdio>

#include "sim/schedule.h"

namespace cohort::sim {
namespace {

constexpr uint64_t kSeeds = 240;

TEST(Mutant, IsCaught) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Report report = RunSchedule(seed);
    if (!report.Broke(Promise::MUTANT_PROMISE)) continue;
    std::printf("%s: caught by seed %d: %s\n", MUTANT_NAME, static_cast<int>(seed),
                report.violations.front().text.c_str());
    return;
  }
  ADD_FAILURE() << MUTANT_NAME << " passed " << kSeeds << " schedules";
}

}  // namespace
}  // namespace cohort::sim
