/** Shows what groups count as Micrometer's meters. */
module io.github.cohortcache.cohort.micrometer {
  requires transitive io.github.cohortcache.cohort;
  requires transitive micrometer.core;

  exports io.github.cohortcache.cohort.micrometer;
}
