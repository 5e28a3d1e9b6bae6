// What Cohort nodes add to groupcache's words: headers that groupcache-go ignores, and two paths.
#pragma once

#include <cstddef>

namespace cohort {

// On every request and answer: the sender is a Cohort node, takes batches, and since version 2 answers what is not
// ready with tickets.
inline constexpr char kCohortHeader[] = "Cohort";
inline constexpr char kCohortVersion[] = "2";
inline constexpr int kVersionWithTickets = 2;
// On a value with an expiry: how long it still lives, so that clocks need not agree.
inline constexpr char kLifeHeader[] = "Cohort-Life-Ms";
// On a request: how long the asker still waits.
inline constexpr char kTimeoutHeader[] = "Cohort-Timeout-Ms";

// POST base + this.
inline constexpr char kBatchPath[] = "_cohort/batch";
inline constexpr char kBatchName[] = "batch";
inline constexpr size_t kMaxBatchEntries = 10'000;
inline constexpr char kCollectPath[] = "_cohort/collect";
inline constexpr char kCollectName[] = "collect";

inline constexpr char kProtobufType[] = "application/x-protobuf";

}  // namespace cohort
