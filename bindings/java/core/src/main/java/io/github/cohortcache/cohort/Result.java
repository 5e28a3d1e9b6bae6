package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Errors;
import java.util.Optional;

/**
 * How one get of many ended: with an entry, or with a failure.
 *
 * @param <V> the type of values
 */
public final class Result<V> {
  private final Entry<V> entry;
  private final Throwable failure;

  private Result(Entry<V> entry, Throwable failure) {
    this.entry = entry;
    this.failure = failure;
  }

  static <V> Result<V> of(Entry<V> entry) {
    return new Result<>(entry, null);
  }

  static <V> Result<V> failed(Throwable failure) {
    return new Result<>(null, failure);
  }

  /**
   * The value, or the failure thrown as {@link Group#get(Object)} would.
   *
   * @return the value
   */
  public V value() {
    return entry().value();
  }

  /**
   * The entry, or the failure thrown as {@link Group#get(Object)} would.
   *
   * @return the entry
   */
  public Entry<V> entry() {
    if (failure != null) throw Errors.thrown(failure);
    return entry;
  }

  /**
   * The failure: what the loader threw, or a {@link CohortException}.
   *
   * @return the failure, or empty
   */
  public Optional<Throwable> failure() {
    return Optional.ofNullable(failure);
  }

  /**
   * Whether the get ended because there is no such key.
   *
   * @return true if so
   */
  public boolean isNotFound() {
    return failure instanceof NotFoundException;
  }

  @Override
  public String toString() {
    return failure == null ? entry.toString() : failure.toString();
  }
}
