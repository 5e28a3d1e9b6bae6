// Context is what an instance and its groups share: the runtime, the peers of the moment, the log, and the count of
// what is under way.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "cache/local_cache.h"
#include "cluster/peer_set.h"
#include "runtime/burst.h"
#include "runtime/condition.h"
#include "runtime/runtime.h"

namespace cohort {

enum class LogLevel : int32_t { kDebug = 0, kInfo = 1, kWarn = 2, kError = 3 };
using LogFunction = std::function<void(LogLevel, std::string_view)>;

class Context {
 public:
  Context(std::shared_ptr<Runtime> runtime, LogLevel level, LogFunction log)
      : runtime_(std::move(runtime)), level_(level), log_(std::move(log)) {}

  Runtime& runtime() const { return *runtime_; }
  int64_t NowUnixNs() const { return runtime_->clock().UnixNs(); }
  LazyTime LazyUnixTime() const {
    return {this, [](const void* self) { return static_cast<const Context*>(self)->NowUnixNs(); }};
  }
  int64_t NowNs() const { return runtime_->clock().MonotonicNs(); }

  // Null: local only.
  std::shared_ptr<const PeerSet> peers() const {
    std::lock_guard lock(mutex_);
    return peers_;
  }
  // Returns the previous set, whose peers go when the last call on them ends.
  std::shared_ptr<const PeerSet> SetPeers(std::shared_ptr<const PeerSet> peers) {
    const bool alone =
        peers == nullptr || std::none_of(peers->peers.begin(), peers->peers.end(),
                                         [](const std::shared_ptr<Peer>& peer) { return peer != nullptr; });
    std::lock_guard lock(mutex_);
    alone_.store(alone, std::memory_order_release);
    peers_.swap(peers);
    return peers;
  }
  // Whether there is no other member. As with peers(), what asks while they change may hear of either.
  bool alone() const { return alone_.load(std::memory_order_acquire); }

  bool Logs(LogLevel level) const { return log_ && level >= level_; }
  void Log(LogLevel level, std::string_view line) const {
    if (Logs(level)) log_(level, line);
  }

  // Flights, Sets and Removes under way: what a shutdown waits for.
  void Begin(int64_t count = 1) { busy_.fetch_add(count, std::memory_order_relaxed); }
  void End(int64_t count = 1) {
    if (busy_.fetch_sub(count, std::memory_order_acq_rel) != count) return;
    std::lock_guard lock(busy_mutex_);
    idle_.NotifyAll();
  }
  // False: something was still under way at that point of the runtime's monotonic clock (negative: no such point).
  bool AwaitIdle(int64_t deadline_ns) {
    Burst::BeforeBlocking();
    std::unique_lock lock(busy_mutex_);
    return runtime_->Await(idle_, lock, deadline_ns, [this] { return busy_.load(std::memory_order_acquire) == 0; });
  }

 private:
  const std::shared_ptr<Runtime> runtime_;
  const LogLevel level_;
  const LogFunction log_;
  mutable std::mutex mutex_;
  std::shared_ptr<const PeerSet> peers_;
  std::atomic<bool> alone_{true};  // Changed under the lock.
  std::mutex busy_mutex_;
  Condition idle_;
  std::atomic<int64_t> busy_{0};
};

}  // namespace cohort
