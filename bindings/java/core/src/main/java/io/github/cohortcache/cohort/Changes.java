package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Errors;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Queue;
import io.github.cohortcache.cohort.internal.Signal;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongToIntFunction;

/** Puts and invalidations: each is started with a tag, and ends at once or with an event. */
final class Changes<K, V> {
  private final EngineGroup<K, V> group;

  Changes(EngineGroup<K, V> group) {
    this.group = group;
  }

  /** What starts a put. */
  LongToIntFunction put(K key, V value, long expireUnixNs, Duration timeout) {
    byte[] bytes = group.keys.encode(Objects.requireNonNull(key));
    Objects.requireNonNull(value);
    long timeoutMs = Expiry.timeoutMs(timeout);
    return tag -> group.values.with(value, expireUnixNs,
        encoded -> Native.cohort_group_begin_set(group.handle(), bytes, encoded, expireUnixNs, timeoutMs, group.queue.handle(), tag),
        held -> Native.cohort_java_begin_set_value(group.handle(), bytes, held, timeoutMs, group.queue.handle(), tag));
  }

  /** What starts an invalidation. */
  LongToIntFunction invalidate(K key, Duration timeout) {
    byte[] bytes = group.keys.encode(Objects.requireNonNull(key));
    long timeoutMs = Expiry.timeoutMs(timeout);
    return tag -> Native.cohort_group_begin_remove(group.handle(), bytes, timeoutMs, group.queue.handle(), tag);
  }

  /** What starts an invalidation of many keys. */
  LongToIntFunction invalidateAll(PackedKeys keys, Duration timeout) {
    long timeoutMs = Expiry.timeoutMs(timeout);
    return tag -> {
      Native.cohort_group_remove_keys_queue(group.handle(), keys.bytes(), keys.sizes(), timeoutMs, group.queue.handle(), tag);
      return Constants.COHORT_BEGIN_PENDING;
    };
  }

  /** Starts a change and waits for its end. An interrupt ends the wait, not the change. */
  void waitFor(LongToIntFunction change) {
    long tag = Queue.newTag();
    if (hasEnded(change, tag)) return;
    Signal signal = new Signal();
    group.queue.await(tag, signal);
    boolean interrupted = signal.await(signal::give);
    if (interrupted && signal.event() == null) throw EngineGroup.interrupted();
    if (signal.event().status != Constants.COHORT_OK) throw Errors.thrown(signal.event().exception());
  }

  /** Starts a change, which completes a future. */
  CompletableFuture<Void> later(LongToIntFunction change) {
    CompletableFuture<Void> future = new CompletableFuture<>();
    long tag = Queue.newTag();
    try {
      if (hasEnded(change, tag)) {
        future.complete(null);
        return future;
      }
    } catch (RuntimeException | Error failure) {
      future.completeExceptionally(failure);
      return future;
    }
    group.queue.await(tag, event -> group.cohort.callbacks.run(() -> {
      Throwable failure = event.exception();
      if (failure == null) {
        future.complete(null);
      } else {
        future.completeExceptionally(failure);
      }
    }));
    return future;
  }

  /** Starts a change. Whether it has ended well with that; if not, an event will come. */
  private boolean hasEnded(LongToIntFunction change, long tag) {
    try {
      return change.applyAsInt(tag) == Constants.COHORT_BEGIN_DONE;
    } finally {
      Reference.reachabilityFence(group);
    }
  }
}
