package io.github.cohortcache.cohort.micrometer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Meters show what the group has counted. */
@Timeout(120)
class CohortMetricsTest {
  @Test
  void metersFollowTheGroup() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("pages", Codec.utf8()).cacheBytes(1 << 20).loader(key -> "page " + key).build();
      new CohortMetrics(group, Tags.of("member", "one")).bindTo(registry);
      group.get("a");
      group.get("a");
      group.get("b");
      assertEquals(3, registry.get("cohort.gets").tags("group", "pages", "member", "one").functionCounter().count());
      assertEquals(1, registry.get("cohort.hits").functionCounter().count());
      assertEquals(2, registry.get("cohort.loads.local").functionCounter().count());
      assertEquals(2, registry.get("cohort.cache.items").tag("cache", "main").gauge().value());
      assertEquals(0, registry.get("cohort.cache.items").tag("cache", "hot").gauge().value());
      assertEquals((1 << 20) / 8 * 7, registry.get("cohort.cache.budget").tag("cache", "main").gauge().value());
    }
  }
}
