// Schedule is one seed's story: a cluster, what its members do, what befalls them, and what the model says of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/model.h"

namespace cohort::sim {

// A seed's flavor is its remainder by the number of flavors, so that a run of seeds has all of them.
enum class Flavor {
  kCalm,    // Nothing fails: the strictest checks.
  kBusy,    // No faults of the network; getters fail, callers leave, values expire, caches are too small.
  kFaulty,  // All that, and a network that loses, delays, repeats and parts; members that crash and come back.
  kMoving,  // All that, and rings that change at different times on different members.
};
inline constexpr uint64_t kFlavors = 4;

struct Report {
  uint64_t seed = 0;
  Flavor flavor = Flavor::kCalm;
  std::vector<Violation> violations;
  uint64_t hash = 0;  // Of all that happened.
  std::string trace;
  int members = 0;
  int64_t events = 0;
  int64_t gets = 0;
  int64_t hits = 0;
  int64_t runs = 0;
  int64_t changes = 0;
  int64_t virtual_ns = 0;

  bool ok() const { return violations.empty(); }
  bool Broke(Promise promise) const;
  // The seed, what was broken, how to see it again, the last lines of the trace.
  std::string Text() const;
};

Report RunSchedule(uint64_t seed);

// The command that runs a seed again.
std::string ReplayCommand(uint64_t seed);

}  // namespace cohort::sim
