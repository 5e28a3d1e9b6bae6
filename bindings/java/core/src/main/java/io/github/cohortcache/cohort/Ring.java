package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;

/** How keys find their owners. Every member of a cluster must use the same. */
public enum Ring {
  /** As groupcache-go v3 does: FNV-1 over MD5 points. The default. */
  GROUPCACHE_V3(Constants.COHORT_RING_GROUPCACHE_V3),
  /** As the original groupcache does: CRC-32. */
  GROUPCACHE(Constants.COHORT_RING_GROUPCACHE),
  /** XXH3: the fastest, for clusters of Cohort members only. */
  XXH3(Constants.COHORT_RING_XXH3);

  final int code;

  Ring(int code) {
    this.code = code;
  }
}
