/** Serves peers in a servlet container. */
package io.github.cohortcache.cohort.servlet;
