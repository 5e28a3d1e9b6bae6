package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Batch;
import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Errors;
import io.github.cohortcache.cohort.internal.Event;
import io.github.cohortcache.cohort.internal.Handles;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Queue;
import io.github.cohortcache.cohort.internal.Scratch;
import io.github.cohortcache.cohort.internal.Seat;
import io.github.cohortcache.cohort.internal.Signal;
import io.github.cohortcache.cohort.internal.Upcalls;
import java.lang.ref.Reference;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A group of the engine. One get is one call into C: a hit comes back with it; else this thread leads the load (LoadRunner),
 * or waits for an event, as a thread (Signal) or as a future.
 */
final class EngineGroup<K, V> implements Group<K, V> {
  final String name;
  final Cohort cohort;
  final Queue queue;
  final Codec<K> keys;
  final Values<V> values;
  final LoadRunner<K, V> runner; // null: no loader
  Upcalls.Evicted evicted; // null: nobody listens; kept here for C
  private final Changes<K, V> changes = new Changes<>(this);
  private final GroupBuilder<K, V> settings;
  private final long handle;
  private final int getFlags;
  private final boolean textKeys; // K is String, and keys of ASCII alone need no codec

  EngineGroup(Cohort cohort, GroupBuilder<K, V> settings) {
    this.cohort = cohort;
    this.settings = settings;
    name = settings.name;
    queue = cohort.queue;
    keys = settings.keys;
    values = new Values<>(settings.values);
    runner = settings.newRunner(this);
    textKeys = Codecs.charset(keys) != null;
    getFlags = runner != null && runner.leads() ? Constants.COHORT_GET_CAN_LEAD : 0;
    handle = settings.open(cohort, this);
    Handles.freeGroup(this, handle);
  }

  long handle() {
    return handle;
  }

  @Override
  public String name() {
    return name;
  }

  // ---- getting

  @Override
  public V get(K key) {
    return get(key, null);
  }

  @Override
  public V get(K key, Duration timeout) {
    Scratch scratch = begin(key, getFlags, timeout, true);
    return scratch.began == Constants.COHORT_BEGIN_HIT ? values.take(scratch) : finish(key, new Missed(scratch)).value();
  }

  @Override
  public Optional<V> find(K key) {
    try {
      return Optional.of(get(key));
    } catch (NotFoundException none) {
      return Optional.empty();
    }
  }

  @Override
  public Entry<V> getEntry(K key) {
    return getEntry(key, null);
  }

  @Override
  public Entry<V> getEntry(K key, Duration timeout) {
    Scratch scratch = begin(key, getFlags, timeout, true);
    return scratch.began == Constants.COHORT_BEGIN_HIT ? entry(scratch) : finish(key, new Missed(scratch));
  }

  /** Begins a get, for which this thread waits or not. What C has answered is in the scratch, which the caller gives back. */
  private Scratch begin(K key, int flags, Duration timeout, boolean waits) {
    Objects.requireNonNull(key);
    long timeoutMs = timeout == null ? 0 : Expiry.timeoutMs(timeout);
    if (textKeys) {
      Scratch scratch = Scratch.take();
      int size = scratch.putAscii((String) key);
      if (size >= 0) return begin(scratch, null, size, flags, timeoutMs, waits);
      scratch.giveBack();
    }
    return begin(keys.encode(key), flags, timeoutMs, waits);
  }

  private Scratch begin(byte[] key, int flags, long timeoutMs, boolean waits) {
    Scratch scratch = Scratch.take();
    return begin(scratch, key, key.length <= Scratch.KEY_BYTES ? scratch.put(key) : -1, flags, timeoutMs, waits);
  }

  /** keySize: of a key that is in the scratch; -1: the key does not fit there. */
  private Scratch begin(Scratch scratch, byte[] key, int keySize, int flags, long timeoutMs, boolean waits) {
    try {
      scratch.begin(handle, key, keySize, flags, timeoutMs, waits ? scratch.seat() : null, queue.handle());
    } finally {
      Reference.reachabilityFence(scratch);
      Reference.reachabilityFence(this);
    }
    return scratch;
  }

  /** Adds a key to a batch. */
  void add(Batch batch, K key) {
    if (!textKeys || !batch.addAscii((String) key)) batch.add(keys.encode(key));
  }

  private Entry<V> entry(Scratch hit) {
    long expireUnixNs = hit.expireUnixNs();
    int source = hit.source();
    return Entry.of(values.take(hit), expireUnixNs, source);
  }

  /** What begin answered to a get that has not hit. key: null if the codec is one that came with Cohort. */
  private record Missed(int began, byte[] key, long load, long ticket, long tag, Seat seat) {
    /** Gives the scratch back. */
    Missed(Scratch scratch) {
      this(scratch.began, scratch.key, scratch.load(), scratch.ticket(), scratch.tag(), scratch.seated());
      scratch.giveBack();
    }
  }

  private byte[] keyOf(Missed missed, K key) {
    return missed.key != null ? missed.key : keys.encode(key);
  }

