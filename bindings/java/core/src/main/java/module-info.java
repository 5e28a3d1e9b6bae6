/** An in-process, read-through cache whose processes find each other's values. */
module io.github.cohortcache.cohort {
  requires static transitive jdk.httpserver;

  exports io.github.cohortcache.cohort;
  exports io.github.cohortcache.cohort.testing;
}
