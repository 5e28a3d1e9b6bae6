#include "runtime/turnstile.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace cohort {

// Three states suffice, because whoever opens the turnstile learns by the same step whether to wake:
//   1. Pass: closed becomes "somebody sleeps"   2. Open: so it must wake   3. the sleeper passes
//   1. Open: nobody sleeps                      2. Pass: it is open, and passes at once
#if defined(__linux__)

void Turnstile::Pass() {
  uint32_t seen = kClosed;
  if (state_.compare_exchange_strong(seen, kSleepers, std::memory_order_acq_rel)) seen = kSleepers;
  while (seen != kOpen) {
    // An end without a reason is no harm.
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&state_), FUTEX_WAIT_PRIVATE, kSleepers, nullptr, nullptr, 0);
    seen = state_.load(std::memory_order_acquire);
  }
  state_.store(kClosed, std::memory_order_relaxed);
}

void Turnstile::Wake() {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&state_), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

#else

void Turnstile::Pass() {
  uint32_t seen = kClosed;
  if (state_.compare_exchange_strong(seen, kSleepers, std::memory_order_acq_rel)) {
    std::unique_lock<std::mutex> lock(mutex_);
    opened_.WaitUntil(lock, -1, [this] { return state_.load(std::memory_order_acquire) == kOpen; });
  }
  state_.store(kClosed, std::memory_order_relaxed);
}

void Turnstile::Wake() {
  std::lock_guard<std::mutex> lock(mutex_);
  opened_.NotifyOne();
}

#endif

}  // namespace cohort
