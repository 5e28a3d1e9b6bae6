package io.github.cohortcache.cohort.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The completion queue of one instance and the one daemon thread that reads it. It finds whoever an event is for by its
 * tag; it knows nothing of instances, so that one that was forgotten can be collected.
 */
public final class Queue {
  private static final int BATCH = 256;
  // Tags of C's own for gets have neither bit.
  private static final long MANY = 1L << 62;
  private static final long OWN = 1L << 61;
  private static final int INDEX_BITS = 24;
  private static final AtomicLong LAST = new AtomicLong();

  private final long handle;
  private final ConcurrentHashMap<Long, Object> waiting = new ConcurrentHashMap<>(); // Pending, or an early Event
  private final ConcurrentHashMap<Long, Pending> listening = new ConcurrentHashMap<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread reader;

  /**
   * Makes the queue and starts its thread.
   *
   * @param name the thread's name
   */
  public Queue(String name) {
    handle = Native.cohort_queue_new();
    reader = new Thread(null, this::read, name, 256 * 1024);
    reader.setDaemon(true);
    reader.start();
  }

  /** The handle, for the time that the instance lives. */
  public long handle() {
    return handle;
  }

  /** A tag for one operation or one listener. */
  public static long newTag() {
    return OWN | LAST.incrementAndGet();
  }

  /** The first tag of a batch of at most 2^24 gets, whose listener gets all of its events. */
  public static long newBatchTag() {
    return MANY | (LAST.incrementAndGet() & (1L << 38) - 1) << INDEX_BITS;
  }

  /** Which get of its batch an event belongs to. */
  public static int indexOf(Event event) {
    return (int) (event.tag & (1L << INDEX_BITS) - 1);
  }

  /**
   * Gives the one event with the tag to whoever waits for it. The event may have come before:
   *
   * <pre>
   * 1. begin answers PENDING       1. begin answers PENDING
   * 2. the event comes: it is put  2. await puts the waiter
   * 3. await finds the event       3. the event comes and finds the waiter
   * </pre>
   *
   * @param tag the tag that the operation was given
   * @param waiter who gets the event; on this thread, if it is there
   */
  public void await(long tag, Pending waiter) {
    if (waiting.putIfAbsent(tag, waiter) instanceof Event early) {
      waiting.remove(tag);
      waiter.deliver(early);
    }
  }

  /** Takes back {@link #await}, when the operation did not begin. */
  public void forget(long tag) {
    waiting.remove(tag);
  }

  /** Gives every event with the tag (of a batch: with one of its tags) to the listener. */
  public void listen(long tag, Pending listener) {
    listening.put(tag, listener);
  }

  /** Ends {@link #listen}. Later events are released. */
  public void unlisten(long tag) {
    listening.remove(tag);
  }

  /** Refuses new operations, ends waiting ones, and ends the thread when all events were delivered. */
  public void close() {
    Native.cohort_queue_close(handle);
    Native.cohort_queue_wake(handle);
  }

  /** Waits for the end of the thread, after {@link #close}. On that thread: does not wait. */
  public void join() throws InterruptedException {
    if (Thread.currentThread() != reader) ended.await();
  }

  /** Drops the handle, after {@link #join}. Nobody may use the queue any more. */
  void free() {
    Native.cohort_queue_free(handle);
  }

  /** How many operations wait. */
  public int waiting() {
    return waiting.size();
  }

  private void read() {
    ByteBuffer events = ByteBuffer.allocateDirect(BATCH * Event.BYTES).order(ByteOrder.nativeOrder());
    try {
      for (;;) {
        int count = (int) Native.cohort_java_wait(handle, events, BATCH, -1);
        for (int i = 0; i < count; i++) dispatch(events, i);
        if (count == 0 && Native.cohort_queue_drained(handle) == 1) return;
      }
    } finally {
      ended.countDown();
    }
  }

  private void dispatch(ByteBuffer events, int index) {
    try {
      Event event = new Event(events, index * Event.BYTES);
      switch (event.kind) {
        case Constants.COHORT_EVENT_GET, Constants.COHORT_EVENT_LEAD, Constants.COHORT_EVENT_DONE,
            Constants.COHORT_EVENT_RESPONSE -> {
          if ((event.tag & MANY) != 0) {
            tell(event, event.tag >>> INDEX_BITS << INDEX_BITS);
            return;
          }
          Object waiter = waiting.remove(event.tag);
          if (waiter == null) waiter = waiting.putIfAbsent(event.tag, event);
          if (waiter == null) return; // its caller is about to look
          waiting.remove(event.tag, waiter);
          ((Pending) waiter).deliver(event);
        }
        default -> tell(event, event.tag);
      }
    } catch (RuntimeException | Error failure) { // a defect, or no memory: the others' events must go on
      System.getLogger("io.github.cohortcache.cohort").log(System.Logger.Level.ERROR, "an event was lost", failure);
    }
  }

  private void tell(Event event, long tag) {
    Pending listener = listening.get(tag);
    if (listener == null) {
      event.release();
    } else {
      listener.deliver(event);
    }
  }
}
