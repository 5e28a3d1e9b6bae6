// Hazards let a thread keep something from being freed for longer than a stay among the readers, without writing to it:
// it notes the address in a place of its own, and who frees looks at all such places first (M. Michael, Hazard
// pointers, 2004).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/epochs.h"

namespace cohort {

// 0: free. Only the thread that it belongs to fills it; anybody may empty it, also when that thread has ended.
using Hazard = std::atomic<uintptr_t>;

// A free one of this thread's; null: all are taken. What is noted there in a stay among the readers is seen by whoever
// has awaited a grace that began since:
//   1. the reader notes the address in its hazard, then ends its stay (a release);
//   2. the writer, whose grace began after it had unlinked the address, sees the end of the stay, or a later stay (an
//      acquire): so it sees the note.
inline Hazard* FreeHazard(ReadingThread current) {
  epochs_internal::ThreadState* const state = current.state();
  for (uint32_t i = 0; i < epochs_internal::kHazards; ++i) {
    Hazard* const hazard = &state->hazards[i];
    // Acquires what its last user has done, for who frees it (2. another thread empties it; 1. by then it has read).
    if (hazard->load(std::memory_order_acquire) != 0) continue;
    if (i >= state->hazards_used.load(std::memory_order_relaxed)) [[unlikely]] {
      state->hazards_used.store(i + 1, std::memory_order_relaxed);
    }
    return hazard;
  }
  return nullptr;
}

// Goes over the hazards of all threads that there are when it begins.
class HazardWalk {
 public:
  // The next that is not free, and what it notes; null: that was all.
  Hazard* Next(uintptr_t* noted) {
    for (; state_ != nullptr; state_ = state_->next, next_ = 0) {
      // What matters was filled before a grace that has passed, and so was this count.
      const uint32_t used = state_->hazards_used.load(std::memory_order_relaxed);
      while (next_ < used) {
        Hazard* const hazard = &state_->hazards[next_++];
        if ((*noted = hazard->load(std::memory_order_acquire)) != 0) return hazard;
      }
    }
    return nullptr;
  }

 private:
  epochs_internal::ThreadState* state_ = epochs_internal::FirstState();
  uint32_t next_ = 0;
};

}  // namespace cohort
