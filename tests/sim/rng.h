// Rng is the simulator's only chance: a seed in, the same numbers out, on every machine.
#pragma once

#include <cstdint>

namespace cohort::sim {

// SplitMix64.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t bits = state_;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }
  // 0 .. bound - 1. REQUIRES: bound > 0.
  int64_t Below(int64_t bound) { return static_cast<int64_t>(Next() % static_cast<uint64_t>(bound)); }
  // Both ends included. REQUIRES: low <= high.
  int64_t Between(int64_t low, int64_t high) { return low + Below(high - low + 1); }
  bool Chance(int permille) { return Below(1000) < permille; }
  // A stream of its own, so that more chances taken here change nothing there.
  Rng Fork() { return Rng(Next()); }

 private:
  uint64_t state_;
};

}  // namespace cohort::sim
