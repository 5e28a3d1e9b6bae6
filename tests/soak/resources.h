// What a process holds now, as Linux tells it, and whether a row of such samples grows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace soak {

struct Resources {
  int64_t memory_bytes = 0;  // Resident.
  int64_t heap_bytes = 0;    // Of these, in use by malloc; 0 where that cannot be known.
  int64_t threads = 0;
  int64_t descriptors = 0;
};

Resources ResourcesNow();

// How much each may grow from the first third of the samples to the last, median to median.
using Limits = Resources;

// What has grown beyond its limit, a line each; empty: nothing.
std::vector<std::string> Growth(const std::vector<Resources>& samples, const Limits& limits);

}  // namespace soak
