// Lives, dates and the skew between clocks.
#include "cluster/life.h"

#include <gtest/gtest.h>

#include <limits>

#include "cluster/fakes.h"
#include "cluster/skew.h"
#include "cluster/text.h"

namespace cohort {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

TEST(Life, IsRoundedDownSoThatNoCopyOutlivesItsSource) {
  EXPECT_EQ(RemainingLifeMs(0, kStartUnixNs), -1);
  EXPECT_EQ(RemainingLifeMs(kStartUnixNs + 1'999'999, kStartUnixNs), 1);
  EXPECT_EQ(RemainingLifeMs(kStartUnixNs + 999'999, kStartUnixNs), 0);
  EXPECT_EQ(RemainingLifeMs(kStartUnixNs, kStartUnixNs), 0);
  EXPECT_EQ(RemainingLifeMs(1, kStartUnixNs), 0);
  EXPECT_EQ(RemainingLifeMs(-5, kStartUnixNs), 0);
  EXPECT_EQ(RemainingLifeMs(kMost, kLeast), static_cast<int64_t>(std::numeric_limits<uint64_t>::max() / 1'000'000));
}

TEST(Life, ComesBackAsAMoment) {
  EXPECT_EQ(ExpireAfterMs(-1, kStartUnixNs), 0);
  EXPECT_EQ(ExpireAfterMs(0, kStartUnixNs), kStartUnixNs);
  EXPECT_EQ(ExpireAfterMs(1500, kStartUnixNs), kStartUnixNs + 1'500'000'000);
  EXPECT_EQ(ExpireAfterMs(0, 0), 1) << "0 would be never";
  EXPECT_EQ(ExpireAfterMs(kMost, kStartUnixNs), kMost);
  EXPECT_EQ(ExpireAfterMs(kMost / 1'000'000, kStartUnixNs), kMost);
}

TEST(Life, ADeadlineLeavesNothingOnlyWhenItHasPassed) {
  EXPECT_EQ(MillisecondsUntil(DeadlineAfterMs(1, 100), 100), 1);
  EXPECT_EQ(MillisecondsUntil(DeadlineAfterMs(1, 100), 1'000'099), 1);
  EXPECT_EQ(MillisecondsUntil(DeadlineAfterMs(1, 100), 1'000'100), 0);
  EXPECT_GT(MillisecondsUntil(DeadlineAfterMs(kMost, 100), 200), int64_t{1} << 36);
}

TEST(Life, P10OnlyDecimalDigitsAreANumber) {
  EXPECT_EQ(ParseDecimal("0"), 0);
  EXPECT_EQ(ParseDecimal("9223372036854775807"), kMost);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1.5", "0x10", "9223372036854775808", "12a"}) {
    EXPECT_FALSE(ParseDecimal(bad).has_value()) << bad;
  }
}

TEST(HttpDate, IsReadInItsOneForm) {
  EXPECT_EQ(ParseHttpDate("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777);
  EXPECT_EQ(ParseHttpDate("Tue, 29 Feb 2000 23:59:59 GMT"), 951'868'799);
  EXPECT_EQ(ParseHttpDate("Thu, 31 Dec 2026 12:00:00 GMT"), 1'798'718'400);
}

TEST(HttpDate, P10AnythingElseIsNone) {
  for (const char* bad :
       {"", "*", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 08.49:37 GMT", "Sun, 06 Nov 1994 08:49.37 GMT"}) {
    EXPECT_FALSE(ParseHttpDate(bad).has_value()) << bad;
  }
}

TEST(Skew, IsSeenBeyondTwoSecondsOnly) {
  constexpr int64_t kNowS = kStartUnixNs / kSecondNs;
  const auto skew_s = [](int64_t date_s) { return SkewNs(date_s, kStartUnixNs, kStartUnixNs) / kSecondNs; };
  EXPECT_EQ(skew_s(kNowS), 0);
  EXPECT_EQ(skew_s(kNowS + 2), 0);
  EXPECT_EQ(skew_s(kNowS + 3), 3);
  EXPECT_EQ(skew_s(kNowS + 3600), 3600);
  EXPECT_EQ(skew_s(kNowS - 3), 0);
  EXPECT_EQ(skew_s(kNowS - 4), -3);
  EXPECT_EQ(skew_s(kNowS - 3600), -3599);
}

// The date was written at the beginning, the last byte came a minute later.
TEST(Skew, ASlowAnswerIsNoSlowClock) {
  constexpr int64_t kNowS = kStartUnixNs / kSecondNs;
  EXPECT_EQ(SkewNs(kNowS, kStartUnixNs, kStartUnixNs + 60 * kSecondNs), 0);
  EXPECT_EQ(SkewNs(kNowS + 60, kStartUnixNs, kStartUnixNs + 60 * kSecondNs), 0);
  EXPECT_EQ(SkewNs(kNowS - 10, kStartUnixNs, kStartUnixNs + 60 * kSecondNs), -9 * kSecondNs);
}

TEST(Skew, P10AbsurdDatesAndExpiriesStayInTheirBounds) {
  EXPECT_EQ(SkewNs(253'402'300'799, kStartUnixNs, kStartUnixNs), 0) << "the year 9999";
  EXPECT_EQ(SkewNs(-1, kStartUnixNs, kStartUnixNs), 0);
  EXPECT_EQ(CorrectExpiry(kMost, -5), kMost);
  EXPECT_EQ(CorrectExpiry(kLeast, 5), kLeast);
  EXPECT_EQ(CorrectExpiry(5, 5), 1) << "0 would be never";
}

TEST(Text, OfStrangersStaysOnOneLine) {
  EXPECT_EQ(FirstLine("one\r\ntwo"), "one");
  EXPECT_EQ(FirstLine(std::string(1000, 'x')).size(), 200u);
  EXPECT_EQ(Quoted("a\"\n\xff"), R"("a\x22\x0a\xff")");
  EXPECT_EQ(Quoted(std::string(201, 'x')), "\"" + std::string(200, 'x') + "...\"");
  EXPECT_EQ(TrimNewlines("\n\nnot\nfound \n"), "not\nfound ");
  EXPECT_EQ(TrimNewlines("\n\n"), "");
  EXPECT_EQ(TrimNewlines(""), "");
}

}  // namespace
}  // namespace cohort
