package io.github.cohortcache.cohort;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * The answer to a {@link PeerCall} that went well.
 *
 * @param value GET: the value; else empty
 * @param expiresAt GET: when the value expires; empty: never
 */
public record PeerAnswer(byte[] value, Optional<Instant> expiresAt) {
  /** The answer to all but GET. */
  public static final PeerAnswer DONE = new PeerAnswer(new byte[0], Optional.empty());

  /**
   * Checks that nothing is null.
   *
   * @param value GET: the value; else empty
   * @param expiresAt GET: when the value expires; empty: never
   */
  public PeerAnswer {
    Objects.requireNonNull(value);
    Objects.requireNonNull(expiresAt);
  }
}
