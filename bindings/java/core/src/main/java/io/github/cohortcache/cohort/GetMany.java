package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Event;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Queue;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** Many gets that begin in one call: hits come back with it, each other one by an event. */
final class GetMany<K, V> {
  private static final int ANSWERS = 4; // value, expire, source, ticket; see cohort_java_begin_many
  private static final long NOT_COUNTED = 1L << 40;

  private final EngineGroup<K, V> group;
  private final List<K> keys;
  private final Event[] events;
  private final long[] answers;
  private final long firstTag = Queue.newBatchTag();
  private final AtomicLong missing = new AtomicLong(NOT_COUNTED);
  private Runnable done;

  GetMany(EngineGroup<K, V> group, Iterable<? extends K> wanted) {
    this.group = group;
    LinkedHashSet<K> distinct = new LinkedHashSet<>();
    for (K key : wanted) distinct.add(key);
    keys = new ArrayList<>(distinct);
    events = new Event[keys.size()];
    answers = new long[keys.size() * ANSWERS];
  }

  /** Begins. whenDone runs once, here or on the queue's thread, when {@link #results} may be called. */
  void begin(Duration timeout, Runnable whenDone) {
    done = whenDone;
    if (LoadScope.any() && keys.stream().anyMatch(key -> LoadScope.loads(group, group.keys.encode(key)))) {
      throw group.wouldDeadlock();
    }
    PackedKeys packed = PackedKeys.of(group.keys, keys);
    Queue queue = group.queue;
    queue.listen(firstTag, this::deliver);
    long hits = -1;
    try {
      hits = keys.isEmpty() ? 0 : Native.cohort_java_begin_many(group.handle(), packed.bytes(), packed.sizes(), 0,
          Expiry.timeoutMs(timeout), queue.handle(), firstTag, answers);
    } finally {
      if (hits < 0) queue.unlisten(firstTag);
      Reference.reachabilityFence(group);
    }
    count(keys.size() - hits - NOT_COUNTED);
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
    for (int i = 0; i < keys.size(); i++) {
      long ticket = answers[i * ANSWERS + 3];
      if (ticket != 0) Native.cohort_group_cancel(group.handle(), ticket);
    }
    Reference.reachabilityFence(group);
  }

  Map<K, Result<V>> results() {
    Map<K, Result<V>> results = new LinkedHashMap<>();
    for (int i = 0; i < keys.size(); i++) results.put(keys.get(i), result(i));
    return results;
  }

  private Result<V> result(int i) {
    Event event = events[i];
    try {
      if (event == null) {
        V value = group.values.take(answers[i * ANSWERS]);
        return Result.of(Entry.of(value, answers[i * ANSWERS + 1], (int) answers[i * ANSWERS + 2]));
      }
      if (event.status != Constants.COHORT_OK) return Result.failed(event.exception());
      return Result.of(Entry.of(group.values.take(event.value), event.expireUnixNs, event.source));
    } catch (RuntimeException | Error failure) { // the codec's
      return Result.failed(failure);
    }
  }
}
