// Trace keeps the last things that happened in a schedule, for whoever has to understand a failure, and a hash of all
// of them, by which two runs are known to be the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace cohort::sim {

inline constexpr int kNobody = -1;
inline constexpr int kNoKey = -1;

struct TraceLine {
  int64_t at_ns = 0;
  int node = kNobody;
  const char* what = "";  // A literal.
  int key = kNoKey;
  int64_t a = 0;
  int64_t b = 0;
};

class Trace {
 public:
  explicit Trace(size_t kept = 150) : kept_(kept) {}

  void Add(const TraceLine& line);
  uint64_t hash() const { return hash_; }
  int64_t lines() const { return lines_; }
  // The last lines, oldest first.
  std::string Text() const;

 private:
  void Mix(uint64_t bits) { hash_ = (hash_ ^ bits) * 0x100000001b3; }

  const size_t kept_;
  std::deque<TraceLine> last_;
  uint64_t hash_ = 0xcbf29ce484222325;
  int64_t lines_ = 0;
};

}  // namespace cohort::sim
