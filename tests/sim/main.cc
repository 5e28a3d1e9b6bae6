// The simulator's own main: as any test program's, and "--seed N" runs one seed and shows its trace.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sim/schedule.h"

namespace {

int RunOne(const char* seed) {
  const cohort::sim::Report report = cohort::sim::RunSchedule(std::strtoull(seed, nullptr, 10));
  std::printf("%s", report.Text().c_str());
  if (report.ok()) std::printf("%severy promise was kept\n", report.trace.c_str());
  return report.ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--seed") == 0) return RunOne(argv[i + 1]);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
