// Life turns a moment of expiry into the time that is left, and back: moments hold on one clock, durations on all.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cohort {

// How long a value still lives, rounded down; -1 if it never expires, 0 if it has expired.
int64_t RemainingLifeMs(int64_t expire_unix_ns, int64_t now_unix_ns);

// The moment when that life ends; 0 (never) for a negative one. Lives beyond the calendar end with it.
int64_t ExpireAfterMs(int64_t life_ms, int64_t now_unix_ns);

// How long until a deadline on the same clock, rounded up, so that only a deadline that has passed leaves nothing.
int64_t MillisecondsUntil(int64_t deadline_ns, int64_t now_ns);

// The deadline that is `timeout_ms` away; years are as good as for ever.
int64_t DeadlineAfterMs(int64_t timeout_ms, int64_t now_ns);

// Decimal digits and nothing else, no more than an int64 holds.
std::optional<int64_t> ParseDecimal(std::string_view text);

}  // namespace cohort
