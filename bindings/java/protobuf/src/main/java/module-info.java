/** A codec for protobuf's messages. */
module io.github.cohortcache.cohort.protobuf {
  requires transitive io.github.cohortcache.cohort;
  requires transitive com.google.protobuf;

  exports io.github.cohortcache.cohort.protobuf;
}
