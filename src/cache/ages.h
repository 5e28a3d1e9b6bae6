// Ages are the clock of a tier under LRU, by which a hit only stamps its entry. It counts uses, not time: an age is
// about a sixteenth of what is used between the last use of an entry and its leaving.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "cache/entry.h"

namespace cohort {

// Thread safe; what threads do at once may make an age somewhat longer or shorter, no more.
class Ages {
 public:
  // So many before the present one are told apart, which leaves room for lives that get longer.
  static constexpr int64_t kKept = 32;

  // Forgets lives. passing: else this age does not end.
  void Restart(bool passing);

  void Stamp(Entry* entry) const { entry->Stamp(static_cast<uint16_t>(now())); }
  // Of who has found it: a hit stamps the entry, as LRU wants it, or else is counted; false: it has counted enough.
  bool Tell(Entry* entry, bool stamping) const {
    if (!stamping) [[likely]]
      return entry->CountHit();
    Stamp(entry);
    return true;
  }
  // A thread, or a shard, has counted so many uses, the latest just now: every so often it says so here. True: it has.
  bool OnCount(int64_t uses) {
    const int64_t mask = step_mask_.load(std::memory_order_relaxed);
    if ((uses & mask) != 0) [[likely]]
      return false;
    Pass(mask + 1);
    return true;
  }

  int64_t now() const { return now_.load(std::memory_order_relaxed); }
  // The present age, or else the one of the last 2^15 of which that is the stamp; so what nobody has looked at for a
  // thousand lives may seem younger than it is.
  static int64_t Of(uint16_t stamp, int64_t now) {
    const auto ago = static_cast<int16_t>(static_cast<uint16_t>(now) - stamp);
    return ago < 0 ? now : now - ago;  // Less: a newer one has begun since `now` was asked for.
  }

  // Whether what was last used in that age, and would leave now, has lived for much less than what leaves elsewhere.
  // REQUIRES: one of the last kKept.
  bool LeavesEarly(int64_t age) const;
  // It does leave, so that lives are known.
  void OnLeave(int64_t age);

 private:
  static constexpr int64_t kInALife = kKept / 2;

  [[gnu::noinline]] void Pass(int64_t uses);
  // Of uses, since that age began.
  int64_t Since(int64_t age) const;

  // Read by every hit.
  alignas(64) std::atomic<int64_t> now_{0};
  std::atomic<int64_t> step_mask_{-1};  // Uses are told when they have none of these bits; -1: never.
  // Written when uses are told. All of these are numbers of uses.
  alignas(64) std::atomic<int64_t> uses_{0};
  std::atomic<int64_t> began_{0};   // The present age.
  std::atomic<int64_t> life_{0};    // How long entries live unused of late,
  std::atomic<int64_t> oldest_{0};  // and so when the one was used that leaves next.
  std::array<std::atomic<int64_t>, kKept> begins_{};
};

}  // namespace cohort
