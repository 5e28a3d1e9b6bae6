#include "cache/judge.h"

#include <algorithm>
#include <new>
#include <utility>

namespace cohort {

namespace {

constexpr int64_t kBytesPerItem = 24 * kPlans;
constexpr size_t kFewestItems = 16;
// Of the budget: what the simulations may take.
constexpr int64_t kPartOfBudget = 24;
// A plan has to hit this much more often than the present one.
constexpr double kMargin = 0.005;
constexpr double kMuch = 0.05;
constexpr double kLittle = 0.008;

std::array<Shadow, kPlans> NewShadows() {
  return {Shadow(Plan::kRecency), Shadow(Plan::kReuse), Shadow(Plan::kFrequency), Shadow(Plan::kDensity)};
}

}  // namespace

Judge::Judge() : shadows_(NewShadows()) {}

void Judge::SetLimits(int64_t bytes, int64_t items) {
  const std::lock_guard<std::mutex> lock(mutex_);
  bytes_ = bytes;
  items_ = items;
  const int64_t affordable = bytes / kPartOfBudget / kBytesPerItem;
  most_items_ = static_cast<size_t>(std::min<int64_t>(affordable, Shadow::kMostItems));
  for (Shadow& shadow : shadows_) shadow.Reset();
  for (Shadow& shadow : shadows_) shadow.SetLimits(bytes, items);
  hits_ = {};
  requests_ = 0;
  plan_.store(most_items_ < kFewestItems ? Plan::kRecency : kFirstPlan, std::memory_order_relaxed);
  far_behind_.store(false, std::memory_order_relaxed);
  sample_mask_.store(most_items_ < kFewestItems ? kNoSample : 0, std::memory_order_relaxed);
}

void Judge::OnAccess(uint64_t hash, int64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  double memory = 0;
  const uint32_t tag = Spread(hash);
  try {
    for (const Shadow& shadow : shadows_) {
      while (shadow.size() >= most_items_ && sample_mask_.load(std::memory_order_relaxed) != kNoSample) HalveSample();
    }
    if ((tag & sample_mask_.load(std::memory_order_relaxed)) != 0) return;
    // A few rounds of the cache: shorter, and chance decides; longer, and a change is seen late.
    memory = 10.0 * std::max<double>(static_cast<double>(shadows_[0].size()), 30);
    const double fading = 1 - 1 / memory;
    requests_ = requests_ * fading + 1;
    for (unsigned i = 0; i < kPlans; ++i) hits_[i] = hits_[i] * fading + (shadows_[i].Access(tag, bytes) ? 1 : 0);
  } catch (const std::bad_alloc&) {
    for (Shadow& shadow : shadows_) shadow.Reset();
    sample_mask_.store(kNoSample, std::memory_order_relaxed);
    plan_.store(Plan::kRecency, std::memory_order_relaxed);
    return;
  }
  Compare(memory);
}

void Judge::Compare(double memory) {
  const auto hits_of = [this](Plan plan) { return hits_[static_cast<unsigned>(plan)]; };
  const Plan present = plan();
  auto best = static_cast<Plan>(std::max_element(hits_.begin(), hits_.end()) - hits_.begin());
  const double counting = std::max(hits_of(Plan::kFrequency), hits_of(Plan::kDensity));
  const bool far_behind = hits_of(best) > counting + kMuch * requests_;
  far_behind_.store(far_behind, std::memory_order_relaxed);
  // Where what matters is how long ago: by reuse, a cache whose main queue is full of the past may never find out,
  // though the simulation, whose is not, does well. By recency it finds out in one round.
  if (far_behind && hits_of(Plan::kRecency) + kLittle * requests_ >= hits_of(best)) best = Plan::kRecency;
  const bool is_safer = best == Plan::kRecency && present == Plan::kReuse && far_behind;
  // At first, when few requests are remembered, a lead of a few hits is chance; but what a wrong plan lets go of is
  // gone.
  const double margin = kMargin * std::max(requests_, memory / 2);
  if (!is_safer && hits_of(best) <= hits_of(present) + margin) return;
  plan_.store(best, std::memory_order_relaxed);
}

void Judge::HalveSample() {
  const uint32_t mask = sample_mask_.load(std::memory_order_relaxed) * 2 + 1;
  sample_mask_.store(mask, std::memory_order_relaxed);
  for (Shadow& shadow : shadows_) {
    shadow.Thin([mask](uint32_t tag) { return (tag & mask) == 0; });
    shadow.SetLimits(bytes_ / (int64_t{mask} + 1), std::max<int64_t>(items_ / (int64_t{mask} + 1), 1));
  }
}

int64_t Judge::MemoryBytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  int64_t bytes = sizeof(Judge);
  for (const Shadow& shadow : shadows_) bytes += shadow.MemoryBytes();
  return bytes;
}

}  // namespace cohort
