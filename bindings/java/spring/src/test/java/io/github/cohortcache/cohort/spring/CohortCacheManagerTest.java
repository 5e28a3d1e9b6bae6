package io.github.cohortcache.cohort.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.testing.TestCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Spring's annotations on top of groups. */
@Timeout(120)
class CohortCacheManagerTest {
  /** A service with methods that are worth caching. */
  public static class Names {
    private final AtomicInteger calls = new AtomicInteger();

    public int calls() { // by a method, because Spring stands between
      return calls.get();
    }

    @Cacheable("names")
    public String name(int id) {
      calls.incrementAndGet();
      return id < 0 ? null : "name " + id;
    }

    @Cacheable(cacheNames = "names", sync = true)
    public String syncName(int id) {
      calls.incrementAndGet();
      return "sync " + id;
    }

    @CacheEvict("names")
    public void rename(int id) {}
  }

  @Configuration
  @EnableCaching
  static class Application {
    @Bean
    Cohort cohort() {
      return Cohort.builder().build();
    }

    @Bean
    CacheManager cacheManager(Cohort cohort) {
      return new CohortCacheManager(name -> cohort.group(name, Codec.utf8()).build());
    }

    @Bean
    Names names() {
      return new Names();
    }
  }

  @Test
  void cacheableMethodsAreCalledOnce() {
    try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(Application.class)) {
      Names names = context.getBean(Names.class);
      assertEquals("name 1", names.name(1));
      assertEquals("name 1", names.name(1));
      assertEquals("sync 2", names.syncName(2));
      assertEquals("sync 2", names.syncName(2));
      assertEquals(2, names.calls());
      names.rename(1);
      assertEquals("name 1", names.name(1));
      assertEquals(3, names.calls());
      assertNull(names.name(-1));
      assertNull(names.name(-1)); // null is not kept
      assertEquals(5, names.calls());
      assertEquals(List.of("names"), new ArrayList<>(context.getBean(CacheManager.class).getCacheNames()));
    }
  }

  @Test
  void whatOneMemberPutsAllHave() {
    try (TestCluster cluster = TestCluster.start(2)) {
      List<Cache> caches = cluster.groups(member ->
          new CohortCacheManager().add(member.group("g", Codec.utf8()).build(), false).getCache("g"));
      for (int i = 0; i < 20; i++) {
        caches.get(0).put(i, "v" + i);
        assertEquals("v" + i, caches.get(1).get(i, String.class));
      }
      caches.get(1).evict(3);
      assertNull(caches.get(0).get(3));
      for (int i = 0; i < 20; i++) assertNull(caches.get(1).get("never" + i)); // whoever owns it
      caches.get(0).put(4, null);
      assertNull(caches.get(1).get(4));
    }
  }

  @Test
  void aGroupWithALoaderLoads() {
    try (Cohort cohort = Cohort.builder().build()) {
      CohortCacheManager manager =
          new CohortCacheManager().add(cohort.group("g", Codec.utf8()).loader(key -> key.equals("none") ? null : "loaded " + key).build(), true);
      Cache cache = manager.getCache("g");
      assertNull(manager.getCache("other"));
      assertEquals("loaded a", cache.get("a").get());
      assertEquals("loaded b", cache.get("b", () -> "called"));
      assertEquals("called", cache.get("none", () -> "called"));
      assertEquals("loaded c", cache.retrieve("c").join());
      assertThrows(IllegalStateException.class, () -> cache.get("a", Integer.class));
      assertTrue(cache.evictIfPresent("a"));
      assertFalse(cache.evictIfPresent("a"));
      cache.clear();
      assertEquals(0, ((Group<?, ?>) cache.getNativeCache()).stats().main().items());
    }
  }

  @Test
  void failuresOfTheMethodAreWrappedAsSpringDoes() {
    try (Cohort cohort = Cohort.builder().build()) {
      Cache cache = new CohortCacheManager(name -> cohort.group(name, Codec.utf8()).build()).getCache("g");
      Callable<String> failing = () -> {
        throw new java.io.IOException("disk");
      };
      Cache.ValueRetrievalException failure = assertThrows(Cache.ValueRetrievalException.class, () -> cache.get("k", failing));
      assertEquals("disk", failure.getCause().getMessage());
      assertEquals("v", cache.retrieve("k", () -> CompletableFuture.completedFuture("v")).join());
      assertEquals("v", cache.get("k").get());
      assertNull(cache.retrieve("unknown"));
    }
  }
}
