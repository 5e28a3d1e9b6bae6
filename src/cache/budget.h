// Budget keeps what a tier holds within its limits, in bytes and entries, at every moment: room is taken before an
// entry goes in, and given back after it is out.
#pragma once

#include <atomic>
#include <cstdint>

#include "cache/tiers.h"

namespace cohort {

// Room that a fill has in hand: taken over from entries it removed, not free for others.
struct Room {
  int64_t bytes = 0;
  int64_t items = 0;
};

class Budget {
 public:
  // REQUIRES: nobody else is in any call but the getters.
  void SetLimits(int64_t bytes, int64_t items) {
    limit_bytes_.store(bytes, std::memory_order_relaxed);
    limit_items_.store(items, std::memory_order_relaxed);
  }
  // Entries are counted only where their number has a limit: what all threads write costs each of them.
  bool counts_items() const { return limit_items() != kNoLimit; }
  // Whether one entry of this charge fits when everything else is gone.
  bool Fits(int64_t charged_bytes) const { return charged_bytes <= limit_bytes() && limit_items() > 0; }

  // Whether one entry of this charge would fit now.
  bool HasRoom(int64_t charged_bytes) const {
    return charged_bytes <= limit_bytes() - bytes() && items() < limit_items();
  }

  // Makes `room` exactly what one entry needs: takes what is missing, gives back what is too much. False, with nothing
  // changed, if it is not there to take.
  bool Cover(int64_t charged_bytes, Room* room) {
    const int64_t bytes = charged_bytes - room->bytes;
    const int64_t items = 1 - room->items;
    if (!Take(&bytes_, limit_bytes(), bytes)) return false;
    if (counts_items()) {
      if (!Take(&items_, limit_items(), items)) {
        if (bytes > 0) bytes_.fetch_sub(bytes, std::memory_order_relaxed);
        return false;
      }
      if (items < 0) items_.fetch_add(items, std::memory_order_relaxed);
    }
    if (bytes < 0) bytes_.fetch_add(bytes, std::memory_order_relaxed);
    *room = Room{charged_bytes, 1};
    return true;
  }
  // What one fill could have, with what it has in hand.
  Room Spare(const Room& in_hand) const {
    return Room{limit_bytes() - bytes() + in_hand.bytes,
                counts_items() ? limit_items() - items() + in_hand.items : kNoLimit};
  }
  void Give(Room room) {
    if (room.bytes != 0) bytes_.fetch_sub(room.bytes, std::memory_order_relaxed);
    if (room.items != 0 && counts_items()) items_.fetch_sub(room.items, std::memory_order_relaxed);
  }

  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // 0 where they are not counted.
  int64_t items() const { return items_.load(std::memory_order_relaxed); }
  int64_t limit_bytes() const { return limit_bytes_.load(std::memory_order_relaxed); }
  int64_t limit_items() const { return limit_items_.load(std::memory_order_relaxed); }

 private:
  // Two fills that look at once both see the same room; only one of their exchanges succeeds, and the other looks
  // again.
  static bool Take(std::atomic<int64_t>* used, int64_t limit, int64_t amount) {
    if (amount <= 0) return true;
    int64_t before = used->load(std::memory_order_relaxed);
    do {
      if (amount > limit - before) return false;
    } while (!used->compare_exchange_weak(before, before + amount, std::memory_order_relaxed));
    return true;
  }

  std::atomic<int64_t> bytes_{0};
  std::atomic<int64_t> items_{0};
  std::atomic<int64_t> limit_bytes_{0};
  std::atomic<int64_t> limit_items_{0};
};

}  // namespace cohort
