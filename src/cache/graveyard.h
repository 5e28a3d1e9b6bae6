// Graveyard collects entries that left a cache while a lock was held, and once no lock is held tells the listener of
// them and drops them: both may run code of the host. It allocates nothing: it uses the links that the policy no longer
// needs.
#pragma once

#include <functional>

#include "cache/entry.h"
#include "cache/local_cache.h"

namespace cohort {

class Graveyard {
 public:
  using Listener = std::function<void(Tier, EvictReason, const ValueRef&)>;

  // REQUIRES: `listener` does not throw; it may be empty.
  explicit Graveyard(const Listener& listener) : listener_(listener) {}
  Graveyard(const Graveyard&) = delete;
  Graveyard& operator=(const Graveyard&) = delete;
  // REQUIRES (as Empty): no lock is held.
  ~Graveyard() { Empty(); }

  // Takes over the cache's reference. The listener hears of the entry.
  void AddEvicted(Entry* entry, EvictReason reason) { Append(entry, static_cast<unsigned>(reason)); }
  // It does not.
  void Add(Entry* entry) { Append(entry, kSilent); }

  void Empty() {
    while (Entry* const entry = first_) {
      first_ = entry->next;
      const unsigned mark = entry->mark();
      const Tier tier = entry->tier() == 0 ? Tier::kMain : Tier::kHot;
      entry->Unclaim();  // From here on a reader that still has the value may fill it again, and the links change.
      const ValueRef value(entry);
      if (mark != kSilent && listener_) listener_(tier, static_cast<EvictReason>(mark), value);
    }
    last_ = nullptr;
  }

 private:
  static constexpr unsigned kSilent = 0;

  void Append(Entry* entry, unsigned mark) {
    entry->set_mark(mark);
    entry->next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = entry;
    last_ = entry;
  }

  const Listener& listener_;
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
};

}  // namespace cohort
