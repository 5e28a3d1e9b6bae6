// Skew corrects the expiry in a groupcache-go node's answer, which is a moment on that node's clock, by the Date header
// of the same answer, when the two clocks disagree by more than the header's resolution can hide.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cohort {

// "Sun, 06 Nov 1994 08:49:37 GMT" in unix seconds; nothing else is a date.
std::optional<int64_t> ParseHttpDate(std::string_view text);

// By how much the peer's clock is ahead of ours (negative: behind), at least, if that is beyond 2 s; else 0. The answer
// was written at `date_unix_s`, at some moment between those when the request was sent and its answer had come.
int64_t SkewNs(int64_t date_unix_s, int64_t sent_unix_ns, int64_t received_unix_ns);

// The moment `expire_unix_ns` of a clock that is ahead by `skew_ns`, on ours.
int64_t CorrectExpiry(int64_t expire_unix_ns, int64_t skew_ns);

}  // namespace cohort
