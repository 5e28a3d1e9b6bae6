/** Shows what groups count as Micrometer's meters. */
package io.github.cohortcache.cohort.micrometer;
