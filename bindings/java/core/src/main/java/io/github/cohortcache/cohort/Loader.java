package io.github.cohortcache.cohort;

/**
 * Loads the value of a key that no cache has. Every member of the cluster brings its own; they must agree on the values.
 *
 * <p>It runs on the thread of a caller of {@link Group#get(Object)} that leads the load, else on the executor of the
 * group. It may block, and may get from other groups.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
@FunctionalInterface
public interface Loader<K, V> {
  /**
   * Loads a value. Whatever it throws is handed to everybody who waits for it: in this process as it is, on other members
   * as a {@link CohortLoadException} with its message, or as a {@link NotFoundException}.
   *
   * @param key the key
   * @return the value; null or a {@link NotFoundException} says that there is no such key
   * @throws Exception whatever went wrong
   */
  V load(K key) throws Exception;

  /**
   * A loader that is told more: see {@link LoadContext}.
   *
   * @param <K> the type of keys
   * @param <V> the type of values
   */
  @FunctionalInterface
  interface WithContext<K, V> {
    /**
     * Loads a value, as {@link Loader#load}.
     *
     * @param key the key
     * @param context what is known of the load, and where its value's expiry may be set
     * @return the value; null or a {@link NotFoundException} says that there is no such key
     * @throws Exception whatever went wrong
     */
    V load(K key, LoadContext context) throws Exception;
  }
}