  /** Brings a get that has not hit to its end, on this thread. */
  private Entry<V> finish(K key, Missed missed) {
    byte[] bytes = keyOf(missed, key);
    if (missed.began == Constants.COHORT_BEGIN_LEAD) return runner.lead(missed.load, key, bytes);
    boolean deadlock = LoadScope.loads(this, bytes);
    if (deadlock) cancel(missed.ticket);
    Event event = await(missed);
    boolean interrupted = Thread.currentThread().isInterrupted();
    if (event.kind == Constants.COHORT_EVENT_LEAD) {
      if (!interrupted) return runner.lead(event.load, key, bytes);
      event.release(); // the next one that can lead does
      throw interrupted();
    }
    if (event.status == Constants.COHORT_CANCELLED) throw deadlock ? wouldDeadlock() : interrupted();
    return entry(event);
  }

  /** Waits for what is pending. An interrupt ends it. */
  private Event await(Missed missed) {
    if (missed.seat != null) {
      try {
        return missed.seat.await(handle, missed.ticket, missed.tag);
      } finally {
        Reference.reachabilityFence(this);
      }
    }
    Signal signal = new Signal();
    queue.await(missed.tag, signal);
    signal.await(() -> cancel(missed.ticket));
    return signal.event();
  }

  /** The entry that an event brings, or its failure, thrown. */
  private Entry<V> entry(Event event) {
    if (event.status != Constants.COHORT_OK) throw Errors.thrown(event.exception());
    return Entry.of(values.take(event.value), event.expireUnixNs, event.source);
  }

  private void cancel(long ticket) {
    Native.cohort_group_cancel(handle, ticket);
    Reference.reachabilityFence(this);
  }

  CohortException wouldDeadlock() {
    return new CohortException(Status.WOULD_DEADLOCK, "the loader of group '" + name + "' asked for the key it is loading");
  }

  static CohortException interrupted() {
    return new CohortException(Status.CANCELLED, "the thread was interrupted while it waited");
  }

  @Override
  public CompletableFuture<V> getAsync(K key) {
    return getAsync(key, null);
  }

  @Override
  public CompletableFuture<V> getAsync(K key, Duration timeout) {
    Objects.requireNonNull(key);
    CompletableFuture<V> future = new CompletableFuture<>();
    try {
      Scratch scratch = begin(key, 0, timeout, false);
      if (scratch.began == Constants.COHORT_BEGIN_HIT) {
        future.complete(values.take(scratch));
      } else {
        Missed missed = new Missed(scratch);
        if (LoadScope.any() && LoadScope.loads(this, keyOf(missed, key))) future.completeExceptionally(wouldDeadlock());
        finishLater(future, missed);
      }
    } catch (RuntimeException | Error failure) {
      future.completeExceptionally(failure);
    }
    return future;
  }

  private void finishLater(CompletableFuture<V> future, Missed missed) {
    AtomicBoolean came = new AtomicBoolean();
    queue.await(missed.tag, event -> {
      came.set(true);
      cohort.callbacks.run(() -> {
        if (future.isDone()) {
          event.release(); // the caller had enough
        } else if (event.status != Constants.COHORT_OK) {
          future.completeExceptionally(event.exception());
        } else {
          Callbacks.settle(future, () -> values.take(event.value));
        }
      });
    });
    future.whenComplete((value, failure) -> { // whoever completes it before does not wait any more
      if (!came.get()) cancel(missed.ticket);
    });
  }

  @Override
  public Map<K, V> getAll(Iterable<? extends K> wanted) {
    return GetMany.values(this, wanted).await(null);
  }

  @Override
  public Map<K, Result<V>> getResults(Iterable<? extends K> wanted, Duration timeout) {
    return GetMany.results(this, wanted).await(timeout);
  }

  @Override
  public CompletableFuture<Map<K, Result<V>>> getResultsAsync(Iterable<? extends K> wanted, Duration timeout) {
    CompletableFuture<Map<K, Result<V>>> future = new CompletableFuture<>();
    try {
      GetMany<K, V, Result<V>> many = GetMany.results(this, wanted);
      many.begin(timeout, () -> cohort.callbacks.complete(future, many::found));
      future.whenComplete((results, failure) -> {
        if (future.isCompletedExceptionally()) many.cancel();
      });
    } catch (RuntimeException | Error failure) {
      future.completeExceptionally(failure);
    }
    return future;
  }

  @Override
  public Optional<V> peek(K key) {
    Scratch hit = peeked(key);
    return hit == null ? Optional.empty() : Optional.of(values.take(hit));
  }

  @Override
  public Optional<Entry<V>> peekEntry(K key) {
    Scratch hit = peeked(key);
    return hit == null ? Optional.empty() : Optional.of(entry(hit));
  }

  /** What a cache of this member has; null: nothing. */
  private Scratch peeked(K key) {
    Scratch scratch;
    try {
      scratch = begin(key, Constants.COHORT_GET_PEEK, null, false);
    } catch (CohortClosedException closed) {
      return null;
    }
    if (scratch.began == Constants.COHORT_BEGIN_HIT) return scratch;
    scratch.giveBack();
    return null;
  }

