/** Hands what Cohort logs to SLF4J. */
package io.github.cohortcache.cohort.slf4j;
