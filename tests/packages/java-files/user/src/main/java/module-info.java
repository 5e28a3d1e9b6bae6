module user {
  requires io.github.cohortcache.cohort;
  requires io.github.cohortcache.cohort.slf4j;
}
