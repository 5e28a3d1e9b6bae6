package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Native;

/**
 * What one of a group's two caches holds and has counted.
 *
 * @param bytes the bytes of keys and values in it now
 * @param chargedBytes those with the overheads, which the budget limits
 * @param budgetBytes this cache's part of the group's budget
 * @param items entries in it now
 * @param gets lookups
 * @param hits lookups that found a live entry
 * @param evictions entries that left for room
 * @param expirations entries whose time had come
 * @param rejected values that did not fit
 */
public record CacheStats(long bytes, long chargedBytes, long budgetBytes, long items, long gets, long hits, long evictions,
    long expirations, long rejected) {

  static CacheStats of(long group, int tier) {
    long[] n = new long[9];
    Native.cohort_group_cache_stats(group, tier, n);
    return new CacheStats(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]);
  }
}
