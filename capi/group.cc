// Groups: their names, their numbers, their budget.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "capi/check.h"
#include "capi/fence.h"
#include "capi/handles.h"

using cohort::Code;
using cohort::GroupStats;
using cohort::Status;
using cohort::Tier;
using cohort::TierStats;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace {

// The engine's structs are the C ABI's, field for field: they are handed out as they are.
#define COHORT_SAME_FIELD(engine, c, field) \
  static_assert(offsetof(engine, field) == offsetof(c, field) && sizeof(engine::field) == sizeof(c::field))
#define COHORT_SAME_STAT(field) COHORT_SAME_FIELD(GroupStats, cohort_group_stats_t, field)
COHORT_SAME_STAT(gets);
COHORT_SAME_STAT(cache_hits);
COHORT_SAME_STAT(get_from_peers_latency_max_ms);
COHORT_SAME_STAT(peer_loads);
COHORT_SAME_STAT(peer_errors);
COHORT_SAME_STAT(loads);
COHORT_SAME_STAT(loads_deduped);
COHORT_SAME_STAT(local_loads);
COHORT_SAME_STAT(local_load_errors);
COHORT_SAME_STAT(remove_keys_requests);
COHORT_SAME_STAT(removed_keys);
COHORT_SAME_STAT(waiting);
COHORT_SAME_STAT(loading);
COHORT_SAME_STAT(served_to_peers);
COHORT_SAME_STAT(misrouted);
COHORT_SAME_STAT(sets);
COHORT_SAME_STAT(removes);
COHORT_SAME_STAT(sets_from_peers);
COHORT_SAME_STAT(removes_from_peers);
COHORT_SAME_STAT(overtaken_loads);
COHORT_SAME_STAT(timeouts);
COHORT_SAME_STAT(cancelled);
COHORT_SAME_STAT(abandoned_loads);
static_assert(sizeof(GroupStats) == sizeof(cohort_group_stats_t));
#undef COHORT_SAME_STAT
#define COHORT_SAME_STAT(field) COHORT_SAME_FIELD(TierStats, cohort_cache_stats_t, field)
COHORT_SAME_STAT(bytes);
COHORT_SAME_STAT(charged_bytes);
COHORT_SAME_STAT(budget_bytes);
COHORT_SAME_STAT(items);
COHORT_SAME_STAT(gets);
COHORT_SAME_STAT(hits);
COHORT_SAME_STAT(evictions);
COHORT_SAME_STAT(expirations);
COHORT_SAME_STAT(rejected);
static_assert(sizeof(TierStats) == sizeof(cohort_cache_stats_t));
#undef COHORT_SAME_STAT
#undef COHORT_SAME_FIELD

// A program that was built against an older header passes a smaller size and gets what it knows.
template <typename Stats>
int64_t CopyStats(const Stats& stats, void* to, size_t to_size) {
  const size_t size = std::min(to_size, sizeof stats);
  std::memcpy(to, &stats, size);
  return static_cast<int64_t>(size);
}

bool Unusable(const cohort_group_t* group) { return group == nullptr || group->inherited(); }

}  // namespace

extern "C" {

void cohort_group_free(cohort_group_t* group) { FreeHandle(group); }

const char* cohort_group_name(const cohort_group_t* group) {
  return Unusable(group) ? "" : group->group->name().c_str();
}

int64_t cohort_group_name_size(const cohort_group_t* group) {
  return Unusable(group) ? 0 : static_cast<int64_t>(group->group->name().size());
}

int64_t cohort_group_stats(const cohort_group_t* group, cohort_group_stats_t* stats, size_t stats_size) {
  if (Unusable(group) || stats == nullptr) return 0;
  return FenceQuiet<int64_t>(0, [&] { return CopyStats(group->group->StatsNow(), stats, stats_size); });
}

int64_t cohort_group_cache_stats(const cohort_group_t* group, int32_t tier, cohort_cache_stats_t* stats,
                                 size_t stats_size) {
  if (Unusable(group) || stats == nullptr || (tier != COHORT_TIER_MAIN && tier != COHORT_TIER_HOT)) return 0;
  return FenceQuiet<int64_t>(
      0, [&] { return CopyStats(group->group->CacheStatsNow(static_cast<Tier>(tier)), stats, stats_size); });
}

cohort_status_t cohort_group_reset_cache(cohort_group_t* group, int64_t cache_bytes, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(group, "group").ok()) return check.status();
    if (group->group->refusing()) return Status(Code::kClosed, "group '" + group->group->name() + "' is closed");
    group->group->ResetCache(cache_bytes);
    return Status();
  });
}

}  // extern "C"
