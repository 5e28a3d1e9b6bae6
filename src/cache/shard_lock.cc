#include "cache/shard_lock.h"

namespace cohort {

namespace {

constexpr int kSpins = 64;

inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

// A reader that meets a writer steps back out, so that the writer need not wait for it, and spins a little; then it
// waits on the writers' mutex. While it holds that, no writer is in, and it enters for good.
void ShardLock::ReenterShared() {
  UnlockShared();
  for (int spin = 0; spin < kSpins; ++spin) {
    Pause();
    if ((word_.load(std::memory_order_relaxed) & kWriter) != 0) continue;
    if ((word_.fetch_add(kReader, std::memory_order_acquire) & kWriter) == 0) return;
    UnlockShared();
  }
  std::lock_guard<std::mutex> no_writer(writers_);
  word_.fetch_add(kReader, std::memory_order_acquire);
}

// The wakeup that must not be lost:
//   1. the writer sets its bit, spins, takes sleep_, sees a reader inside and waits (which releases sleep_);
//   2. the last reader leaves, sees the bit, takes sleep_ and notifies.
// If the reader leaves before the writer looks, the writer does not wait; if it leaves after that look, it can take
// sleep_ only once the writer waits.
void ShardLock::Lock() {
  writers_.lock();
  word_.fetch_or(kWriter, std::memory_order_acquire);
  const auto readers_gone = [this] { return (word_.load(std::memory_order_acquire) & kReaders) == 0; };
  for (int spin = 0; spin < kSpins; ++spin) {
    if (readers_gone()) return;
    Pause();
  }
  std::unique_lock<std::mutex> sleep(sleep_);
  readers_left_.wait(sleep, readers_gone);
}

void ShardLock::WakeWriter() {
  std::lock_guard<std::mutex> sleep(sleep_);
  readers_left_.notify_one();
}

bool ShardLock::TryLock() {
  if (!writers_.try_lock()) return false;
  uint64_t word = word_.load(std::memory_order_relaxed);
  while ((word & kReaders) == 0) {
    if (word_.compare_exchange_weak(word, word | kWriter, std::memory_order_acquire, std::memory_order_relaxed)) {
      return true;
    }
  }
  writers_.unlock();
  return false;
}

void ShardLock::Unlock() {
  word_.fetch_and(~kWriter, std::memory_order_release);
  writers_.unlock();
}

}  // namespace cohort
