// Plans are the ways in which the adaptive policy can choose who leaves. They are written once, for the entries of a
// cache and for the tags of the small simulations (shadow.h) that find out which of them is best now.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "cache/history.h"
#include "cache/rounds.h"

namespace cohort {

// All plans share a few queues in which nothing moves when it is hit: hits are only counted, up to 7, and looked at
// when the entry's turn to leave has come. Newcomers join the window.
enum class Plan : uint8_t {
  kRecency,  // Who was not used for a whole round leaves: the CLOCK, which does what LRU does. All is window.
  kReuse,    // As S3-FIFO (Yang et al., SOSP 2023): the window is a tenth; who was hit twice there, or comes back soon
             // after leaving, joins the main queue, which is a CLOCK; everybody else leaves early. Resists scans.
  kFrequency,  // As TinyLFU (Einziger et al., TOS 2017): the window is a hundredth; who leaves it stays if it was asked
               // for more often than the next to leave the main queue, now and before. Keeps what is popular in the
               // long run, and some of a loop that is larger than the cache.
  kDensity,  // What counts is how often it was asked for by its size: many small values for one large. The window is a
             // tenth; main is parted into classes by size over frequency, and of the oldest of each class the one
             // leaves for which that times its age is greatest (LRU-SP: Cheng and Kambayashi, COMPSAC 2000).
};
constexpr unsigned kPlans = 4;
// Until it is known which is best: what it has kept at first is worth most to the plan itself, while others take over
// whatever they find.
constexpr Plan kFirstPlan = Plan::kFrequency;
constexpr unsigned kWindowQueue = 0;
constexpr unsigned kMainQueue = 1;
// Of main, too, but only by density.
constexpr unsigned kFirstClass = 2;
constexpr unsigned kClasses = 14;
constexpr unsigned kPlanQueues = kFirstClass + kClasses;

// What is asking to be kept.
struct Arrival {
  uint64_t hash = 0;
  int64_t size = 0;
  bool may_refuse = true;
  bool came_back = false;  // It left recently.
};

// Keeper has an Item type with a null value Keeper::kNone, and
//   Item Oldest(unsigned queue), void MoveToNewest(unsigned queue, Item);
//   int64_t Size(Item), int64_t Load(unsigned queue) and int64_t LoadOfAll() in the unit of Size; int64_t Items();
//   uint64_t HashOf(Item), unsigned Hits(Item), void SetHits(Item, unsigned);
//   unsigned Stamp(Item): rounds().now() when it joined its queue; Rounds& rounds(); History& history().
template <typename Keeper>
class Chooser {
 public:
  using Item = typename Keeper::Item;
  struct Choice {
    Item leaves;  // kNone: nobody is here, or
    bool refuse;  // the arrival.
  };

  Chooser(Keeper* keeper, Plan plan, int64_t capacity)
      : keeper_(*keeper),
        plan_(plan),
        capacity_(capacity),
        window_(std::max<int64_t>(capacity / WindowPart(plan), 1)) {}

  // Who leaves next so that `arrival` finds room.
  Choice Choose(const Arrival& arrival) {
    Gather();
    switch (plan_) {
      case Plan::kRecency: {
        // What another plan has left in main leaves first, or joins the window if it was used.
        const Item item = Unused(kMainQueue, kWindowQueue);
        return {item != Keeper::kNone ? item : Unused(kWindowQueue, kWindowQueue), false};
      }
      case Plan::kReuse:
        return {ByReuse(arrival), false};
      case Plan::kFrequency:
      case Plan::kDensity:
        break;
    }
    return ByFrequency(arrival);
  }

  unsigned QueueFor(const Arrival& arrival) const {
    if (plan_ == Plan::kReuse) return arrival.came_back ? kMainQueue : kWindowQueue;
    return ByCounts() && arrival.size > window_ ? MainQueueOf(arrival.hash, arrival.size) : kWindowQueue;
  }

