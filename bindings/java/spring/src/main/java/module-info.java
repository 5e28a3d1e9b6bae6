/** Makes groups the caches behind Spring's cache abstraction. */
module io.github.cohortcache.cohort.spring {
  requires transitive io.github.cohortcache.cohort;
  requires transitive spring.context;

  exports io.github.cohortcache.cohort.spring;
}
