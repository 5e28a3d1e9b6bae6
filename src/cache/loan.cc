#include "cache/loan.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "cache/limbo.h"

namespace cohort {

namespace {

struct Lent {
  uintptr_t value;
  Hazard* hazard;
  bool operator<(const Lent& other) const { return value < other.value; }
};

}  // namespace

// Looks at as many loans at a time as fit here: nothing can be allocated where values end. A loan that is given back
// meanwhile:
//   1. here its note is read, and a reference is taken for it: the cache still has its own, so the entry is there;
//   2. the holder empties the hazard, and finds no reference to drop;
//   3. the note is not as it was, so here the reference is dropped again.
// The hazard cannot note the same value anew in between, because nobody can find it any more.
void CountLoans(const Gone& gone) {
  std::array<Lent, 64> lent;
  HazardWalk walk;
  for (bool more = true; more;) {
    size_t count = 0;
    while (more && count < lent.size()) {
      uintptr_t noted = 0;
      Hazard* const hazard = walk.Next(&noted);
      more = hazard != nullptr;
      if (more && (noted & HeldValue::kCounted) == 0) lent[count++] = {noted, hazard};
    }
    if (count == 0) return;
    const auto end = lent.begin() + static_cast<ptrdiff_t>(count);
    std::sort(lent.begin(), end);
    gone.ForEach([&](Entry* entry) {
      const auto value = reinterpret_cast<uintptr_t>(static_cast<Value*>(entry));
      for (auto at = std::lower_bound(lent.begin(), end, Lent{value, nullptr}); at != end && at->value == value; ++at) {
        entry->Ref();
        uintptr_t noted = value;
        if (!at->hazard->compare_exchange_strong(noted, value | HeldValue::kCounted, std::memory_order_acq_rel)) {
          entry->Unref();
        }
      }
    });
  }
}

}  // namespace cohort
