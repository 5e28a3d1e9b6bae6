/** A cluster inside of one process, for the tests of programs that use Cohort. */
package io.github.cohortcache.cohort.testing;
