package io.github.cohortcache.cohort;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A named cache with a loader, spread over the members of a cluster: each key has one owner, which loads its value once
 * for everybody. Made by {@link Cohort#group}; all threads may use it at once.
 *
 * <p><b>Values</b> are kept as bytes outside of Java's heap. What a get returns was made for its caller, who may change it;
 * only the caller that led a load is given what the loader returned.
 *
 * <p><b>Failures.</b> What a loader of this process throws is thrown as it is to everybody who waits: the same object;
 * checked exceptions are the cause of a {@link java.util.concurrent.CompletionException}. Futures are completed with the
 * exception itself. Everything else is a {@link CohortException}. A member that cannot be reached is no failure of a get:
 * the value is loaded here.
 *
 * <p><b>Futures</b> are completed on the executor for callbacks. Cancelling one, or completing it otherwise, ends that one
 * wait: the load goes on for the others.
 *
 * <p><b>Interrupts</b> end a blocking call with {@link Status#CANCELLED}, unless it runs the loader itself; the thread
 * stays interrupted. A change that was begun goes on.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public interface Group<K, V> {
  /**
   * The name, the same on every member.
   *
   * @return the name
   */
  String name();

  /**
   * The value of a key: from the caches, from its owner, or from the loader, which may run on this thread.
   *
   * @param key the key
   * @return the value
   * @throws NotFoundException if there is no such key
   */
  V get(K key);

  /**
   * As {@link #get(Object)}, waiting only so long. A loader that this thread runs itself ends when it ends.
   *
   * @param key the key
   * @param timeout the longest wait; null: no limit but the group's own
   * @return the value
   * @throws NotFoundException if there is no such key
   * @throws CohortTimeoutException if the time has passed
   */
  V get(K key, Duration timeout);

  /**
   * As {@link #get(Object)}, but empty if there is no such key.
   *
   * @param key the key
   * @return the value, or empty
   */
  Optional<V> find(K key);

  /**
   * As {@link #get(Object)}, with the value's expiry and where it came from.
   *
   * @param key the key
   * @return the entry
   * @throws NotFoundException if there is no such key
   */
  Entry<V> getEntry(K key);

  /**
   * As {@link #getEntry(Object)}, waiting only so long.
   *
   * @param key the key
   * @param timeout the longest wait; null: no limit but the group's own
   * @return the entry
   * @throws NotFoundException if there is no such key
   * @throws CohortTimeoutException if the time has passed
   */
  Entry<V> getEntry(K key, Duration timeout);

  /**
   * The value of a key, later. No thread waits meanwhile.
   *
   * @param key the key
   * @return the value; already there if a cache had it
   */
  CompletableFuture<V> getAsync(K key);

  /**
   * As {@link #getAsync(Object)}, waiting only so long.
   *
   * @param key the key
   * @param timeout the longest wait; null: no limit but the group's own
   * @return the value
   */
  CompletableFuture<V> getAsync(K key, Duration timeout);

  /**
   * The values of many keys; those of one owner travel together. Keys that do not exist are not in the map.
   *
   * @param keys the keys
   * @return the values, in the order of the keys; the map cannot be changed
   */
  Map<K, V> getAll(Iterable<? extends K> keys);

  /**
   * As {@link #getAll}, each key with its value or its failure: nothing is thrown for a single key.
   *
   * @param keys the keys, at most 1,000,000
   * @param timeout the longest wait; null: no limit but the group's own
   * @return how each get ended, in the order of the keys
   */
  Map<K, Result<V>> getResults(Iterable<? extends K> keys, Duration timeout);

  /**
   * As {@link #getResults}, later.
   *
   * @param keys the keys, at most 1,000,000
   * @param timeout the longest wait; null: no limit but the group's own
   * @return how each get ended, in the order of the keys
   */
  CompletableFuture<Map<K, Result<V>>> getResultsAsync(Iterable<? extends K> keys, Duration timeout);

  /**
   * The value of a key if this member's caches have it. Never loads, asks or waits; a closed group has nothing.
   *
   * @param key the key
   * @return the value, or empty
   */
  Optional<V> peek(K key);

  /**
   * As {@link #peek}, with the value's expiry and which cache has it.
   *
   * @param key the key
   * @return the entry, or empty
   */
  Optional<Entry<V>> peekEntry(K key);

  /**
   * Stores a value at the key's owner and drops it from all other members. When this returns, each of them has
   * acknowledged that, and no load that began before brings the old value back. The value expires as loaded ones do.
   *
   * @param key the key; its bytes must not be empty
   * @param value the value
   * @throws CohortUnreachableException if a member has not acknowledged; the message names it
   */
  void put(K key, V value);

  /**
   * As {@link #put(Object, Object)}, with a life time of the value's own.
   *
   * @param key the key; its bytes must not be empty
   * @param value the value
   * @param timeToLive how long the value lives; null: forever
   */
  void put(K key, V value, Duration timeToLive);

  /**
   * As {@link #put(Object, Object)}, with an end of the value's own.
   *
   * @param key the key; its bytes must not be empty
   * @param value the value
   * @param expiresAt when the value expires; null: never
   */
  default void put(K key, V value, Instant expiresAt) {
    put(key, value, expiresAt, null);
  }

  /**
   * As {@link #put(Object, Object, Instant)}, waiting only so long.
   *
   * @param key the key; its bytes must not be empty
   * @param value the value
   * @param expiresAt when the value expires; null: never
   * @param timeout how long members have to acknowledge; null: 10 seconds
   * @throws CohortUnreachableException if a member has not acknowledged; the message names it
   */
  void put(K key, V value, Instant expiresAt, Duration timeout);

  /**
   * As {@link #put(Object, Object)}, later.
   *
   * @param key the key; its bytes must not be empty
   * @param value the value
   * @return completed when each member has acknowledged
   */
  CompletableFuture<Void> putAsync(K key, V value);

  /**
   * As {@link #put(Object, Object, Instant)}, later.
   *
   * @param key the key; its bytes must not be empty
   * @param value the value
   * @param expiresAt when the value expires; null: never
   * @return completed when each member has acknowledged
   */
  default CompletableFuture<Void> putAsync(K key, V value, Instant expiresAt) {
    return putAsync(key, value, expiresAt, null);
  }

  /**
   * As {@link #put(Object, Object, Instant, Duration)}, later.
   *
   * @param key the key; its bytes must not be empty
   * @param value the value
   * @param expiresAt when the value expires; null: never
   * @param timeout how long members have to acknowledge; null: 10 seconds
   * @return completed when each member has acknowledged
   */
  CompletableFuture<Void> putAsync(K key, V value, Instant expiresAt, Duration timeout);

  /**
   * Drops a key from all members. When this returns, each of them has acknowledged that, and no load that began before
   * brings the old value back.
   *
   * @param key the key
   * @throws CohortUnreachableException if a member has not acknowledged; the message names it
   */
  default void invalidate(K key) {
    invalidate(key, null);
  }

  /**
   * As {@link #invalidate(Object)}, waiting only so long.
   *
   * @param key the key
   * @param timeout how long members have to acknowledge; null: 10 seconds
   * @throws CohortUnreachableException if a member has not acknowledged; the message names it
   */
  void invalidate(K key, Duration timeout);

  /**
   * As {@link #invalidate(Object)}, later.
   *
   * @param key the key
   * @return completed when each member has acknowledged
   */
  default CompletableFuture<Void> invalidateAsync(K key) {
    return invalidateAsync(key, null);
  }

  /**
   * As {@link #invalidate(Object, Duration)}, later.
   *
   * @param key the key
   * @param timeout how long members have to acknowledge; null: 10 seconds
   * @return completed when each member has acknowledged
   */
  CompletableFuture<Void> invalidateAsync(K key, Duration timeout);

  /**
   * Drops many keys from all members, with one request to each.
   *
   * @param keys the keys, at most 1,000,000
   * @throws CohortUnreachableException if a member has not acknowledged; the message names it
   */
  default void invalidateAll(Iterable<? extends K> keys) {
    invalidateAll(keys, null);
  }

  /**
   * As {@link #invalidateAll(Iterable)}, waiting only so long.
   *
   * @param keys the keys, at most 1,000,000
   * @param timeout how long members have to acknowledge; null: 10 seconds
   * @throws CohortUnreachableException if a member has not acknowledged; the message names it
   */
  void invalidateAll(Iterable<? extends K> keys, Duration timeout);

  /**
   * As {@link #invalidateAll(Iterable)}, later.
   *
   * @param keys the keys, at most 1,000,000
   * @return completed when each member has acknowledged
   */
  default CompletableFuture<Void> invalidateAllAsync(Iterable<? extends K> keys) {
    return invalidateAllAsync(keys, null);
  }

  /**
   * As {@link #invalidateAll(Iterable, Duration)}, later.
   *
   * @param keys the keys, at most 1,000,000
   * @param timeout how long members have to acknowledge; null: 10 seconds
   * @return completed when each member has acknowledged
   */
  CompletableFuture<Void> invalidateAllAsync(Iterable<? extends K> keys, Duration timeout);

  /**
   * What the group has counted, and what its caches hold.
   *
   * @return this moment's numbers
   */
  GroupStats stats();

  /**
   * Forgets every value of this member and gives its caches a new budget.
   *
   * @param bytes the budget, overheads included; 0 or less turns caching off
   */
  void resetCache(long bytes);
}
