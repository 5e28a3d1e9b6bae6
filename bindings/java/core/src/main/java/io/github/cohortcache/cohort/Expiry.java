package io.github.cohortcache.cohort;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Times as the engine has them: nanoseconds since the Unix epoch, 0 is never; durations in milliseconds, 0 is no limit. */
final class Expiry {
  static final long NEVER = 0;
  private static final long NS = 1_000_000_000L;

  private Expiry() {}

  /** Nanoseconds of an instant: what lies too far away for them is never, what lies before the epoch is at its beginning. */
  static long unixNs(Instant at) {
    if (at == null) return NEVER;
    if (at.getEpochSecond() < 0) return 1;
    try {
      return Math.max(1, Math.addExact(Math.multiplyExact(at.getEpochSecond(), NS), at.getNano()));
    } catch (ArithmeticException tooFar) {
      return NEVER;
    }
  }

  /** Nanoseconds of a time from now on; null is never. */
  static long unixNs(Duration fromNow) {
    if (fromNow == null) return NEVER;
    try {
      return unixNs(Instant.now().plus(fromNow));
    } catch (ArithmeticException | java.time.DateTimeException tooFar) {
      return fromNow.isNegative() ? 1 : NEVER;
    }
  }

  static Optional<Instant> instant(long unixNs) {
    return unixNs == NEVER ? Optional.empty() : Optional.of(Instant.ofEpochSecond(unixNs / NS, unixNs % NS));
  }

  /** Milliseconds of a time limit, rounded up, at least 1; null is no limit. */
  static long timeoutMs(Duration timeout) {
    if (timeout == null) return 0;
    try {
      return Math.max(1, timeout.plusNanos(999_999).toMillis());
    } catch (ArithmeticException tooFar) {
      return timeout.isNegative() ? 1 : 0;
    }
  }
}
