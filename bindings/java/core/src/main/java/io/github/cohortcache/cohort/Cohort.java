package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Handles;
import io.github.cohortcache.cohort.internal.LoaderPool;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.NativeLibrary;
import io.github.cohortcache.cohort.internal.Queue;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/**
 * One member of a cluster: an in-process, read-through cache that shares its values with its peers. Made by
 * {@link #builder}; local only until {@link #setPeers}. All threads may use it at once.
 *
 * <p><b>Lifetime.</b> {@link #close} ends it at once. One that was forgotten is ended by the garbage collector, unless it
 * listens: then it lives until it is closed. Whatever is called after that throws a {@link CohortClosedException}.
 *
 * <p><b>Threads.</b> One daemon thread of each instance takes the engine's events. The program's code never runs on it:
 * loaders run on callers' threads or on {@link CohortBuilder#executor}, futures are completed and loggers called on
 * {@link CohortBuilder#callbackExecutor}.
 */
public final class Cohort implements AutoCloseable {
  private static final Duration GRACE = Duration.ofSeconds(5);
  /** Those that listen. */
  private static final Set<Cohort> LISTENING = ConcurrentHashMap.newKeySet();

  final Queue queue;
  final Executor executor;
  final Callbacks callbacks;
  private final String name;
  private final long instance;
  private final ConcurrentHashMap<String, EngineGroup<?, ?>> groups = new ConcurrentHashMap<>();
  /** The program's own objects that C and the queue reach, but do not keep: they may hold this instance in turn. */
  private final List<Object> kept = new ArrayList<>();
  private final Object closing = new Object();
  private boolean closed;

  Cohort(CohortBuilder settings) {
    NativeLibrary.require();
    name = settings.name;
    executor = settings.executor != null ? settings.executor : LoaderPool.newDefault(name);
    callbacks = new Callbacks(settings.callbackExecutor != null ? settings.callbackExecutor
        : new CompletableFuture<Void>().defaultExecutor());
    queue = new Queue(name + "-events");
    long made;
    try {
      made = settings.open(this);
    } catch (RuntimeException | Error failure) {
      queue.close();
      throw failure;
    }
    instance = made;
    Handles.freeInstance(this, instance, queue);
  }

  /**
   * Begins to say how an instance is made.
   *
   * @return a builder with every default
   */
  public static CohortBuilder builder() {
    return new CohortBuilder();
  }

  /**
   * The version of the library that is loaded.
   *
   * @return such as "0.1.0"
   */
  public static String libraryVersion() {
    NativeLibrary.require();
    return Native.cohort_version();
  }

  /**
   * The name of this instance in logs and of its threads.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  long instance() {
    return instance;
  }

  /** Keeps an object for as long as this instance. Only while it is made. */
  <T> T keep(T object) {
    kept.add(object);
    return object;
  }

  // ---- peers

  /**
   * Starts to serve peers. When this returns, they can connect.
   *
   * @param address "host:port"; port 0 picks a free one
   */
  public void listen(String address) {
    Native.cohort_instance_listen(instance, utf8(address));
    LISTENING.add(this);
  }

  /**
   * Stops to serve peers: the port is free when this returns. All else goes on, and {@link #listen} may follow.
   *
   * @param grace how long requests under way may take to end; null: not at all
   */
  public void stopListening(Duration grace) {
    Native.cohort_instance_stop_listening(instance, Expiry.timeoutMs(grace));
    LISTENING.remove(this);
  }

  /**
   * The address that is listened on, with its port.
   *
   * @return such as "127.0.0.1:8080"; empty if none
   */
  public Optional<String> address() {
    return text(Native.cohort_instance_listen_address(instance));
  }

  /**
   * Replaces the set of peers, at any time; this member listens on one of the addresses.
   *
   * @param addresses every member's "host:port", byte for byte the same on every member; none: local only
   */
  public void setPeers(Collection<String> addresses) {
    setPeers(addresses, addresses.isEmpty() ? "" : address().orElseThrow(
        () -> new IllegalStateException("this member does not listen: say which of the addresses is its own")));
  }

  /**
   * Replaces the set of peers, at any time. Gets that are under way end as they began.
   *
   * @param addresses every member's "host:port", this one's included, byte for byte the same on every member; none: local
   *     only
   * @param self which of them is this member's own
   */
  public void setPeers(Collection<String> addresses, String self) {
    Native.cohort_instance_set_peers(instance, utf8(String.join("\n", addresses)), utf8(self));
    Reference.reachabilityFence(this);
  }

  /**
   * Which member owns a key, by this member's ring.
   *
   * @param key the key, in UTF-8
   * @return its address; empty while local only
   */
  public Optional<String> owner(String key) {
    return owner(utf8(key));
  }

  /**
   * Which member owns a key, by this member's ring.
   *
   * @param key the bytes of the key
   * @return its address; empty while local only
   */
  public Optional<String> owner(byte[] key) {
    return text(Native.cohort_instance_owner(instance, Objects.requireNonNull(key)));
  }

