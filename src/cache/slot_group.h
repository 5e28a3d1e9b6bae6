// A group is eight slots of an index in one cache line, which are looked at together: a look that ends at the first
// slot that fits takes a branch which nobody can foretell, and waits for memory to learn that it was the wrong one.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/sanitizers.h"

namespace cohort {

constexpr uint32_t kGroupSlots = 8;

// Which of a group's slots have `tag` in their upper 16 bits: a bit for each, the first lowest. Others may change the
// slots meanwhile, so it says where to look, not what is there. REQUIRES: `slots` begin a cache line.
inline uint32_t SlotsWithTag(const std::atomic<uint64_t>* slots, uint16_t tag) {
#if defined(__SSE2__) && !defined(COHORT_THREAD_SANITIZER)
  // Each half of such a load is what that slot was at some moment.
  static_assert(sizeof(std::atomic<uint64_t>) == sizeof(uint64_t));
  const auto* const pairs = reinterpret_cast<const __m128*>(slots);
  const auto tags_of = [](__m128 low, __m128 high) {
    constexpr int kUpperHalves = _MM_SHUFFLE(3, 1, 3, 1);
    return _mm_srli_epi32(_mm_castps_si128(_mm_shuffle_ps(low, high, kUpperHalves)), 16);
  };
  const __m128i wanted = _mm_set1_epi32(tag);
  const __m128i first = _mm_cmpeq_epi32(tags_of(pairs[0], pairs[1]), wanted);
  const __m128i last = _mm_cmpeq_epi32(tags_of(pairs[2], pairs[3]), wanted);
  const __m128i all = _mm_packs_epi32(first, last);
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(all, _mm_setzero_si128())));
#else
  uint32_t found = 0;
  for (uint32_t i = 0; i < kGroupSlots; ++i) {
    const uint64_t slot = slots[i].load(std::memory_order_relaxed);
    found |= static_cast<uint32_t>(slot >> 48 == tag) << i;
  }
  return found;
#endif
}

// Which of a group's slots are free: a bit for each, the first lowest. REQUIRES: `slots` begin a cache line; nobody
// else changes them.
inline uint32_t FreeSlots(const std::atomic<uint64_t>* slots) {
#if defined(__SSE2__) && !defined(COHORT_THREAD_SANITIZER)
  const auto* const pairs = reinterpret_cast<const __m128*>(slots);
  const auto are_free = [](__m128 low, __m128 high) {
    const __m128 lower_halves = _mm_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0));
    const __m128 upper_halves = _mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1));
    return _mm_cmpeq_epi32(_mm_castps_si128(_mm_or_ps(lower_halves, upper_halves)), _mm_setzero_si128());
  };
  const __m128i all = _mm_packs_epi32(are_free(pairs[0], pairs[1]), are_free(pairs[2], pairs[3]));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(all, _mm_setzero_si128())));
#else
  uint32_t free = 0;
  for (uint32_t i = 0; i < kGroupSlots; ++i) {
    free |= static_cast<uint32_t>(slots[i].load(std::memory_order_relaxed) == 0) << i;
  }
  return free;
#endif
}

}  // namespace cohort
