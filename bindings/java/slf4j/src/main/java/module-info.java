/** Hands what Cohort logs to SLF4J. */
module io.github.cohortcache.cohort.slf4j {
  requires transitive io.github.cohortcache.cohort;
  requires transitive org.slf4j;

  exports io.github.cohortcache.cohort.slf4j;
}
