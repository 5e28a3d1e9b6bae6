package io.github.cohortcache.cohort;

import java.time.Duration;
import java.time.Instant;

/** What a loader may know of its load and say about its value. Any thread, also after the load. */
public interface LoadContext {
  /**
   * The name of the group that the value is loaded for.
   *
   * @return the name
   */
  String group();

  /**
   * Lets the value expire at a time, whatever the group says.
   *
   * @param time when it expires; null: never
   */
  void expireAt(Instant time);

  /**
   * Lets the value expire after a time from now on, whatever the group says.
   *
   * @param time how long it lives; null: forever
   */
  void expireAfter(Duration time);

  /**
   * Whether nobody waits for the value any more: each caller has got his timeout, or has cancelled.
   *
   * @return true if nobody waits
   */
  boolean isCancelled();

  /**
   * Until the last of the callers who wait now stops to wait, at most the longest time for a load of the group.
   *
   * @return the time that is left; zero: none
   */
  Duration timeLeft();

  /**
   * Runs something once if the last caller stops to wait before the load ends: to cancel a request, to interrupt a
   * thread. It runs on the group's executor. A second call replaces the first.
   *
   * @param action what to run
   */
  void onCancel(Runnable action);
}
