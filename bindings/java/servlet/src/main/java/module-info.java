/** Serves peers in a servlet container. */
module io.github.cohortcache.cohort.servlet {
  requires transitive io.github.cohortcache.cohort;
  requires transitive jakarta.servlet;

  exports io.github.cohortcache.cohort.servlet;
}
