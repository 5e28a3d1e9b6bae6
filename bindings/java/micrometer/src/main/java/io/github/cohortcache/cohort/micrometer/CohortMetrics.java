package io.github.cohortcache.cohort.micrometer;

import io.github.cohortcache.cohort.CacheStats;
import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.GroupStats;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * What a group counts, as meters named {@code cohort.*} with the tag {@code group}. Reading a meter costs one call into the
 * engine. The registry does not keep the group alive.
 */
public final class CohortMetrics implements MeterBinder {
  private final Group<?, ?> group;
  private final Iterable<Tag> tags;

  /**
   * Makes a binder; bind it with {@code bindTo(registry)}.
   *
   * @param group the group
   * @param tags more tags, such as the member's
   */
  public CohortMetrics(Group<?, ?> group, Iterable<Tag> tags) {
    this.group = Objects.requireNonNull(group);
    this.tags = Tags.of(tags).and("group", group.name());
  }

  /**
   * Makes a binder; bind it with {@code bindTo(registry)}.
   *
   * @param group the group
   */
  public CohortMetrics(Group<?, ?> group) {
    this(group, Tags.empty());
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    counter(registry, "cohort.gets", "gets, those of peers included", GroupStats::gets);
    counter(registry, "cohort.hits", "gets that a cache answered", GroupStats::cacheHits);
    counter(registry, "cohort.loads", "gets that no cache answered", GroupStats::loads);
    counter(registry, "cohort.loads.deduped", "loads after joining those of the same key", GroupStats::loadsDeduped);
    counter(registry, "cohort.loads.local", "runs of the loader that brought a value", GroupStats::localLoads);
    counter(registry, "cohort.loads.local.errors", "runs of the loader that failed", GroupStats::localLoadErrors);
    counter(registry, "cohort.loads.overtaken", "loads that a change overtook", GroupStats::overtakenLoads);
    counter(registry, "cohort.loads.abandoned", "loads that ended without an answer", GroupStats::abandonedLoads);
    counter(registry, "cohort.peer.loads", "values that came from a peer", GroupStats::peerLoads);
    counter(registry, "cohort.peer.errors", "times that a peer could not be asked", GroupStats::peerErrors);
    counter(registry, "cohort.peer.served", "gets that peers asked for", GroupStats::servedToPeers);
    counter(registry, "cohort.peer.misrouted", "gets of peers for keys that this member does not own", GroupStats::misrouted);
    counter(registry, "cohort.puts", "calls of put", GroupStats::puts);
    counter(registry, "cohort.invalidations", "calls of invalidate", GroupStats::invalidations);
    counter(registry, "cohort.timeouts", "gets that ended by their deadline", GroupStats::timeouts);
    counter(registry, "cohort.cancelled", "gets that their callers cancelled", GroupStats::cancelled);
    gauge(registry, "cohort.waiting", "gets that wait now", tags, GroupStats::waiting);
    gauge(registry, "cohort.loading", "loads under way now", tags, GroupStats::loading);
    cache(registry, "main", GroupStats::main);
    cache(registry, "hot", GroupStats::hot);
  }

  private void cache(MeterRegistry registry, String name, Function<GroupStats, CacheStats> cache) {
    Iterable<Tag> both = Tags.of(tags).and("cache", name);
    gauge(registry, "cohort.cache.bytes", "bytes in use, overheads included", both, stats -> cache.apply(stats).chargedBytes());
    gauge(registry, "cohort.cache.budget", "bytes that may be used", both, stats -> cache.apply(stats).budgetBytes());
    gauge(registry, "cohort.cache.items", "entries", both, stats -> cache.apply(stats).items());
    FunctionCounter.builder("cohort.cache.evictions", group, g -> cache.apply(g.stats()).evictions()).tags(both)
        .description("entries that left for room").register(registry);
    FunctionCounter.builder("cohort.cache.expirations", group, g -> cache.apply(g.stats()).expirations()).tags(both)
        .description("entries whose time had come").register(registry);
  }

  private void counter(MeterRegistry registry, String name, String description, ToLongFunction<GroupStats> value) {
    FunctionCounter.builder(name, group, g -> value.applyAsLong(g.stats())).tags(tags).description(description).register(registry);
  }

  private void gauge(MeterRegistry registry, String name, String description, Iterable<Tag> with,
      ToLongFunction<GroupStats> value) {
    Gauge.builder(name, group, g -> value.applyAsLong(g.stats())).tags(with).description(description).register(registry);
  }
}
