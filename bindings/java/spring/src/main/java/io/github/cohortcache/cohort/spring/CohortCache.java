package io.github.cohortcache.cohort.spring;

import io.github.cohortcache.cohort.CohortException;
import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.Status;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.springframework.cache.Cache;
import org.springframework.cache.support.SimpleValueWrapper;

/**
 * A group as a cache of Spring. Keys are what their {@code toString} says, so that members in other languages know them.
 * Null is never kept: a method that returns null is called again.
 *
 * <p>If the group has a loader, a get loads, by the key's owner; then {@code @Cacheable} methods are hardly called. A group
 * without one takes what such methods return, with {@code put}, and every member has it.
 *
 * <p>{@code get(key, valueLoader)} ({@code sync = true}) calls the method once at a time in this process for each key.
 *
 * @param <V> the type of values
 */
public final class CohortCache<V> implements Cache {
  private final Group<String, V> group;
  private final boolean loads;
  private final KeyLocks locks = new KeyLocks();

  /**
   * Makes a cache of a group.
   *
   * @param group the group
   * @param loads whether the group has a loader, which a get is to run
   */
  public CohortCache(Group<String, V> group, boolean loads) {
    this.group = Objects.requireNonNull(group);
    this.loads = loads;
  }

  @Override
  public String getName() {
    return group.name();
  }

  @Override
  public Group<String, V> getNativeCache() {
    return group;
  }

  private static String key(Object key) {
    return key.toString();
  }

  private Optional<V> find(String key) {
    if (loads) return group.find(key);
    try {
      return group.find(key); // the owner may have what another member has put
    } catch (CohortException noLoader) {
      if (noLoader.status() == Status.NO_LOADER) return Optional.empty();
      throw noLoader;
    }
  }

  @Override
  public ValueWrapper get(Object key) {
    return find(key(key)).map(SimpleValueWrapper::new).orElse(null);
  }

  @Override
  public <T> T get(Object key, Class<T> type) {
    Object value = find(key(key)).orElse(null);
    if (value != null && type != null && !type.isInstance(value)) {
      throw new IllegalStateException("the cached value is not a " + type.getName() + " but a " + value.getClass().getName());
    }
    @SuppressWarnings("unchecked")
    T typed = (T) value;
    return typed;
  }

  @Override
  public <T> T get(Object key, Callable<T> valueLoader) {
    String name = key(key);
    @SuppressWarnings("unchecked")
    T cached = (T) find(name).orElse(null);
    if (cached != null) return cached;
    return locks.with(name, () -> {
      @SuppressWarnings("unchecked")
      T meanwhile = (T) find(name).orElse(null);
      if (meanwhile != null) return meanwhile;
      T value;
      try {
        value = valueLoader.call();
      } catch (Exception failure) {
        throw new ValueRetrievalException(key, valueLoader, failure);
      }
      put(key, value);
      return value;
    });
  }

  @Override
  public CompletableFuture<?> retrieve(Object key) {
    ValueWrapper there = group.peek(key(key)).map(SimpleValueWrapper::new).orElse(null);
    if (there != null) return CompletableFuture.completedFuture(there.get());
    return loads ? group.getAsync(key(key)) : null;
  }

  @Override
  public <T> CompletableFuture<T> retrieve(Object key, Supplier<CompletableFuture<T>> valueLoader) {
    @SuppressWarnings("unchecked")
    T there = (T) group.peek(key(key)).orElse(null);
    if (there != null) return CompletableFuture.completedFuture(there);
    return valueLoader.get().thenCompose(value -> {
      if (value == null) return CompletableFuture.completedFuture(null);
      @SuppressWarnings("unchecked")
      V own = (V) value;
      return group.putAsync(key(key), own).thenApply(done -> value);
    });
  }

  @Override
  public void put(Object key, Object value) {
    if (value == null) {
      group.invalidate(key(key));
      return;
    }
    @SuppressWarnings("unchecked")
    V own = (V) value;
    group.put(key(key), own);
  }

  @Override
  public void evict(Object key) {
    group.invalidate(key(key));
  }

  @Override
  public boolean evictIfPresent(Object key) {
    boolean there = group.peek(key(key)).isPresent();
    group.invalidate(key(key));
    return there;
  }

  /** Forgets every value of this member only: the group's other members keep theirs. */
  @Override
  public void clear() {
    group.resetCache(group.stats().main().budgetBytes() + group.stats().hot().budgetBytes());
  }
}
