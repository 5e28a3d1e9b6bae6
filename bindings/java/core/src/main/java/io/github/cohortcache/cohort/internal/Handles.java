package io.github.cohortcache.cohort.internal;

import java.lang.ref.Cleaner;

/**
 * What must be freed in C once nobody can reach it any more: only then, because a handle that was freed while a thread is
 * inside a call on it would take the JVM down. Closing ends threads and ports at once; the small rest waits for this.
 */
public final class Handles {
  private static final Cleaner CLEANER = Cleaner.create();

  private Handles() {}

  /** Frees an instance and its queue when owner cannot be reached any more. Shuts it down, if that was not done. */
  public static void freeInstance(Object owner, long instance, Queue queue) {
    CLEANER.register(owner, () -> {
      Thread releaser = new Thread(() -> release(instance, queue), "cohort-release"); // it may wait for the engine's threads
      releaser.setDaemon(true);
      releaser.start();
    });
  }

  private static void release(long instance, Queue queue) {
    Native.cohort_instance_free(instance);
    queue.close();
    boolean interrupted = false;
    for (;;) {
      try {
        queue.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    queue.free();
    if (interrupted) Thread.currentThread().interrupt();
  }

  /** Frees a group's handle when owner cannot be reached any more. */
  public static void freeGroup(Object owner, long group) {
    CLEANER.register(owner, () -> Native.cohort_group_free(group));
  }

  /** Frees a transport's handle when owner cannot be reached any more. */
  public static void freeTransport(Object owner, long transport) {
    CLEANER.register(owner, () -> Native.cohort_transport_free(transport));
  }

  /** Frees a queue when owner cannot be reached any more. */
  static void freeQueue(Object owner, long queue) {
    CLEANER.register(owner, () -> Native.cohort_queue_free(queue));
  }

  /** Frees a value when owner, a buffer over its bytes, cannot be reached any more. */
  public static void freeValue(Object owner, long value) {
    CLEANER.register(owner, () -> Native.cohort_value_free(value));
  }

  /** Abandons a load when owner cannot be reached any more; cancelled by {@link Cleaner.Cleanable#clean}. */
  public static Cleaner.Cleanable onUnreachable(Object owner, Runnable action) {
    return CLEANER.register(owner, action);
  }
}
