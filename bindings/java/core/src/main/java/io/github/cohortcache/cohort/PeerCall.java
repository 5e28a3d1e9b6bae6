package io.github.cohortcache.cohort;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What one member asks of another, for transports that do not speak HTTP. {@link Cohort#answer} does it on the other side.
 *
 * @param peer the address of the member that is asked
 * @param operation what is asked
 * @param group the name of the group
 * @param keys the key; of REMOVE_KEYS, all of them
 * @param value SET: the value; else empty
 * @param expiresAt SET: when the value expires; empty: never
 * @param timeLeft until the member that asks stops to wait
 */
public record PeerCall(String peer, Operation operation, String group, List<byte[]> keys, byte[] value,
    Optional<Instant> expiresAt, Duration timeLeft) {
  /**
   * Checks that nothing is null.
   *
   * @param peer the address of the member that is asked
   * @param operation what is asked
   * @param group the name of the group
   * @param keys the key; of REMOVE_KEYS, all of them
   * @param value SET: the value; else empty
   * @param expiresAt SET: when the value expires; empty: never
   * @param timeLeft until the member that asks stops to wait
   */
  public PeerCall {
    Objects.requireNonNull(peer);
    Objects.requireNonNull(operation);
    Objects.requireNonNull(group);
    keys = List.copyOf(keys);
    Objects.requireNonNull(value);
    Objects.requireNonNull(expiresAt);
    Objects.requireNonNull(timeLeft);
  }

  /** What is asked. */
  public enum Operation {
    /** The value of a key. */
    GET,
    /** To store a value. */
    SET,
    /** To drop a key. */
    REMOVE,
    /** To drop keys. */
    REMOVE_KEYS
  }
}
