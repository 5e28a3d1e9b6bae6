package io.github.cohortcache.cohort;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits until something is so; a minute and a half is only a safety net for what will never be. */
final class Until {
  private Until() {}

  static void so(String what, BooleanSupplier condition) {
    Instant deadline = Instant.now().plus(Duration.ofSeconds(90));
    while (!condition.getAsBoolean()) {
      if (Instant.now().isAfter(deadline)) throw new AssertionError("not so after 90 s: " + what);
      LockSupport.parkNanos(200_000);
    }
  }

  static void collected(String what, BooleanSupplier condition) {
    so(what, () -> {
      System.gc();
      return condition.getAsBoolean();
    });
  }
}
