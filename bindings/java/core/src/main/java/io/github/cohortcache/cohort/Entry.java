package io.github.cohortcache.cohort;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A value with what is known of it.
 *
 * @param value the value
 * @param expiresAt when it expires; empty: never
 * @param source where it came from
 * @param <V> the type of values
 */
public record Entry<V>(V value, Optional<Instant> expiresAt, Source source) {
  /**
   * Checks that nothing is null.
   *
   * @param value the value
   * @param expiresAt when it expires; empty: never
   * @param source where it came from
   */
  public Entry {
    Objects.requireNonNull(value);
    Objects.requireNonNull(expiresAt);
    Objects.requireNonNull(source);
  }

  static <V> Entry<V> of(V value, long expireUnixNs, int source) {
    return new Entry<>(value, Expiry.instant(expireUnixNs), Source.of(source));
  }
}