  // ---- changing

  @Override
  public void put(K key, V value) {
    changes.waitFor(changes.put(key, value, settings.expiry(key, Objects.requireNonNull(value)), null));
  }

  @Override
  public void put(K key, V value, Duration timeToLive) {
    changes.waitFor(changes.put(key, value, Expiry.unixNs(timeToLive), null));
  }

  @Override
  public void put(K key, V value, Instant expiresAt, Duration timeout) {
    changes.waitFor(changes.put(key, value, Expiry.unixNs(expiresAt), timeout));
  }

  @Override
  public CompletableFuture<Void> putAsync(K key, V value) {
    return changes.later(changes.put(key, value, settings.expiry(key, Objects.requireNonNull(value)), null));
  }

  @Override
  public CompletableFuture<Void> putAsync(K key, V value, Instant expiresAt, Duration timeout) {
    return changes.later(changes.put(key, value, Expiry.unixNs(expiresAt), timeout));
  }

  @Override
  public void invalidate(K key, Duration timeout) {
    changes.waitFor(changes.invalidate(key, timeout));
  }

  @Override
  public CompletableFuture<Void> invalidateAsync(K key, Duration timeout) {
    return changes.later(changes.invalidate(key, timeout));
  }

  @Override
  public void invalidateAll(Iterable<? extends K> wanted, Duration timeout) {
    PackedKeys packed = PackedKeys.of(keys, wanted);
    if (packed.count() > 0) changes.waitFor(changes.invalidateAll(packed, timeout));
  }

  @Override
  public CompletableFuture<Void> invalidateAllAsync(Iterable<? extends K> wanted, Duration timeout) {
    PackedKeys packed = PackedKeys.of(keys, wanted);
    if (packed.count() == 0) return CompletableFuture.completedFuture(null);
    return changes.later(changes.invalidateAll(packed, timeout));
  }

  // ---- for peers of custom transports

  /** What a peer's call does here. */
  CompletableFuture<PeerAnswer> answer(PeerCall call) {
    if (call.operation() == PeerCall.Operation.GET) return answerGet(call.keys().get(0), call.timeLeft());
    for (byte[] key : call.keys()) {
      if (call.operation() == PeerCall.Operation.SET) {
        Native.cohort_group_local_set(handle, key, call.value(), Expiry.unixNs(call.expiresAt().orElse(null)));
      } else {
        Native.cohort_group_local_remove(handle, key);
      }
    }
    Reference.reachabilityFence(this);
    return CompletableFuture.completedFuture(PeerAnswer.DONE);
  }

  private CompletableFuture<PeerAnswer> answerGet(byte[] key, Duration timeLeft) {
    CompletableFuture<PeerAnswer> future = new CompletableFuture<>();
    Scratch scratch = begin(key, Constants.COHORT_GET_LOCAL, Expiry.timeoutMs(timeLeft), false);
    if (scratch.began == Constants.COHORT_BEGIN_HIT) {
      Optional<Instant> expiresAt = Expiry.instant(scratch.expireUnixNs());
      future.complete(new PeerAnswer(Values.bytes(scratch), expiresAt));
      return future;
    }
    Missed missed = new Missed(scratch);
    queue.await(missed.tag, event -> cohort.callbacks.run(() -> {
      if (event.status != Constants.COHORT_OK) {
        future.completeExceptionally(forPeer(event));
      } else {
        // A change has overtaken the load: the peer must not keep the value.
        boolean overtaken = (event.flags & Constants.COHORT_EVENT_OVERTAKEN) != 0;
        byte[] bytes = Native.cohort_java_take(event.value);
        future.complete(new PeerAnswer(bytes, Expiry.instant(overtaken ? 1 : event.expireUnixNs)));
      }
    }));
    return future;
  }

  /** A loader's failure as its peer sees it. */
  private static Throwable forPeer(Event event) {
    Throwable failure = event.exception();
    if (event.status != Constants.COHORT_LOAD_FAILED || failure instanceof CohortLoadException) return failure;
    CohortLoadException remote = new CohortLoadException(failure.getMessage() == null ? failure.toString() : failure.getMessage());
    remote.initCause(failure);
    return remote;
  }

  // ---- the rest

  @Override
  public GroupStats stats() {
    try {
      return GroupStats.of(handle);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  @Override
  public void resetCache(long bytes) {
    Native.cohort_group_reset_cache(handle, bytes);
    Reference.reachabilityFence(this);
  }

  /** Frees what the caches hold, when the instance has shut down. */
  void forgetValues() {
    try {
      Native.cohort_group_reset_cache(handle, 0);
    } catch (CohortException alreadyGone) {
      // Nothing is left to forget.
    }
    Reference.reachabilityFence(this);
  }

  long expiry(K key, V value) {
    return settings.expiry(key, value);
  }

  @Override
  public String toString() {
    return "Group[" + name + "]";
  }
}
