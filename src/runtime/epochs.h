// Epochs let threads read what others change, without a lock: a thread that reads says so in a place of its own, and
// who has unlinked something frees it only when every thread that might still see it has left.
//
// The scheme is epoch-based reclamation (K. Fraser, Practical lock-freedom, 2004), with one counter for the process and
// no limit to how far readers lag behind it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/sanitizers.h"

namespace cohort {

namespace epochs_internal {

constexpr uint32_t kHazards = 12;

// One for each thread that has read or counted, kept for the next thread when it ends.
struct alignas(64) ThreadState {
  std::atomic<uint64_t> epoch{0};  // In which its thread reads; 0: it does not.
  uint32_t number = 0;
  std::atomic<uint32_t> hazards_used{0};  // The first so many have ever been (hazards.h).
  std::atomic<bool> taken{true};
  ThreadState* next = nullptr;
  std::array<std::atomic<uintptr_t>, kHazards> hazards{};
};
static_assert(sizeof(ThreadState) == 128);

// The initial-exec model makes reading it one instruction, also in a library that a program loads late: eight bytes
// always fit what the loader keeps for such libraries.
extern constinit thread_local ThreadState* mine __attribute__((tls_model("initial-exec")));
extern std::atomic<uint64_t> current;

ThreadState* Take();
ThreadState* FirstState();  // Of all.
inline ThreadState* Mine() {
  ThreadState* const state = mine;
  return state != nullptr ? state : Take();
}

}  // namespace epochs_internal

// Counts the threads of this process from 0; the number of one that has ended goes to the next. Low numbers come first.
inline uint32_t ThreadNumber() { return epochs_internal::Mine()->number; }

// A thread that has read or counted before; false: it has not.
class ReadingThread {
 public:
  static ReadingThread Current() { return ReadingThread(epochs_internal::mine); }
  explicit operator bool() const { return state_ != nullptr; }
  uint32_t number() const { return state_->number; }
  epochs_internal::ThreadState* state() const { return state_; }

 private:
  explicit ReadingThread(epochs_internal::ThreadState* state) : state_(state) {}
  epochs_internal::ThreadState* state_;
};

// A stay of this thread among the readers. Short, since it holds up the freeing of memory: nothing may block, and no
// code of the host may run. REQUIRES: this thread is not in another.
class Reading {
 public:
  // A reader that enters and a writer that frees:
  //   1. the reader notes the epoch, then looks;
  //   2. the writer unlinks, moves the epoch on, then looks at the readers' notes.
  // The two fences order each thread's pair, so either the writer sees the note and waits, or the reader looked after
  // the unlinking and found nothing. A note of a later epoch says the same: its thread saw the counter move on, which
  // came after the unlinking.
  Reading() : Reading(epochs_internal::Mine()) {}
  explicit Reading(ReadingThread current) : Reading(current.state()) {}
  ~Reading() { state_->epoch.store(0, std::memory_order_release); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  explicit Reading(epochs_internal::ThreadState* state) : state_(state) {
    const uint64_t epoch = epochs_internal::current.load(std::memory_order_acquire);
#if defined(COHORT_THREAD_SANITIZER)
    state_->epoch.exchange(epoch, std::memory_order_seq_cst);  // The sanitizer knows no fences.
#else
    // A release, so that who sees this stay sees all that the thread did in those before it, as if it saw their ends.
    state_->epoch.store(epoch, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  }

  epochs_internal::ThreadState* const state_;
};

// A moment after which what was unlinked before it waits to be freed.
class Grace {
 public:
  // A moment that has passed.
  Grace() = default;
  // From now on.
  static Grace Begin();
  // Whether nobody reads any more who began before it. Looks at every thread's note.
  bool Passed() const;
  // Waits for that: a few nanoseconds, or as long as a reader in the middle of its stay is kept from running.
  // REQUIRES: this thread does not read.
  void Await() const;

 private:
  explicit Grace(uint64_t epoch) : epoch_(epoch) {}
  uint64_t epoch_ = 0;
};

}  // namespace cohort
