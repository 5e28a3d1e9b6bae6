package io.github.cohortcache.cohort.internal;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongUnaryOperator;

/**
 * A loader's exception travels through the engine as a number, so that every waiting caller of this process gets the very
 * object that the loader threw.
 */
public final class Failures {
  // While the events that carry a tag are not counted yet, their number is far above 0.
  private static final long NOT_COUNTED = 1L << 40;

  private static final Map<Long, Failure> OPEN = new HashMap<>();
  private static long last;

  private Failures() {}

  private static final class Failure {
    final Throwable thrown;
    long events = NOT_COUNTED;

    Failure(Throwable thrown) {
      this.thrown = thrown;
    }
  }

  /**
   * Runs one failing call with a tag for the exception. The call tells how many events will carry the tag:
   *
   * <pre>
   * 1. the call pushes events          1. the call pushes events
   * 2. a waiter takes its event        2. the call tells their number
   * 3. the call tells their number     3. the last waiter takes its event
   * </pre>
   *
   * Either way the last of these forgets the tag.
   *
   * @param thrown the exception
   * @param call takes the tag, returns the number of events that carry it
   */
  public static void fail(Throwable thrown, LongUnaryOperator call) {
    Failure failure = new Failure(thrown);
    long tag;
    synchronized (OPEN) {
      tag = ++last;
      OPEN.put(tag, failure);
    }
    long events = 0;
    try {
      events = call.applyAsLong(tag);
    } finally {
      synchronized (OPEN) {
        failure.events += events - NOT_COUNTED;
        if (failure.events == 0) OPEN.remove(tag);
      }
    }
  }

  /** The exception that an event's tag stands for, or null if it is 0. */
  static Throwable take(long tag) {
    if (tag == 0) return null;
    synchronized (OPEN) {
      Failure failure = OPEN.get(tag);
      if (failure == null) return null;
      if (--failure.events == 0) OPEN.remove(tag);
      return failure.thrown;
    }
  }

  /** How many exceptions have events that were not all taken. */
  public static int open() {
    synchronized (OPEN) {
      return OPEN.size();
    }
  }
}
