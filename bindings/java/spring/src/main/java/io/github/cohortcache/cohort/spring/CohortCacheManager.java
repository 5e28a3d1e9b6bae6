package io.github.cohortcache.cohort.spring;

import io.github.cohortcache.cohort.Group;
import java.util.Collection;
import java.util.Collections;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;

/**
 * The caches of Spring, each a group of one instance:
 *
 * <pre>{@code
 * @Bean
 * CacheManager cacheManager(Cohort cohort) {
 *   return new CohortCacheManager().add(cohort.group("users", Codec.utf8()).loader(users::find).build(), true);
 * }
 * }</pre>
 */
public final class CohortCacheManager implements CacheManager {
  private final ConcurrentHashMap<String, Cache> caches = new ConcurrentHashMap<>();
  private final Function<String, Group<String, ?>> newGroup; // null: only what was added

  /** Makes a manager of the groups that will be added. */
  public CohortCacheManager() {
    newGroup = null;
  }

  /**
   * Makes a manager that makes groups without a loader for names that nobody has added.
   *
   * @param newGroup makes the group of a name, without a loader
   */
  public CohortCacheManager(Function<String, Group<String, ?>> newGroup) {
    this.newGroup = Objects.requireNonNull(newGroup);
  }

  /**
   * Adds a group under its name.
   *
   * @param group the group
   * @param loads whether it has a loader
   * @return this
   */
  public CohortCacheManager add(Group<String, ?> group, boolean loads) {
    caches.put(group.name(), new CohortCache<>(group, loads));
    return this;
  }

  @Override
  public Cache getCache(String name) {
    Cache cache = caches.get(name);
    if (cache != null || newGroup == null) return cache;
    return caches.computeIfAbsent(name, n -> new CohortCache<>(newGroup.apply(n), false));
  }

  @Override
  public Collection<String> getCacheNames() {
    return Collections.unmodifiableSet(caches.keySet());
  }
}
