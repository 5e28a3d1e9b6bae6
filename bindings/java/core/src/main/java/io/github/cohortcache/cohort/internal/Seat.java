package io.github.cohortcache.cohort.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Where a thread of the system waits for its gets, one at a time: a queue of its own, so that whoever brings the end wakes it, with no
 * other thread in between. While gets have to wait, the thread is lent to the engine for the next one, and asks the owner itself.
 */
public final class Seat {
  private static final int EVENTS = 128; // that are taken in one call

  private final Scratch scratch;
  private final long queue = Native.cohort_queue_new();
  private boolean waited; // the last get had to wait, so the next one will, too
  private volatile boolean beginning;
  private ByteBuffer events; // of many gets; null: not yet

  /** The seat of this thread; null: it is a virtual one, which waits elsewhere. */
  public static Seat take() {
    Scratch scratch = Scratch.take();
    Seat seat = scratch.seat();
    scratch.giveBack();
    return seat;
  }

  Seat(Scratch scratch) {
    this.scratch = scratch;
    Handles.freeQueue(scratch, queue);
  }

  /** Begins a get of a key that is in the scratch, or of a longer one. What C answers is in the scratch. */
  int begin(long group, byte[] longKey, int keySize, int flags, long timeoutMs) {
    boolean lends = waited && !Thread.currentThread().isInterrupted() && !LoaderPool.isRelieved();
    int began = lends ? lend(group, longKey, keySize, flags, timeoutMs) : call(group, longKey, keySize, flags, timeoutMs);
    waited = began == Constants.COHORT_BEGIN_PENDING;
    return began;
  }

  private int call(long group, byte[] longKey, int keySize, int flags, long timeoutMs) {
    return longKey == null ? Native.cohort_java_begin(group, scratch.address(), keySize, flags, timeoutMs, queue)
        : Native.cohort_java_begin_key(group, scratch.address(), longKey, flags, timeoutMs, queue);
  }

  /**
   * The thread may be kept while it asks the owner. C has written the ticket by then, so an interrupt can end the wait:
   *
   * <pre>
   * 1. no ticket is written                     1. no ticket is written
   * 2. C writes the ticket, and waits           2. (another) the interrupt: there is none, so it looks again
   * 3. (another) the interrupt: cancels that    3. C writes the ticket, and waits, or begin ends without one
   * </pre>
   */
  private int lend(long group, byte[] longKey, int keySize, int flags, long timeoutMs) {
    Thread thread = Thread.currentThread();
    Interruption interruption = new Interruption(() -> {
      if (Thread.currentThread() != thread) cancelWhenBegun(group); // else it was interrupted before, and await will find out
    });
    scratch.clearTicket();
    beginning = true;
    scratch.busy = true;
    interruption.enter();
    try {
      return call(group, longKey, keySize, flags | Constants.COHORT_GET_LEND, timeoutMs);
    } finally {
      beginning = false;
      interruption.leave();
      scratch.busy = false;
    }
  }

  private void cancelWhenBegun(long group) {
    long ticket = scratch.ticket();
    while (ticket == 0 && beginning) {
      Thread.onSpinWait();
      ticket = scratch.ticket();
    }
    if (ticket != 0) Native.cohort_group_cancel(group, ticket);
  }

  /**
   * Waits for the event of the get that is pending. An interrupt cancels it, which brings the event about; the thread stays
   * interrupted.
   */
  public Event await(long group, long ticket, long tag) {
    scratch.busy = true;
    try {
      Event event = take(tag, false);
      if (event != null) return event;
      LoaderPool.Lent lent = LoaderPool.lend();
      Interruption interruption = new Interruption(() -> Native.cohort_group_cancel(group, ticket));
      interruption.enter();
      try {
        return take(tag, true);
      } finally {
        interruption.leave();
        if (lent != null) lent.giveBack();
      }
    } finally {
      scratch.busy = false;
    }
  }

  /**
   * Gets many, and waits for all of them: what they bring is in the batch, but for the failures. An interrupt cancels those that wait;
   * the thread stays interrupted.
   */
  public void getAll(long group, Batch batch, int many, long firstTag, long timeoutMs, Pending failed) {
    int missing = many - (int) batch.beginSeated(group, timeoutMs, queue, firstTag);
    if (missing == 0) return;
    if (events == null) events = ByteBuffer.allocateDirect(EVENTS * Event.BYTES).order(ByteOrder.nativeOrder());
    long address = Native.cohort_java_address(events);
    LoaderPool.Lent lent = LoaderPool.lend();
    Interruption interruption = new Interruption(() -> batch.cancel(group));
    scratch.busy = true;
    interruption.enter();
    try {
      while (missing > 0) {
        long ended = batch.await(queue, firstTag, missing, address, EVENTS);
        for (int i = 0; i < (int) ended; i++) failed.deliver(new Event(events, i * Event.BYTES));
        missing -= (int) (ended >>> Integer.SIZE);
      }
    } finally {
      interruption.leave();
      scratch.busy = false;
      if (lent != null) lent.giveBack();
    }
  }

  /** The event with the tag; null: it has not come. */
  private Event take(long tag, boolean waits) {
    while (Native.cohort_java_wait_seated(queue, scratch.address(), waits ? -1 : 0) == 1) {
      Event event = scratch.event();
      if (event.tag == tag) return event;
      event.release(); // of a get whose caller was ended by an error in the middle
    }
    return null;
  }
}