  // After an insertion: while there is room for all, what does not fit the window belongs to main.
  void Settle() {
    if (!ByCounts()) return;
    for (int i = 0; i < 4 && keeper_.Load(kWindowQueue) > window_; ++i) {
      const Item item = keeper_.Oldest(kWindowQueue);
      if (MainLoad() + keeper_.Size(item) > capacity_ - window_) return;
      Count(item);
      keeper_.MoveToNewest(MainQueueOf(item), item);
    }
  }

  // Remembers all hits of an item.
  void Count(Item item) {
    const unsigned hits = keeper_.Hits(item);
    if (hits == 0) return;
    keeper_.history().Add(keeper_.HashOf(item), hits);
    keeper_.SetHits(item, 0);
  }

 private:
  // Bounds the time that one choice takes.
  static constexpr int kMostSteps = 64;
  static constexpr unsigned kOctavesOfClass = 2;

  static constexpr int64_t WindowPart(Plan plan) {
    switch (plan) {
      case Plan::kRecency:
        return 1;
      case Plan::kReuse:
      case Plan::kDensity:
        return 10;
      case Plan::kFrequency:
        break;
    }
    return 100;
  }
  bool ByCounts() const { return plan_ == Plan::kFrequency || plan_ == Plan::kDensity; }
  bool WindowIsFull(int64_t size) const { return keeper_.Load(kWindowQueue) + size > window_; }
  int64_t MainLoad() const { return keeper_.LoadOfAll() - keeper_.Load(kWindowQueue); }

  unsigned MainQueueOf(Item item) const { return MainQueueOf(keeper_.HashOf(item), keeper_.Size(item)); }
  unsigned MainQueueOf(uint64_t hash, int64_t size) const {
    return plan_ == Plan::kDensity ? ClassOf(hash, size) : kMainQueue;
  }
  // By rarity, which is size over frequency.
  unsigned ClassOf(uint64_t hash, int64_t size) const {
    constexpr unsigned kFirstOctave = 6;
    const unsigned asked = std::max(keeper_.history().Frequency(hash), 1U);
    const auto octave =
        static_cast<unsigned>(std::bit_width(static_cast<uint64_t>(size) * (History::kMost + 1) / asked)) - 1;
    if (octave < kFirstOctave) return kFirstClass;
    return kFirstClass + std::min((octave - kFirstOctave) / kOctavesOfClass, kClasses - 1);
  }

  // A change of plan moves nothing. What is not where this plan looks for it goes there little by little.
  void Gather() {
    constexpr int kAtATime = 4;
    const bool in_classes = plan_ == Plan::kDensity;
    for (int i = 0; i < kAtATime; ++i) {
      if (in_classes ? keeper_.Load(kMainQueue) == 0 : keeper_.Load(kMainQueue) == MainLoad()) return;
      const Item item = in_classes ? keeper_.Oldest(kMainQueue) : OldestOfClasses();
      if (item == Keeper::kNone) return;
      keeper_.MoveToNewest(MainQueueOf(item), item);
    }
  }
  Item OldestOfClasses() const {
    for (unsigned queue = kFirstClass; queue < kPlanQueues; ++queue) {
      if (const Item item = keeper_.Oldest(queue); item != Keeper::kNone) return item;
    }
    return Keeper::kNone;
  }

  // The oldest without a hit; those before it that have some join `next`, and lose one (in main, where many hits let it
  // stay for many rounds) or all.
  Item Unused(unsigned queue, unsigned next) {
    for (int step = 0;; ++step) {
      const Item item = keeper_.Oldest(queue);
      if (item == Keeper::kNone) return item;
      const unsigned hits = keeper_.Hits(item);
      if (hits == 0 || step == kMostSteps) return item;
      if (plan_ == Plan::kRecency) {
        Count(item);
      } else {
        keeper_.history().Add(keeper_.HashOf(item), 1);
        keeper_.SetHits(item, hits - 1);
      }
      keeper_.MoveToNewest(next, item);
    }
  }

