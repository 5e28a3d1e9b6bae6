// Trace is a list of requested keys as a file has them, one a line, gzipped or not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cohort::replay {

struct Trace {
  std::vector<std::string> keys;   // Each once, in the order of their first requests.
  std::vector<uint32_t> requests;  // By number in `keys`.
};

// Of a file; throws std::runtime_error with a line that says what is wrong.
Trace ReadTrace(const std::string& path);

// Sizes for traces that have none: 64 bytes to 16 KiB, the same for equal keys, each doubling as likely as another.
int64_t SizeOf(const std::string& key);

}  // namespace cohort::replay
