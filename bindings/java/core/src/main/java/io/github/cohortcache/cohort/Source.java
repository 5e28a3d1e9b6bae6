package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;

/** Where a value came from. */
public enum Source {
  /** This member's main cache: it owns the key. */
  MAIN,
  /** This member's hot cache: a copy of another member's value. */
  HOT,
  /** The key's owner. */
  PEER,
  /** A loader of this process. */
  LOAD;

  static Source of(int code) {
    return switch (code) {
      case Constants.COHORT_SOURCE_MAIN -> MAIN;
      case Constants.COHORT_SOURCE_HOT -> HOT;
      case Constants.COHORT_SOURCE_PEER -> PEER;
      default -> LOAD;
    };
  }
}
