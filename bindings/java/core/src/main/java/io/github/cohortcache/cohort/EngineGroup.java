package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Errors;
import io.github.cohortcache.cohort.internal.Event;
import io.github.cohortcache.cohort.internal.Handles;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Queue;
import io.github.cohortcache.cohort.internal.Signal;
import java.lang.ref.Reference;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
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
  // Indices of what begin answers; see cohort_java_begin in bindings/swig/java.i.
  private static final int BEGAN = 0;
  private static final int EXPIRE = 1;
  private static final int SOURCE = 2;
  private static final int LOAD = 3;
  private static final int TICKET = 4;
  private static final int TAG = 5;
  private static final int VALUE = 6;
  private static final int ANSWERS = 7;

  final String name;
  final Cohort cohort;
  final Queue queue;
  final Codec<K> keys;
  final Values<V> values;
  final LoadRunner<K, V> runner; // null: no loader
  private final Changes<K, V> changes = new Changes<>(this);
  private final GroupBuilder<K, V> settings;
  private final long handle;
  private final int getFlags;

  EngineGroup(Cohort cohort, GroupBuilder<K, V> settings) {
    this.cohort = cohort;
    this.settings = settings;
    name = settings.name;
    queue = cohort.queue;
    keys = settings.keys;
    values = new Values<>(settings.values);
    runner = settings.newRunner(this);
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
    byte[] bytes = keys.encode(Objects.requireNonNull(key));
    long[] answer = new long[ANSWERS];
    byte[] hit = begin(bytes, getFlags, timeout, answer);
    return hit != null ? values.decode(hit) : finish(key, bytes, answer).value();
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
    byte[] bytes = keys.encode(Objects.requireNonNull(key));
    long[] answer = new long[ANSWERS];
    byte[] hit = begin(bytes, getFlags, timeout, answer);
    return hit != null ? entry(hit, answer) : finish(key, bytes, answer);
  }

  private byte[] begin(byte[] key, int flags, Duration timeout, long[] answer) {
    try {
      return Native.cohort_java_begin(handle, key, flags, timeout == null ? 0 : Expiry.timeoutMs(timeout), queue.handle(),
          values.largestCopy(), answer);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  private Entry<V> entry(byte[] hit, long[] answer) {
    return Entry.of(values.decode(hit), answer[EXPIRE], (int) answer[SOURCE]);
  }

  /** Brings a get that has not hit small to its end, on this thread. */
  private Entry<V> finish(K key, byte[] bytes, long[] answer) {
    if (answer[BEGAN] == Constants.COHORT_BEGIN_HIT) {
      return Entry.of(values.take(answer[VALUE]), answer[EXPIRE], (int) answer[SOURCE]);
    }
    if (answer[BEGAN] == Constants.COHORT_BEGIN_LEAD) return runner.lead(answer[LOAD], key, bytes);
    Signal signal = new Signal();
    queue.await(answer[TAG], signal);
    boolean deadlock = LoadScope.loads(this, bytes);
    if (deadlock) cancel(answer[TICKET]);
    boolean interrupted = signal.await(() -> cancel(answer[TICKET]));
    Event event = signal.event();
    if (event.kind == Constants.COHORT_EVENT_LEAD) {
      if (!interrupted) return runner.lead(event.load, key, bytes);
      event.release(); // the next one that can lead does
      throw interrupted();
    }
    if (event.status == Constants.COHORT_CANCELLED) throw deadlock ? wouldDeadlock() : interrupted();
    return entry(event);
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
      byte[] bytes = keys.encode(key);
      long[] answer = new long[ANSWERS];
      byte[] hit = begin(bytes, 0, timeout, answer);
      if (hit != null) {
        future.complete(values.decode(hit));
      } else if (answer[BEGAN] == Constants.COHORT_BEGIN_HIT) {
        future.complete(values.take(answer[VALUE]));
      } else {
        if (LoadScope.loads(this, bytes)) future.completeExceptionally(wouldDeadlock());
        finishLater(future, answer);
      }
    } catch (RuntimeException | Error failure) {
      future.completeExceptionally(failure);
    }
    return future;
  }

  private void finishLater(CompletableFuture<V> future, long[] answer) {
    AtomicBoolean came = new AtomicBoolean();
    queue.await(answer[TAG], event -> {
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
      if (!came.get()) cancel(answer[TICKET]);
    });
  }

  @Override
  public Map<K, V> getAll(Iterable<? extends K> wanted) {
    Map<K, V> found = new LinkedHashMap<>();
    getResults(wanted, null).forEach((key, result) -> {
      if (!result.isNotFound()) found.put(key, result.value());
    });
    return found;
  }

  @Override
  public Map<K, Result<V>> getResults(Iterable<? extends K> wanted, Duration timeout) {
    Signal signal = new Signal();
    GetMany<K, V> many = new GetMany<>(this, wanted);
    many.begin(timeout, signal::give);
    signal.await(many::cancel);
    return many.results();
  }

  @Override
  public CompletableFuture<Map<K, Result<V>>> getResultsAsync(Iterable<? extends K> wanted, Duration timeout) {
    CompletableFuture<Map<K, Result<V>>> future = new CompletableFuture<>();
    try {
      GetMany<K, V> many = new GetMany<>(this, wanted);
      many.begin(timeout, () -> cohort.callbacks.complete(future, many::results));
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
    return peekEntry(key).map(Entry::value);
  }

  @Override
  public Optional<Entry<V>> peekEntry(K key) {
    long[] answer = new long[ANSWERS];
    byte[] hit;
    try {
      hit = begin(keys.encode(Objects.requireNonNull(key)), Constants.COHORT_GET_PEEK, null, answer);
    } catch (CohortClosedException closed) {
      return Optional.empty();
    }
    if (hit != null) return Optional.of(entry(hit, answer));
    if (answer[BEGAN] == Constants.COHORT_BEGIN_MISS) return Optional.empty();
    return Optional.of(Entry.of(values.take(answer[VALUE]), answer[EXPIRE], (int) answer[SOURCE]));
  }

  // ---- changing

  @Override
  public void put(K key, V value) {
    changes.waitFor(changes.put(key, value, settings.expiry(key, Objects.requireNonNull(value))));
  }

  @Override
  public void put(K key, V value, Duration timeToLive) {
    changes.waitFor(changes.put(key, value, Expiry.unixNs(timeToLive)));
  }

  @Override
  public void put(K key, V value, Instant expiresAt) {
    changes.waitFor(changes.put(key, value, Expiry.unixNs(expiresAt)));
  }

  @Override
  public CompletableFuture<Void> putAsync(K key, V value) {
    return changes.later(changes.put(key, value, settings.expiry(key, Objects.requireNonNull(value))));
  }

  @Override
  public CompletableFuture<Void> putAsync(K key, V value, Instant expiresAt) {
    return changes.later(changes.put(key, value, Expiry.unixNs(expiresAt)));
  }

  @Override
  public void invalidate(K key) {
    changes.waitFor(changes.invalidate(key));
  }

  @Override
  public CompletableFuture<Void> invalidateAsync(K key) {
    return changes.later(changes.invalidate(key));
  }

  @Override
  public void invalidateAll(Iterable<? extends K> wanted) {
    PackedKeys packed = PackedKeys.of(keys, wanted);
    if (packed.count() > 0) changes.waitFor(changes.invalidateAll(packed));
  }

  @Override
  public CompletableFuture<Void> invalidateAllAsync(Iterable<? extends K> wanted) {
    PackedKeys packed = PackedKeys.of(keys, wanted);
    return packed.count() == 0 ? CompletableFuture.completedFuture(null) : changes.later(changes.invalidateAll(packed));
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
    long[] answer = new long[ANSWERS];
    byte[] hit = Native.cohort_java_begin(handle, key, Constants.COHORT_GET_LOCAL, Expiry.timeoutMs(timeLeft), queue.handle(),
        Long.MAX_VALUE, answer);
    if (hit != null) {
      future.complete(new PeerAnswer(hit, Expiry.instant(answer[EXPIRE])));
      return future;
    }
    queue.await(answer[TAG], event -> cohort.callbacks.run(() -> {
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
