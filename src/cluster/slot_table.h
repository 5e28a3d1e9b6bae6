// SlotTable gives numbers to objects and finds them again. A number is never another object's: it holds its slot, and
// how often that had been given before. Nothing is allocated but room for the most objects there are at a time. Not
// thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace cohort {

template <typename Pointer>
class SlotTable {
 public:
  // Never 0.
  uint64_t Add(Pointer object) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const uint32_t at = free_.back();
    free_.pop_back();
    slots_[at].object = std::move(object);
    return uint64_t{slots_[at].times} << 32 | at;
  }
  // Null: there is none of that number any more.
  const Pointer* Find(uint64_t number) const {
    const auto at = static_cast<uint32_t>(number);
    const bool found = at < slots_.size() && slots_[at].times == number >> 32 && slots_[at].object;
    return found ? &slots_[at].object : nullptr;
  }
  // REQUIRES: Find finds it.
  Pointer Take(uint64_t number) {
    Slot& slot = slots_[static_cast<uint32_t>(number)];
    if (++slot.times == 0) slot.times = 1;
    free_.push_back(static_cast<uint32_t>(number));
    return std::exchange(slot.object, nullptr);
  }
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (size_t at = 0; at < slots_.size(); ++at) {
      if (slots_[at].object) visit(uint64_t{slots_[at].times} << 32 | at, slots_[at].object);
    }
  }

 private:
  struct Slot {
    uint32_t times = 1;
    Pointer object;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace cohort
