package io.github.cohortcache.cohort;

import java.util.concurrent.CompletionStage;

/**
 * Loads values without holding a thread.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
@FunctionalInterface
public interface AsyncLoader<K, V> {
  /**
   * Begins to load a value. Runs on the executor of the group; the stage may be completed on any thread. A stage that is
   * forgotten, and can never complete, ends the load when the garbage collector finds it.
   *
   * @param key the key
   * @param context what is known of the load, and where its value's expiry may be set
   * @return the stage of the value; as in {@link Loader#load} null or a {@link NotFoundException} says that there is no
   *     such key
   * @throws Exception whatever went wrong
   */
  CompletionStage<? extends V> load(K key, LoadContext context) throws Exception;
}
