// Terms of the cache: its tiers, policies, and why something comes or leaves.
#pragma once

#include <cstdint>

namespace cohort {

enum class Tier : int32_t { kMain = 1, kHot = 2 };
constexpr unsigned kTiers = 2;
constexpr unsigned NumberOf(Tier tier) { return tier == Tier::kMain ? 0 : 1; }
constexpr Tier TierOf(unsigned number) { return number == 0 ? Tier::kMain : Tier::kHot; }

enum class Policy : int32_t { kLru = 0, kAdaptive = 1 };
// Where a value that is filled comes from. A policy may find that one which was loaded is not worth its room.
enum class Origin : int32_t { kLoad, kSet };
enum class EvictReason : int32_t { kRoom = 1, kExpired = 2 };

struct TierStats {
  int64_t bytes = 0;          // Keys and values.
  int64_t charged_bytes = 0;  // Overheads included: what the budget limits.
  int64_t budget_bytes = 0;
  int64_t items = 0;
  int64_t gets = 0;
  int64_t hits = 0;
  int64_t evictions = 0;
  int64_t expirations = 0;
  int64_t rejected = 0;
};

}  // namespace cohort
