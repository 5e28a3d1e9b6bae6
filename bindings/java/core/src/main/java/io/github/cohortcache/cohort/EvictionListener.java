package io.github.cohortcache.cohort;

/**
 * Told of entries that left a cache by themselves, for room or by their expiry; not of changes and closing. Runs on the
 * group's executor.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
@FunctionalInterface
public interface EvictionListener<K, V> {
  /**
   * An entry has left.
   *
   * @param key its key
   * @param value its value
   * @param cause why it left
   */
  void onEviction(K key, V value, Cause cause);

  /** Why an entry left. */
  enum Cause {
    /** The budget was reached. */
    SIZE,
    /** Its time had come. */
    EXPIRED
  }
}
