package io.github.cohortcache.cohort.internal;

/** What waits for events. */
@FunctionalInterface
public interface Pending {
  /**
   * Takes an event and what it owns. Runs on the queue's thread, which serves every caller: no code of the program may run
   * here, and nothing that blocks.
   *
   * @param event the event
   */
  void deliver(Event event);
}
