// A loan is a value in a host's hands for which no reference was counted: threads that get the same popular value write
// nothing that the others write. When the cache lets go of the entry while it is lent, the loan becomes a reference.
#pragma once

#include <atomic>
#include <cstdint>

#include "cache/entry.h"
#include "runtime/hazards.h"

namespace cohort {

class Gone;

// What a host holds of a value: a counted reference, or a loan, whose hazard notes the value until it is given back.
// Freely copied; whoever holds it must give it back once, by Free or Adopt, on any thread.
class HeldValue {
 public:
  HeldValue() = default;
  explicit HeldValue(ValueRef counted) : bits_(reinterpret_cast<uintptr_t>(counted.release())) {}
  // As a number, which is no address.
  static HeldValue FromBits(uintptr_t bits) {
    HeldValue held;
    held.bits_ = bits;
    return held;
  }
  uintptr_t bits() const { return bits_; }

  // Lends the entry; takes a reference if this thread has lent too many. REQUIRES: a stay among the readers, in which
  // it was found.
  static HeldValue Lend(Entry* entry, ReadingThread thread) {
    Hazard* const hazard = FreeHazard(thread);
    if (hazard == nullptr) [[unlikely]] {
      entry->Ref();
      return FromBits(reinterpret_cast<uintptr_t>(static_cast<Value*>(entry)));
    }
    hazard->store(reinterpret_cast<uintptr_t>(static_cast<Value*>(entry)), std::memory_order_release);
    return FromBits(reinterpret_cast<uintptr_t>(hazard) | kLoan);
  }

  explicit operator bool() const { return bits_ != 0; }
  // REQUIRES (of all below): not given back, and, but for Adopt, not null.
  Value* get() const {
    return reinterpret_cast<Value*>(lent() ? hazard()->load(std::memory_order_relaxed) & ~kCounted : bits_);
  }
  void Free() const {
    if (!lent()) return reinterpret_cast<Value*>(bits_)->Unref();
    const uintptr_t noted = hazard()->exchange(0, std::memory_order_acq_rel);
    if ((noted & kCounted) != 0) [[unlikely]] {
      reinterpret_cast<Value*>(noted & ~kCounted)->Unref();
    }
  }
  // Gives it back for a reference; null for null.
  ValueRef Adopt() const {
    if (!lent()) return ValueRef(reinterpret_cast<Value*>(bits_));
    get()->Ref();
    ValueRef counted(get());
    Free();
    return counted;
  }

 private:
  friend void CountLoans(const Gone& gone);
  static constexpr uintptr_t kLoan = 1;     // In bits_: it is a hazard's address.
  static constexpr uintptr_t kCounted = 1;  // In the hazard: there is a reference.

  bool lent() const { return (bits_ & kLoan) != 0; }
  Hazard* hazard() const { return reinterpret_cast<Hazard*>(bits_ & ~kLoan); }

  uintptr_t bits_ = 0;
};

// Turns every loan of these entries into a reference. REQUIRES: they have been unlinked, and a grace since has passed,
// so no more loans of them are made.
void CountLoans(const Gone& gone);

}  // namespace cohort
