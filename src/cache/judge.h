// Judge says which plan the shards of one tier should follow now: it simulates all of them side by side, for a sample
// of the keys, and names the one that has hit most of late.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "cache/plans.h"
#include "cache/shadow.h"

namespace cohort {

// Why simulations: which policy is best depends on what is asked for and on the size of the cache, and changes; the
// best of them is better than the next by 5 and more points of hit ratio as often as not. What a cache sees itself (its
// hits, or what comes back soon after it left) says how it does, but not how it would do otherwise.
// Why a sample is enough: all plans see the same requests, so what is special about the sampled keys favours none of
// them; and a cache of 1/n of the size hits as often for 1/n of the keys (Waldspurger et al., USENIX ATC 2017).
//
// Each simulation holds up to 512 keys. When one would hold more, half of the keys leave the sample, so the size of the
// cache in entries need not be known. Thread safe; only sampled keys lead to its lock, which no call holds for long.
class Judge {
 public:
  Judge();

  // The tier's. A budget of few bytes allows few keys; if too few, it never judges. Forgets everything.
  void SetLimits(int64_t bytes, int64_t items);
  Plan plan() const { return plan_.load(std::memory_order_relaxed); }
  // Whether the plans by frequency and density now hit much less often than that one.
  bool counting_is_far_behind() const { return far_behind_.load(std::memory_order_relaxed); }
  bool Samples(uint64_t hash) const { return (Spread(hash) & sample_mask_.load(std::memory_order_relaxed)) == 0; }
  // 1: all keys are.
  uint32_t one_in() const { return sample_mask_.load(std::memory_order_relaxed) + 1; }
  // A request for a sampled key.
  void OnAccess(uint64_t hash, int64_t bytes);
  int64_t MemoryBytes() const;

 private:
  static constexpr uint32_t kNoSample = UINT32_MAX >> 1;

  static uint32_t Spread(uint64_t hash) {
    return static_cast<uint32_t>((hash ^ hash >> 32) * 0x9E3779B97F4A7C15 >> 32);
  }
  void HalveSample();
  // `memory`: of how many requests what is remembered weighs as much in the end.
  void Compare(double memory);

  std::atomic<uint32_t> sample_mask_{kNoSample};
  std::atomic<Plan> plan_{kFirstPlan};
  std::atomic<bool> far_behind_{false};

  mutable std::mutex mutex_;
  int64_t bytes_ = 0;
  int64_t items_ = 0;
  size_t most_items_ = 0;
  std::array<Shadow, kPlans> shadows_;
  // Of the last requests, weighed less the longer ago they were.
  std::array<double, kPlans> hits_{};
  double requests_ = 0;
};

}  // namespace cohort