  Item ByReuse(const Arrival& arrival) {
    for (int step = 0;; ++step) {
      const Item item = keeper_.Oldest(kWindowQueue);
      if (item == Keeper::kNone) break;
      if (!WindowIsFull(arrival.size) && keeper_.Oldest(kMainQueue) != Keeper::kNone) break;
      if (keeper_.Hits(item) < 2 || step == kMostSteps) return item;
      Count(item);
      keeper_.MoveToNewest(kMainQueue, item);
    }
    return Unused(kMainQueue, kMainQueue);
  }

  Choice ByFrequency(const Arrival& arrival) {
    const int64_t room = capacity_ - window_;
    for (int moved = 0; WindowIsFull(arrival.size);) {
      const Item candidate = keeper_.Oldest(kWindowQueue);
      if (candidate == Keeper::kNone) break;
      Count(candidate);
      const int64_t size = keeper_.Size(candidate);
      if (size > room) return {candidate, false};
      if (MainLoad() + size <= room) {
        if (++moved > 8) return {candidate, false};
        keeper_.MoveToNewest(MainQueueOf(candidate), candidate);
        continue;
      }
      const Item oldest = NextOfMain();
      if (oldest == Keeper::kNone) return {candidate, false};
      return {Deserves(keeper_.HashOf(candidate), size, oldest) ? oldest : candidate, false};
    }
    const Item oldest = NextOfMain();
    if (oldest == Keeper::kNone) return {keeper_.Oldest(kWindowQueue), false};
    // What is larger than the window has to win its place at once.
    if (arrival.may_refuse && arrival.size > window_ && !Deserves(arrival.hash, arrival.size, oldest)) {
      return {Keeper::kNone, true};
    }
    return {oldest, false};
  }

  Item NextOfMain() { return plan_ == Plan::kDensity ? LeastDense() : Unused(kMainQueue, kMainQueue); }

  // Of the oldest of each class the one whose rarity times its age is greatest. All of a class count as equally rare.
  Item LeastDense() {
    keeper_.rounds().Pass(keeper_.Items());
    Item least = Keeper::kNone;
    uint64_t most = 0;
    int step = 0;
    for (unsigned queue = kFirstClass; queue < kPlanQueues; ++queue) {
      const Item item = OldestOfClass(queue, &step);
      if (item == Keeper::kNone) continue;
      const uint64_t claim = uint64_t{Age(item) + 1} << (queue - kFirstClass) * kOctavesOfClass;
      if (claim < most) continue;
      most = claim;
      least = item;
    }
    return least != Keeper::kNone ? least : keeper_.Oldest(kMainQueue);
  }

  // The oldest that was not hit; those before it join the class that is theirs by now.
  Item OldestOfClass(unsigned queue, int* step) {
    for (;; ++*step) {
      const Item item = keeper_.Oldest(queue);
      if (item == Keeper::kNone || *step >= kMostSteps) return item;
      const unsigned hits = keeper_.Hits(item);
      if (hits == 0 && Age(item) < Rounds::kMost) return item;
      if (hits > 0) {
        keeper_.history().Add(keeper_.HashOf(item), 1);
        keeper_.SetHits(item, hits - 1);
      }
      keeper_.MoveToNewest(MainQueueOf(item), item);
    }
  }
  unsigned Age(Item item) const { return keeper_.rounds().Since(keeper_.Stamp(item)); }

  bool Deserves(uint64_t hash, int64_t size, Item oldest) {
    const int64_t asked = keeper_.history().Frequency(hash);
    const int64_t oldest_asked = keeper_.history().Frequency(keeper_.HashOf(oldest));
    if (plan_ != Plan::kDensity) return asked > oldest_asked;
    // What was not asked for during four rounds has half of its claim.
    constexpr int64_t kHalf = int64_t{4} * Rounds::kParts;
    return asked * keeper_.Size(oldest) * (kHalf + Age(oldest)) > oldest_asked * size * kHalf;
  }

  Keeper& keeper_;
  const Plan plan_;
  const int64_t capacity_;
  const int64_t window_;
};

}  // namespace cohort
