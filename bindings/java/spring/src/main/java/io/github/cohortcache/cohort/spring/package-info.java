/** Makes groups the caches behind Spring's cache abstraction. */
package io.github.cohortcache.cohort.spring;
