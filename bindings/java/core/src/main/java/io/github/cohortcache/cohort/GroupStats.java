package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Native;

/**
 * What a group has counted since it was made, and what its caches hold; one moment's numbers.
 *
 * @param gets every get, those of peers included
 * @param cacheHits gets that a cache answered
 * @param slowestPeerMs the slowest answer of a peer, in milliseconds
 * @param peerLoads values that came from a peer
 * @param peerErrors times that a peer could not be asked
 * @param loads gets that no cache answered
 * @param loadsDeduped loads after joining those of the same key
 * @param localLoads runs of the loader that brought a value
 * @param localLoadErrors runs of the loader that failed, not found included
 * @param invalidateAllCalls calls of invalidateAll with at least one key
 * @param invalidateAllKeys keys in those calls
 * @param waiting gets that wait now
 * @param loading loads under way now
 * @param servedToPeers gets that peers asked for
 * @param misrouted of those, the ones for keys that this member does not own
 * @param puts calls of put
 * @param invalidations calls of invalidate
 * @param putsFromPeers values that peers set here
 * @param invalidationsFromPeers keys that peers dropped here
 * @param overtakenLoads loads that a change overtook: delivered, never kept
 * @param timeouts gets that ended by their deadline
 * @param cancelled gets that their callers cancelled
 * @param abandonedLoads loads that ended without an answer
 * @param main the cache of keys that this member owns
 * @param hot the cache of other members' values
 */
public record GroupStats(long gets, long cacheHits, long slowestPeerMs, long peerLoads, long peerErrors, long loads,
    long loadsDeduped, long localLoads, long localLoadErrors, long invalidateAllCalls, long invalidateAllKeys, long waiting,
    long loading, long servedToPeers, long misrouted, long puts, long invalidations, long putsFromPeers,
    long invalidationsFromPeers, long overtakenLoads, long timeouts, long cancelled, long abandonedLoads, CacheStats main,
    CacheStats hot) {

  /**
   * Which part of the gets a cache answered.
   *
   * @return between 0 and 1; 1 if there was no get
   */
  public double hitRate() {
    return gets == 0 ? 1 : (double) cacheHits / gets;
  }

  static GroupStats of(long group) {
    long[] n = new long[23];
    Native.cohort_group_stats(group, n);
    return new GroupStats(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13], n[14],
        n[15], n[16], n[17], n[18], n[19], n[20], n[21], n[22], CacheStats.of(group, Constants.COHORT_TIER_MAIN),
        CacheStats.of(group, Constants.COHORT_TIER_HOT));
  }
}