  private Optional<String> text(long value) {
    String text = new String(Native.cohort_java_take(value), StandardCharsets.UTF_8);
    Reference.reachabilityFence(this);
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  // ---- groups

  /**
   * Begins to say how a group with text as keys is made.
   *
   * @param name 1 to 255 bytes, no '/'; the same on every member
   * @param values how values are turned into bytes
   * @param <V> the type of values
   * @return a builder
   */
  public <V> GroupBuilder<String, V> group(String name, Codec<V> values) {
    return group(name, Codec.utf8(), values);
  }

  /**
   * Begins to say how a group is made.
   *
   * @param name 1 to 255 bytes, no '/'; the same on every member
   * @param keys how keys are turned into bytes
   * @param values how values are turned into bytes
   * @param <K> the type of keys
   * @param <V> the type of values
   * @return a builder
   */
  public <K, V> GroupBuilder<K, V> group(String name, Codec<K> keys, Codec<V> values) {
    return new GroupBuilder<>(this, name, keys, values);
  }

  /** Keeps a group for as long as this instance, or until it is removed. */
  void add(EngineGroup<?, ?> group) {
    groups.put(group.name, group);
  }

  /**
   * Takes a group out of this member and closes it: peers are told that it is not there, and gets that wait in it end with
   * a {@link CohortClosedException}. Nothing happens if there is none of that name.
   *
   * @param group the name
   */
  public void removeGroup(String group) {
    EngineGroup<?, ?> removed = groups.remove(group);
    if (removed == null) return;
    Native.cohort_instance_remove_group(instance, utf8(group));
    Reference.reachabilityFence(this);
  }

  // ---- serving peers by the application's own means

  /**
   * Handles a request of a peer that has come to a server of the application; see {@link CohortHttpHandler} for the JDK's.
   *
   * @param request the request
   * @param timeout how long the server will wait; null: as long as the peer does
   * @return the response
   */
  public CompletableFuture<PeerResponse> handle(PeerRequest request, Duration timeout) {
    CompletableFuture<PeerResponse> future = new CompletableFuture<>();
    long tag = Queue.newTag();
    queue.await(tag, event -> callbacks.run(() -> {
      if (event.response == 0) {
        Throwable failure = event.exception();
        future.completeExceptionally(failure != null ? failure : new CohortClosedException("the instance is closed"));
      } else {
        Callbacks.settle(future, () -> response(event.response));
      }
    }));
    try {
      Native.cohort_instance_handle_request(instance, utf8(request.method()), utf8(request.target()),
          Headers.lines(request.headers()), request.body(), Expiry.timeoutMs(timeout), queue.handle(), tag);
    } catch (RuntimeException | Error failure) {
      queue.forget(tag);
      future.completeExceptionally(failure);
    }
    Reference.reachabilityFence(this);
    return future;
  }

  private static PeerResponse response(long handle) {
    try {
      long[] status = new long[1];
      Object[] parts = Native.cohort_java_response(handle, status);
      return new PeerResponse((int) status[0], Headers.map((byte[]) parts[0]), (byte[]) parts[1]);
    } finally {
      Native.cohort_response_free(handle);
    }
  }

  /**
   * Does what a peer asks by a transport of the application's own; see {@link Transport#calls}.
   *
   * @param call the call
   * @return the answer. Failed with a {@link NotFoundException} or {@link CohortLoadException} it is this member's last
   *     word; failed otherwise, the peer should load for itself
   */
  public CompletableFuture<PeerAnswer> answer(PeerCall call) {
    EngineGroup<?, ?> group = groups.get(call.group());
    if (group == null) {
      return CompletableFuture.failedFuture(new CohortUnreachableException("there is no group '" + call.group() + "' here"));
    }
    try {
      return group.answer(call);
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  // ---- the end

  /** Closes with a grace of 5 seconds: see {@link #close(Duration)}. */
  @Override
  public void close() {
    close(GRACE);
  }

  /**
   * Stops to listen, refuses new work, gives what is under way some time to end, fails the rest with a
   * {@link CohortClosedException}, and ends every thread. Idempotent. A loader that is still running then runs on; what it
   * returns is ignored.
   *
   * @param grace the time; null or zero: none
   */
  public void close(Duration grace) {
    synchronized (closing) {
      if (closed) return;
      Native.cohort_instance_shutdown(instance, grace == null || grace.isZero() ? 0 : Expiry.timeoutMs(grace));
      closed = true;
      for (EngineGroup<?, ?> group : groups.values()) group.forgetValues();
      LISTENING.remove(this);
      queue.close();
      try {
        queue.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // the thread ends soon
      }
      if (executor instanceof LoaderPool pool) pool.shutdown();
    }
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public String toString() {
    return "Cohort[" + name + "]";
  }
}
