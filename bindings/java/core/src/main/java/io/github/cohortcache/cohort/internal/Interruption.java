package io.github.cohortcache.cohort.internal;

import java.io.IOException;
import java.nio.channels.spi.AbstractInterruptibleChannel;

/**
 * Lets an interrupt reach a thread that waits in C: the JDK tells a channel in which a thread blocks, and this is one, for one wait.
 */
final class Interruption extends AbstractInterruptibleChannel {
  private final Runnable onInterrupt;

  /** onInterrupt runs once, on the interrupting thread, or in {@link #enter} if the thread was interrupted before. */
  Interruption(Runnable onInterrupt) {
    this.onInterrupt = onInterrupt;
  }

  /** The wait begins. */
  void enter() {
    begin();
  }

  /** The wait has ended: onInterrupt has run, or will not. The thread stays interrupted. */
  void leave() {
    try {
      end(true);
    } catch (IOException interrupted) {
      // The thread tells.
    }
  }

  @Override
  protected void implCloseChannel() {
    onInterrupt.run();
  }
}
