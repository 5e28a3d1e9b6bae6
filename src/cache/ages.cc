#include "cache/ages.h"

#include <algorithm>
#include <bit>

namespace cohort {

void Ages::Restart(bool passing) {
  step_mask_.store(passing ? 0 : -1, std::memory_order_relaxed);
  life_.store(0, std::memory_order_relaxed);
  oldest_.store(uses_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

// While nothing leaves, the oldest gets older and ages get longer in proportion, so their number grows with the
// logarithm of the uses only.
void Ages::Pass(int64_t uses) {
  const int64_t all = uses_.fetch_add(uses, std::memory_order_relaxed) + uses;
  const int64_t life = all - oldest_.load(std::memory_order_relaxed);
  int64_t began = began_.load(std::memory_order_relaxed);
  if ((all - began) * kInALife < life) return;
  if (!began_.compare_exchange_strong(began, all, std::memory_order_relaxed)) return;
  const int64_t next = now() + 1;
  begins_[static_cast<size_t>(next % kKept)].store(all, std::memory_order_relaxed);
  now_.store(next, std::memory_order_relaxed);
  // A few steps an age; rare ones, since all threads take them in the same place.
  constexpr int64_t kSteps = 4;
  constexpr int64_t kLongestStep = 64;
  const int64_t step = std::clamp<int64_t>(life / kInALife / kSteps, 1, kLongestStep);
  step_mask_.store(static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(step))) - 1, std::memory_order_relaxed);
}

int64_t Ages::Since(int64_t age) const {
  return uses_.load(std::memory_order_relaxed) -
         begins_[static_cast<size_t>(age % kKept)].load(std::memory_order_relaxed);
}

bool Ages::LeavesEarly(int64_t age) const {
  const int64_t life = life_.load(std::memory_order_relaxed);
  return Since(age) < life - life / 4;
}

void Ages::OnLeave(int64_t age) {
  constexpr int64_t kSmoothing = 16;
  const int64_t before = life_.load(std::memory_order_relaxed);
  const int64_t since = Since(age);
  const int64_t life = before == 0 ? since : before + (since - before) / kSmoothing;
  life_.store(life, std::memory_order_relaxed);
  oldest_.store(uses_.load(std::memory_order_relaxed) - life, std::memory_order_relaxed);
}

}  // namespace cohort
