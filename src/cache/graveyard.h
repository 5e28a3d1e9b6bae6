// Graveyard collects entries that left a cache while a lock was held, and once no lock is held tells the listener of
// them and passes them to limbo: both may run code of the host. It allocates nothing.
#pragma once

#include <functional>
#include <utility>

#include "cache/entry.h"
#include "cache/limbo.h"
#include "cache/terms.h"

namespace cohort {

class Graveyard {
 public:
  using Listener = std::function<void(Tier, EvictReason, const ValueRef&)>;

  // REQUIRES: `listener` does not throw; it may be empty.
  Graveyard(const Listener& listener, Limbo* limbo) : listener_(listener), limbo_(limbo) {}
  Graveyard(const Graveyard&) = delete;
  Graveyard& operator=(const Graveyard&) = delete;
  // REQUIRES (as Empty): no lock is held.
  ~Graveyard() { Empty(); }

  // Takes over the cache's reference. The listener hears of the entry.
  void AddEvicted(Entry* entry, EvictReason reason) { Append(entry, static_cast<unsigned>(reason)); }
  // It does not.
  void Add(Entry* entry) { Append(entry, kSilent); }

  void Empty() {
    if (gone_.empty()) return;
    if (listener_) Tell();
    limbo_->Add(std::move(gone_), std::exchange(awaited_, false));
  }

 private:
  static constexpr unsigned kSilent = 0;

  void Append(Entry* entry, unsigned mark) {
    entry->set_mark(mark);
    awaited_ = awaited_ || entry->IsBorrowed();
    gone_.Add(entry);
  }

  // The listener may come back to the cache, so each is taken out before it is told of.
  void Tell() {
    Gone told;
    while (Entry* const entry = gone_.TakeFirst()) {
      entry->Ref();
      const ValueRef value(entry);
      if (entry->mark() != kSilent) listener_(TierOf(entry), static_cast<EvictReason>(entry->mark()), value);
      told.Add(entry);
    }
    gone_.Append(&told);
  }
  static Tier TierOf(const Entry* entry) { return entry->tier() == 0 ? Tier::kMain : Tier::kHot; }

  const Listener& listener_;
  Limbo* const limbo_;
  Gone gone_;
  bool awaited_ = false;  // The host waits for the bytes of one of them.
};

}  // namespace cohort
