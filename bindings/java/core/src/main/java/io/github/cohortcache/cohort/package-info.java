/**
 * Cohort: an in-process, read-through cache whose processes find each other's values.
 *
 * <p>{@link io.github.cohortcache.cohort.Cohort} is one member of a cluster,
 * {@link io.github.cohortcache.cohort.Group} a cache with a loader.
 */
package io.github.cohortcache.cohort;
