// The sizes that blocks of memory come in: steps of 8 bytes up to 256, then sixteen steps to each doubling, so that a
// block is at most a sixteenth larger than what was asked for.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace cohort::memory {

constexpr uint32_t kClasses = 144;
constexpr size_t kFineStep = 8;
constexpr uint32_t kFineClasses = 32;
constexpr uint32_t kStepsBits = 4;
// From here on blocks are an odd multiple of 64 bytes, so that their headers, which every hit reads, are spread over
// all sets of the processor's caches; those of blocks of 4096 bytes would share one.
constexpr size_t kSkewFrom = 2048;
constexpr size_t kSkew = 64;
constexpr uint32_t kFirstSkewed = kFineClasses + 3 * (1U << kStepsBits);

// REQUIRES: 1 <= size <= 32768. Of the classes without the skew.
constexpr uint32_t EvenClassOf(size_t size) {
  if (size <= kFineStep * kFineClasses) return static_cast<uint32_t>((size - 1) / kFineStep);
  const uint32_t width = static_cast<uint32_t>(std::bit_width(size - 1));
  const uint32_t step = static_cast<uint32_t>((size - 1) >> (width - 1 - kStepsBits)) - (1U << kStepsBits);
  return kFineClasses + ((width - 9) << kStepsBits) + step;
}

constexpr size_t EvenBytesOf(uint32_t size_class) {
  if (size_class < kFineClasses) return (size_class + 1) * kFineStep;
  const uint32_t doubling = (size_class - kFineClasses) >> kStepsBits;
  const uint32_t step = (size_class - kFineClasses) & ((1U << kStepsBits) - 1);
  return static_cast<size_t>((1U << kStepsBits) + step + 1) << (doubling + kStepsBits);
}

// REQUIRES: size <= kLargestBlock (below).
constexpr uint32_t ClassOf(size_t size) {
  if (size > kSkewFrom) return EvenClassOf(size - kSkew) + 1;
  return size == 0 ? 0 : EvenClassOf(size);
}

// REQUIRES: size_class < kClasses.
constexpr size_t BytesOf(uint32_t size_class) {
  return size_class < kFirstSkewed ? EvenBytesOf(size_class) : EvenBytesOf(size_class - 1) + kSkew;
}

constexpr size_t kLargestBlock = BytesOf(kClasses - 1);

// The same as BytesOf(ClassOf(size)) at a fifth of its price. REQUIRES: size <= kLargestBlock.
constexpr size_t BlockBytesOf(size_t size) {
  const size_t skew = size > kSkewFrom ? kSkew : 0;
  const size_t last = size - skew - (size != 0 ? 1 : 0);
  const size_t step = last < kFineStep * kFineClasses ? kFineStep : std::bit_floor(last) >> kStepsBits;
  return (last | (step - 1)) + 1 + skew;
}

static_assert(BytesOf(kFirstSkewed - 1) == kSkewFrom);
static_assert(ClassOf(kLargestBlock) == kClasses - 1);
static_assert(BlockBytesOf(kLargestBlock) == kLargestBlock);

// Larger blocks are whole pages.
constexpr size_t kLargePageBytes = 4096;
constexpr size_t WholePages(size_t size) { return (size + kLargePageBytes - 1) / kLargePageBytes * kLargePageBytes; }

}  // namespace cohort::memory
