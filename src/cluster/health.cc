#include "cluster/health.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace cohort {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;

// "4.2 s", never less than what is left.
std::string Seconds(int64_t ns) {
  const int64_t tenths = (ns + 99'999'999) / 100'000'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

Health::Health(std::string address, HealthOptions options, Clock& clock, Random& random)
    : address_(std::move(address)), options_(options), clock_(clock), random_(random) {}

Result<Health::Permit> Health::Ask() {
  if (well_.load(std::memory_order_acquire)) return Permit{0};
  return AskSlowly();
}

void Health::Report(Permit permit, const Status& end) {
  if (end.ok() && well_.load(std::memory_order_acquire)) return;
  ReportSlowly(permit, end);
}

Result<Health::Permit> Health::AskSlowly() {
  std::lock_guard lock(mutex_);
  if (!open_) return Permit{0};
  const int64_t left_ns = open_until_ns_ - clock_.MonotonicNs();
  if (left_ns <= 0 && trial_ == 0) {
    trial_ = ++last_trial_;
    return trial_;
  }
  const std::string pause = left_ns > 0 ? "for another " + Seconds(left_ns) : "until a trial under way has ended,";
  return Status(Code::kUnreachable, "peer " + address_ + " is not asked " + pause + " after " +
                                        std::to_string(failures_) + " failures (last: " + last_failure_ + ")");
}

// A call that was sent before the breaker opened may end while it is open, or while a trial is under way:
// 1. its answer proves that the peer lives, and closes the breaker;
// 2. its failure is old news and changes nothing. Only the trial's own failure opens the breaker again.
void Health::ReportSlowly(Permit permit, const Status& end) {
  std::lock_guard lock(mutex_);
  const bool trial = permit != 0 && permit == trial_;
  if (trial) trial_ = 0;
  if (end.ok()) {
    failures_ = 0;
    times_opened_ = 0;
    open_ = false;
    trial_ = 0;
    well_.store(true, std::memory_order_release);
    return;
  }
  if (end.code() != Code::kUnreachable && end.code() != Code::kTimeout) return;
  if (open_ && !trial) return;
  well_.store(false, std::memory_order_release);
  if (failures_ < std::numeric_limits<int>::max()) ++failures_;
  last_failure_ = end.message();
  if (trial || (options_.failures > 0 && failures_ >= options_.failures)) Open();
}

void Health::Open() {
  const int64_t least_ms = std::max<int64_t>(options_.min_open_ms, 1);
  int64_t pause_ms = least_ms;
  for (int i = 0; i < times_opened_ && pause_ms < options_.max_open_ms; ++i) pause_ms *= 2;
  pause_ms = std::max(least_ms, std::min(pause_ms, options_.max_open_ms));
  // Between half and all of it, so that the nodes that lost a peer together do not come back together.
  const int64_t half_ms = pause_ms / 2;
  pause_ms = half_ms + static_cast<int64_t>(random_.Next() % static_cast<uint64_t>(pause_ms - half_ms + 1));
  open_ = true;
  ++times_opened_;
  open_until_ns_ = clock_.MonotonicNs() + pause_ms * kMillisecondNs;
}

}  // namespace cohort
