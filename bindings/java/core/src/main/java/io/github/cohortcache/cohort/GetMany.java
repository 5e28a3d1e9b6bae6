package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Batch;
import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Errors;
import io.github.cohortcache.cohort.internal.Event;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Queue;
import io.github.cohortcache.cohort.internal.Seat;
import io.github.cohortcache.cohort.internal.Signal;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Many gets that begin in one call: hits come back with it, each other one by an event. The map that the caller will be given is
 * made at once, with its keys; what they get is filled in.
 *
 * @param <R> what each key gets
 */
abstract class GetMany<K, V, R> {
  private static final long NOT_COUNTED = 1L << 40;

  final EngineGroup<K, V> group;
  private final Found<K, R> found;
  private final int count;
  private final long firstTag = Queue.newBatchTag();
  private Event[] events; // null: the caller waits in its seat
  private AtomicLong missing;
  private long[] tickets;
  private Runnable done;

  private GetMany(EngineGroup<K, V> group, Iterable<? extends K> wanted) {
    this.group = group;
    int size = wanted instanceof Collection<?> counted ? counted.size() : 16;
    found = new Found<>(size);
    for (K key : wanted) found.add(key);
    count = found.size();
  }

  /** What a hit gets. */
  abstract R hit(Batch batch, int i);

  /** What a value gets that came with an event. */
  abstract R ended(Event event);

  /** What a failure gets; null: nothing yet. */
  abstract R failed(Throwable failure);

  /** Begins, and waits on this thread. An interrupt ends the waits. */
  Map<K, R> await(Duration timeout) {
    Seat seat = Seat.take();
    if (seat != null) {
      awaitIn(seat, timeout);
    } else {
      Signal signal = new Signal();
      begin(timeout, signal::give);
      signal.await(this::cancel);
    }
    return found();
  }

  private void awaitIn(Seat seat, Duration timeout) {
    if (count == 0) return;
    Batch batch = packed();
    try {
      seat.getAll(group.handle(), batch, count, firstTag, Expiry.timeoutMs(timeout), this::fail);
    } finally {
      Reference.reachabilityFence(group);
    }
    take(batch);
    batch.giveBack();
  }

  private void fail(Event event) {
    found.set(Queue.indexOf(event), failed(event.exception()));
  }

  /** Begins. whenDone runs once, here or on the queue's thread, when {@link #found} may be called, once. */
  void begin(Duration timeout, Runnable whenDone) {
    done = whenDone;
    Batch batch = packed();
    events = new Event[count];
    missing = new AtomicLong(NOT_COUNTED);
    tickets = new long[count];
    Queue queue = group.queue;
    queue.listen(firstTag, this::deliver);
    long hits = -1;
    try {
      hits = count == 0 ? 0 : batch.begin(group.handle(), Expiry.timeoutMs(timeout), queue.handle(), firstTag);
    } finally {
      if (hits < 0) queue.unlisten(firstTag);
      Reference.reachabilityFence(group);
    }
    take(batch);
    batch.giveBack();
    count(count - hits - NOT_COUNTED);
  }

  /** The keys, for one call. */
  private Batch packed() {
    if (LoadScope.any() && loadsOne()) throw group.wouldDeadlock();
    Batch batch = Batch.take(count);
    for (int i = 0; i < count; i++) group.add(batch, found.key(i));
    return batch;
  }

  /** Fills in what has hit, and notes the tickets of the others. */
  private void take(Batch batch) {
    for (int i = 0; i < count; i++) {
      if (batch.hit(i)) {
        try {
          found.set(i, hit(batch, i));
        } catch (RuntimeException | Error failure) { // the codec's
          found.set(i, failed(failure));
        }
      } else if (tickets != null) {
        tickets[i] = batch.ticket(i);
      }
    }
  }

  private void deliver(Event event) {
    events[Queue.indexOf(event)] = event;
    count(-1);
  }

  private void count(long change) {
    if (missing.addAndGet(change) != 0) return;
    group.queue.unlisten(firstTag);
    done.run();
  }

  /** Ends every wait that has not ended. */
  void cancel() {
    for (long ticket : tickets) {
      if (ticket != 0) Native.cohort_group_cancel(group.handle(), ticket);
    }
    Reference.reachabilityFence(group);
  }

  /** What the keys got, in their order. */
  Map<K, R> found() {
    for (int i = 0; events != null && i < count; i++) {
      if (events[i] != null) found.set(i, of(events[i]));
    }
    return found;
  }

  /** Takes out the keys that got nothing. */
  void compact() {
    found.compact();
  }

  /** Whether a loader on this thread, which asks for them, is loading one of the keys. */
  private boolean loadsOne() {
    for (int i = 0; i < count; i++) {
      if (LoadScope.loads(group, group.keys.encode(found.key(i)))) return true;
    }
    return false;
  }

  private R of(Event event) {
    if (event.status != Constants.COHORT_OK) return failed(event.exception());
    try {
      return ended(event);
    } catch (RuntimeException | Error failure) { // the codec's
      return failed(failure);
    }
  }

  // ---- the two kinds

  /** Gets values: keys that do not exist are left out, and the first other failure is thrown. */
  static <K, V> GetMany<K, V, V> values(EngineGroup<K, V> group, Iterable<? extends K> wanted) {
    return new GetMany<>(group, wanted) {
      private Throwable failure;
      private boolean holes;

      @Override
      V hit(Batch batch, int i) {
        return group.values.take(batch, i);
      }

      @Override
      V ended(Event event) {
        return group.values.take(event.value);
      }

      @Override
      V failed(Throwable why) {
        holes = true;
        if (failure == null && !(why instanceof NotFoundException)) failure = why;
        return null;
      }

      @Override
      Map<K, V> found() {
        Map<K, V> found = super.found();
        if (failure != null) throw Errors.thrown(failure);
        if (holes) compact();
        return found;
      }
    };
  }

  /** Gets a result for each key. */
  static <K, V> GetMany<K, V, Result<V>> results(EngineGroup<K, V> group, Iterable<? extends K> wanted) {
    return new GetMany<>(group, wanted) {
      @Override
      Result<V> hit(Batch batch, int i) {
        return Result.of(Entry.of(group.values.take(batch, i), batch.expireUnixNs(i), batch.source(i)));
      }

      @Override
      Result<V> ended(Event event) {
        return Result.of(Entry.of(group.values.take(event.value), event.expireUnixNs, event.source));
      }

      @Override
      Result<V> failed(Throwable why) {
        return Result.failed(why);
      }
    };
  }
}
