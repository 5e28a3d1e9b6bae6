package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;

/** Which value leaves a group's cache when room is needed. */
public enum Policy {
  /** The least recently used, as in groupcache. Keeps every new value. */
  LRU(Constants.COHORT_POLICY_LRU),
  /**
   * By recency, reuse, frequency or frequency for the size, whichever hits most at the time. The default. It resists scans, and
   * may not keep a value that a loader has brought; one that was put is always kept.
   */
  ADAPTIVE(Constants.COHORT_POLICY_ADAPTIVE);

  final int code;

  Policy(int code) {
    this.code = code;
  }
}
