package io.github.cohortcache.cohort.internal;

import java.util.concurrent.locks.LockSupport;

/** One thread waits here for one thing to happen; a virtual thread waits without a thread of the system. */
public final class Signal implements Pending {
  private final Thread thread = Thread.currentThread();
  private volatile boolean given;
  private Event event;

  /** Made by the thread that will wait. */
  public Signal() {}

  @Override
  public void deliver(Event came) {
    event = came;
    give();
  }

  /** Lets the thread go on. */
  public void give() {
    given = true;
    LockSupport.unpark(thread);
  }

  /** The event that was delivered, after {@link #await}. */
  public Event event() {
    return event;
  }

  /**
   * Waits. An interrupt does not end the wait but runs onInterrupt, once, which may bring the end about; the thread's
   * interrupt is kept.
   *
   * @return whether the thread was interrupted
   */
  public boolean await(Runnable onInterrupt) {
    LoaderPool.Lent lent = given ? null : LoaderPool.lend();
    boolean interrupted = false;
    try {
      while (!given) {
        LockSupport.park(this);
        if (Thread.interrupted() && !interrupted) {
          interrupted = true;
          onInterrupt.run();
        }
      }
    } finally {
      if (lent != null) lent.giveBack();
      if (interrupted) thread.interrupt();
    }
    return interrupted;
  }
}
