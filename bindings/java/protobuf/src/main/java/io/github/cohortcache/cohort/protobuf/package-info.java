/** A codec for protobuf's messages. */
package io.github.cohortcache.cohort.protobuf;
