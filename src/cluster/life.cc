#include "cluster/life.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace cohort {

int64_t RemainingLifeMs(int64_t expire_unix_ns, int64_t now_unix_ns) {
  if (expire_unix_ns == 0) return -1;
  if (expire_unix_ns <= now_unix_ns) return 0;
  // The difference of two signed moments may not fit one.
  const uint64_t left_ns = static_cast<uint64_t>(expire_unix_ns) - static_cast<uint64_t>(now_unix_ns);
  return static_cast<int64_t>(left_ns / 1'000'000);
}

int64_t ExpireAfterMs(int64_t life_ms, int64_t now_unix_ns) {
  if (life_ms < 0) return 0;
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  int64_t life_ns = 0;
  int64_t end_ns = 0;
  if (__builtin_mul_overflow(life_ms, int64_t{1'000'000}, &life_ns) ||
      __builtin_add_overflow(now_unix_ns, life_ns, &end_ns)) {
    return kEnd;
  }
  return end_ns != 0 ? end_ns : 1;
}

int64_t MillisecondsUntil(int64_t deadline_ns, int64_t now_ns) {
  return deadline_ns <= now_ns ? 0 : (deadline_ns - now_ns + 999'999) / 1'000'000;
}

int64_t DeadlineAfterMs(int64_t timeout_ms, int64_t now_ns) {
  constexpr int64_t kYearsMs = int64_t{100'000'000'000};
  return now_ns + std::min(timeout_ms, kYearsMs) * 1'000'000;
}

std::optional<int64_t> ParseDecimal(std::string_view text) {
  if (text.empty() || text[0] == '-') return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace cohort
