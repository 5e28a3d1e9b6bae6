// Rounds tell how long ago something joined its queue, in sixteenths of a round, in which as many leave as there are.
#pragma once

#include <cstdint>

namespace cohort {

// A stamp has 8 bits: its numbers come round after 256 parts, so what is almost that old must be stamped anew.
class Rounds {
 public:
  static constexpr unsigned kParts = 16;
  static constexpr unsigned kMost = 240;

  // One of so many is about to leave.
  void Pass(int64_t items) {
    if (++choices_ * kParts < items) return;
    choices_ = 0;
    ++now_;
  }
  uint8_t now() const { return now_; }
  // In parts.
  unsigned Since(unsigned stamp) const { return static_cast<uint8_t>(now_ - stamp); }

 private:
  int64_t choices_ = 0;
  uint8_t now_ = 0;
};

}  // namespace cohort
