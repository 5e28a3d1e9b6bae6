package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Event;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Pending;
import io.github.cohortcache.cohort.internal.Queue;
import io.github.cohortcache.cohort.internal.Upcalls;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;

/**
 * Says how a group is made. From {@link Cohort#group}; one thread at a time.
 *
 * @param <K> the type of keys
 * @param <V> the type of values
 */
public final class GroupBuilder<K, V> {
  final String name;
  final Codec<K> keys;
  final Codec<V> values;
  private final Cohort cohort;
  private long cacheBytes = 64 << 20;
  private long maxEntries;
  private Policy policy = Policy.ADAPTIVE;
  private Duration loadTimeout;
  private Loader.WithContext<? super K, ? extends V> loader;
  private AsyncLoader<? super K, ? extends V> asyncLoader;
  private Executor executor;
  private BiFunction<? super K, ? super V, Duration> timeToLive;
  private EvictionListener<? super K, ? super V> listener;
  private boolean built;

  GroupBuilder(Cohort cohort, String name, Codec<K> keys, Codec<V> values) {
    this.cohort = cohort;
    this.name = Objects.requireNonNull(name);
    this.keys = Objects.requireNonNull(keys);
    this.values = Objects.requireNonNull(values);
    executor = cohort.executor;
  }

  /**
   * What both caches of the group may use in all on this member, overheads included: 7/8 for keys that it owns, 1/8 for
   * others' values.
   *
   * @param bytes the budget, default 64 MiB; 0 or less turns caching off
   * @return this
   */
  public GroupBuilder<K, V> cacheBytes(long bytes) {
    cacheBytes = bytes;
    return this;
  }

  /**
   * Most entries of both caches.
   *
   * @param entries the limit; 0, the default: none
   * @return this
   */
  public GroupBuilder<K, V> maxEntries(long entries) {
    maxEntries = entries;
    return this;
  }

  /**
   * Which value leaves when room is needed.
   *
   * @param policy default {@link Policy#ADAPTIVE}
   * @return this
   */
  public GroupBuilder<K, V> policy(Policy policy) {
    this.policy = Objects.requireNonNull(policy);
    return this;
  }

  /**
   * The longest time for one load, after which those who wait get a {@link CohortTimeoutException}.
   *
   * @param timeout 1 ms to 1 day; default 1 minute
   * @return this
   */
  public GroupBuilder<K, V> loadTimeout(Duration timeout) {
    loadTimeout = Objects.requireNonNull(timeout);
    return this;
  }

  /**
   * How values are loaded. Without a loader the group has only what is put and what its peers load.
   *
   * @param load the loader
   * @return this
   */
  public GroupBuilder<K, V> loader(Loader<? super K, ? extends V> load) {
    Objects.requireNonNull(load);
    return loader((key, context) -> load.load(key));
  }

  /**
   * As {@link #loader(Loader)}, with a loader that is told more.
   *
   * @param load the loader
   * @return this
   */
  public GroupBuilder<K, V> loader(Loader.WithContext<? super K, ? extends V> load) {
    loader = Objects.requireNonNull(load);
    asyncLoader = null;
    return this;
  }

  /**
   * How values are loaded without holding a thread.
   *
   * @param load the loader
   * @return this
   */
  public GroupBuilder<K, V> asyncLoader(AsyncLoader<? super K, ? extends V> load) {
    asyncLoader = Objects.requireNonNull(load);
    loader = null;
    return this;
  }

  /**
   * Where loaders run that no caller runs himself, and eviction listeners. Default: the executor of the instance.
   *
   * @param runs the executor, which may run many tasks at once
   * @return this
   */
  public GroupBuilder<K, V> executor(Executor runs) {
    executor = Objects.requireNonNull(runs);
    return this;
  }

  /**
   * Lets every value that is loaded or put expire after a time, unless the loader or the put says otherwise.
   *
   * @param time how long values live
   * @return this
   */
  public GroupBuilder<K, V> expireAfterWrite(Duration time) {
    Objects.requireNonNull(time);
    return expireAfterWrite((key, value) -> time);
  }

  /**
   * As {@link #expireAfterWrite(Duration)}, each value after a time of its own.
   *
   * @param time how long a value lives; null: forever
   * @return this
   */
  public GroupBuilder<K, V> expireAfterWrite(BiFunction<? super K, ? super V, Duration> time) {
    timeToLive = Objects.requireNonNull(time);
    return this;
  }

  /**
   * Is told of entries that leave a cache by themselves.
   *
   * @param evicted the listener
   * @return this
   */
  public GroupBuilder<K, V> evictionListener(EvictionListener<? super K, ? super V> evicted) {
    listener = Objects.requireNonNull(evicted);
    return this;
  }

  /**
   * Makes the group. From now on peers may ask it.
   *
   * @return the group
   * @throws CohortException if there is a group of that name, or a setting is not valid; the message names it
   */
  public Group<K, V> build() {
    if (built) throw new IllegalStateException("a builder builds one group; the second needs a builder of its own");
    built = true;
    EngineGroup<K, V> group = new EngineGroup<>(cohort, this);
    cohort.add(group);
    return group;
  }

  // ---- for the group that is made

  LoadRunner<K, V> newRunner(EngineGroup<K, V> group) {
    if (loader == null && asyncLoader == null) return null;
    return new LoadRunner<>(group, loader, asyncLoader, executor);
  }

  long expiry(K key, V value) {
    return timeToLive == null ? Expiry.NEVER : Expiry.unixNs(timeToLive.apply(key, value));
  }

  /** Makes the group in the engine and returns its handle. The queue must not keep the group alive. */
  long open(Cohort owner, EngineGroup<K, V> group) {
    long options = Native.cohort_group_options_new();
    long tag = Queue.newTag();
    boolean opened = false;
    try {
      Native.cohort_group_options_set_cache_bytes(options, cacheBytes);
      Native.cohort_group_options_set_max_entries(options, maxEntries);
      Native.cohort_group_options_set_policy(options, policy.code);
      if (loadTimeout != null) Native.cohort_group_options_set_load_timeout_ms(options, loadTimeout.toMillis());
      if (group.runner != null) {
        owner.queue.listen(tag, loads(new WeakReference<>(group)));
        Native.cohort_group_options_set_getter_queue(options, owner.queue.handle(), tag);
      }
      if (listener != null) {
        group.evicted = evicted(listener, keys, values, executor);
        Native.cohort_java_set_evicted(options, Upcalls.register(group.evicted));
      }
      long handle = Native.cohort_instance_new_group(owner.instance(), name.getBytes(StandardCharsets.UTF_8), options);
      opened = true;
      return handle;
    } finally {
      if (!opened) owner.queue.unlisten(tag);
      Native.cohort_group_options_free(options);
    }
  }

  private static Pending loads(WeakReference<? extends EngineGroup<?, ?>> weak) {
    return event -> {
      EngineGroup<?, ?> group = weak.get();
      if (group == null) {
        event.release();
      } else {
        group.runner.dispatch(event);
      }
    };
  }

  /** What the engine tells of evictions: to the listener, on the executor. */
  private static <K, V> Upcalls.Evicted evicted(EvictionListener<? super K, ? super V> told, Codec<K> keys, Codec<V> values,
      Executor runs) {
    return (tier, reason, key, value) -> runs.execute(() -> told.onEviction(keys.decode(key), values.decode(value),
        reason == Constants.COHORT_EVICTED_EXPIRED ? EvictionListener.Cause.EXPIRED : EvictionListener.Cause.SIZE));
  }
}
