// LockSoon takes a mutex under which nobody stays longer than a moment: it tries again for about as long before it
// sleeps, since to sleep and be woken takes many times that.
#pragma once

#include <mutex>

namespace cohort {

inline void LockSoon(std::mutex* mutex) {
  constexpr int kTries = 64;
  for (int i = 0; i < kTries; ++i) {
    if (mutex->try_lock()) return;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
  mutex->lock();
}

}  // namespace cohort
