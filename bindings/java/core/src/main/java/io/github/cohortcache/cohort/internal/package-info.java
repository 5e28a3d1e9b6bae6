/** What the face stands on: the native functions, the queue, and when handles are freed. Not exported. */
package io.github.cohortcache.cohort.internal;
