// Stats counts what a group does, each thread in cache lines of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/thread_counts.h"

namespace cohort {

enum class Counter : size_t {
  kMisses,  // Gets that were not answered from the cache at once; the cache counts those that were.
  kPeerLoads,
  kPeerErrors,
  kLoads,
  kLoadsDeduped,
  kLocalLoads,
  kLocalLoadErrors,
  kRemoveKeysRequests,
  kRemovedKeys,
  kServedToPeers,
  kMisrouted,
  kSets,
  kRemoves,
  kSetsFromPeers,
  kRemovesFromPeers,
  kOvertakenLoads,
  kTimeouts,
  kCancelled,
  kAbandonedLoads,
  kCount_,
};

class Stats {
 public:
  void Add(Counter counter, int64_t n = 1) { counts_.Add(static_cast<size_t>(counter), n); }
  int64_t Get(Counter counter) const { return counts_.Sum(static_cast<size_t>(counter)); }
  void PeerLatency(int64_t ms) {
    int64_t seen = peer_latency_max_ms_.load(std::memory_order_relaxed);
    while (seen < ms && !peer_latency_max_ms_.compare_exchange_weak(seen, ms, std::memory_order_relaxed)) {
    }
  }
  int64_t peer_latency_max_ms() const { return peer_latency_max_ms_.load(std::memory_order_relaxed); }

 private:
  ThreadCounts<static_cast<size_t>(Counter::kCount_)> counts_;
  std::atomic<int64_t> peer_latency_max_ms_{0};
};

// A group's counters and gauges at one moment; the C ABI's cohort_group_stats_t, field for field.
struct GroupStats {
  int64_t gets = 0;
  int64_t cache_hits = 0;
  int64_t get_from_peers_latency_max_ms = 0;
  int64_t peer_loads = 0;
  int64_t peer_errors = 0;
  int64_t loads = 0;
  int64_t loads_deduped = 0;
  int64_t local_loads = 0;
  int64_t local_load_errors = 0;
  int64_t remove_keys_requests = 0;
  int64_t removed_keys = 0;
  int64_t waiting = 0;
  int64_t loading = 0;
  int64_t served_to_peers = 0;
  int64_t misrouted = 0;
  int64_t sets = 0;
  int64_t removes = 0;
  int64_t sets_from_peers = 0;
  int64_t removes_from_peers = 0;
  int64_t overtaken_loads = 0;
  int64_t timeouts = 0;
  int64_t cancelled = 0;
  int64_t abandoned_loads = 0;
};

}  // namespace cohort
