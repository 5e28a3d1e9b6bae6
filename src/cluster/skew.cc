#include "cluster/skew.h"

#include <array>
#include <limits>

namespace cohort {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kTolerableNs = 2 * kSecondNs;

// The number that the digits of text[at, at + count) make, or -1.
int Digits(std::string_view text, size_t at, size_t count) {
  int number = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

int DaysOf(int month, int year) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

// Days since 1970-01-01. Years are counted from March, so that the leap day is a year's last.
int64_t DaysSinceEpoch(int year, int month, int day) {
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t m = month <= 2 ? month + 9 : month - 3;
  constexpr int64_t kFromYearZero = 719'468;  // To the epoch, from 1 March of the year 0.
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - kFromYearZero;
}

}  // namespace

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  constexpr std::string_view kForm = "Sun, 06 Nov 1994 08:49:37 GMT";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != kForm.size() || text.substr(25) != " GMT") return std::nullopt;
  constexpr std::array<size_t, 6> kMarks = {3, 4, 7, 11, 16, 19};
  for (const size_t at : kMarks) {
    if (text[at] != kForm[at]) return std::nullopt;
  }
  if (text[22] != ':') return std::nullopt;
  const size_t month_at = kMonths.find(text.substr(8, 3));
  if (month_at == std::string_view::npos || month_at % 3 != 0) return std::nullopt;
  const int month = static_cast<int>(month_at / 3) + 1;
  const int day = Digits(text, 5, 2);
  const int year = Digits(text, 12, 4);
  const int hour = Digits(text, 17, 2);
  const int minute = Digits(text, 20, 2);
  const int second = Digits(text, 23, 2);
  if (year < 1 || day < 1 || day > DaysOf(month, year) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60) {
    return std::nullopt;
  }
  return ((DaysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

// A slow answer looks like a clock that is behind, so each side is measured from the moment that makes it smaller:
// 1. peer ahead:  it wrote D, later than all that our clock has shown so far: D - received.
// 2. peer behind: it wrote D, earlier than when we asked it, even at the end of that second: D + 1 s - sent.
int64_t SkewNs(int64_t date_unix_s, int64_t sent_unix_ns, int64_t received_unix_ns) {
  constexpr int64_t kLimitS = std::numeric_limits<int64_t>::max() / kSecondNs / 4;
  if (date_unix_s < 0 || date_unix_s > kLimitS) return 0;
  const int64_t date_ns = date_unix_s * kSecondNs;
  if (const int64_t ahead_ns = date_ns - received_unix_ns; ahead_ns > kTolerableNs) return ahead_ns;
  if (const int64_t ahead_ns = date_ns + kSecondNs - sent_unix_ns; ahead_ns < -kTolerableNs) return ahead_ns;
  return 0;
}

int64_t CorrectExpiry(int64_t expire_unix_ns, int64_t skew_ns) {
  int64_t corrected_ns = 0;
  if (__builtin_sub_overflow(expire_unix_ns, skew_ns, &corrected_ns)) return expire_unix_ns;
  return corrected_ns != 0 ? corrected_ns : 1;
}

}  // namespace cohort
