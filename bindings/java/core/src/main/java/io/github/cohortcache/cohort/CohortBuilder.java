package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.NativeLibrary;
import io.github.cohortcache.cohort.internal.Pending;
import io.github.cohortcache.cohort.internal.Queue;
import io.github.cohortcache.cohort.internal.Upcalls;
import java.lang.ref.WeakReference;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.ToLongFunction;

/** Says how an instance is made. From {@link Cohort#builder}; one thread at a time. */
public final class CohortBuilder {
  String name = "cohort";
  Executor executor;
  Executor callbackExecutor;
  private Ring ring = Ring.GROUPCACHE_V3;
  private int replicas = 50;
  private ToLongFunction<byte[]> hash;
  private Transport transport = Transport.http();
  private String basePath = "/_groupcache/";
  private System.Logger.Level logLevel = System.Logger.Level.WARNING;
  private CohortLogger logger = CohortLogger.to(System.getLogger("io.github.cohortcache.cohort"));
  private String listen;
  private List<String> peers = List.of();

  CohortBuilder() {}

  /**
   * A name for logs and threads.
   *
   * @param name at most 255 bytes; default "cohort"
   * @return this
   */
  public CohortBuilder name(String name) {
    this.name = Objects.requireNonNull(name);
    return this;
  }

  /**
   * Serves peers from the beginning.
   *
   * @param address "host:port"; port 0 picks a free one
   * @return this
   */
  public CohortBuilder listen(String address) {
    listen = Objects.requireNonNull(address);
    return this;
  }

  /**
   * The members of the cluster, from the beginning. One of the addresses is the one that this member listens on.
   *
   * @param addresses every member's "host:port", byte for byte the same on every member
   * @return this
   */
  public CohortBuilder peers(String... addresses) {
    return peers(List.of(addresses));
  }

  /**
   * The members of the cluster, from the beginning. One of the addresses is the one that this member listens on.
   *
   * @param addresses every member's "host:port", byte for byte the same on every member
   * @return this
   */
  public CohortBuilder peers(Collection<String> addresses) {
    peers = List.copyOf(addresses);
    return this;
  }

  /**
   * How keys find their owners. Every member must use the same.
   *
   * @param kind default {@link Ring#GROUPCACHE_V3}
   * @return this
   */
  public CohortBuilder ring(Ring kind) {
    ring = Objects.requireNonNull(kind);
    return this;
  }

  /**
   * Points of each peer on the ring. Every member must use the same.
   *
   * @param points 1 to 10,000; default 50
   * @return this
   */
  public CohortBuilder replicas(int points) {
    replicas = points;
    return this;
  }

  /**
   * A hash function of the program's own in place of the ring's. It costs a call from C for every miss. Every member must
   * use the same.
   *
   * @param function hashes bytes; any thread; must be pure
   * @return this
   */
  public CohortBuilder hash(ToLongFunction<byte[]> function) {
    hash = Objects.requireNonNull(function);
    return this;
  }

  /**
   * How peers are reached.
   *
   * @param kind default: {@link Transport#http}
   * @return this
   */
  public CohortBuilder transport(Transport kind) {
    transport = Objects.requireNonNull(kind);
    return this;
  }

  /**
   * The path under which peers are served and asked.
   *
   * @param path begins and ends with '/'; default "/_groupcache/"
   * @return this
   */
  public CohortBuilder basePath(String path) {
    basePath = Objects.requireNonNull(path);
    return this;
  }

  /**
   * Where loaders run that no caller runs himself, and senders of custom transports. Default: virtual threads where the
   * JDK has them; else a pool of daemon threads that runs at most 64 loaders at once, and lets others run for those that
   * wait in a get.
   *
   * @param runs the executor, which may run many tasks at once
   * @return this
   */
  public CohortBuilder executor(Executor runs) {
    executor = Objects.requireNonNull(runs);
    return this;
  }

  /**
   * Where futures are completed and loggers called. Default: as for {@link java.util.concurrent.CompletableFuture}.
   *
   * @param runs the executor
   * @return this
   */
  public CohortBuilder callbackExecutor(Executor runs) {
    callbackExecutor = Objects.requireNonNull(runs);
    return this;
  }

  /**
   * Takes what is logged. Default: warnings and errors go to the platform's logger "io.github.cohortcache.cohort".
   *
   * @param level the lowest level that is wanted; OFF: nothing
   * @param takes the logger
   * @return this
   */
  public CohortBuilder logger(System.Logger.Level level, CohortLogger takes) {
    logLevel = Objects.requireNonNull(level);
    logger = Objects.requireNonNull(takes);
    return this;
  }

  /**
   * Makes the instance. If it listens, peers can connect when this returns.
   *
   * @return the instance; close it
   * @throws CohortException if a setting is not valid or the address cannot be listened on; the message names it
   */
  public Cohort build() {
    Cohort cohort = new Cohort(this);
    try {
      if (listen != null) cohort.listen(listen);
      if (!peers.isEmpty()) cohort.setPeers(peers, self(cohort));
      return cohort;
    } catch (RuntimeException | Error failure) {
      cohort.close(null);
      throw failure;
    }
  }

  private String self(Cohort cohort) {
    if (listen == null) throw new IllegalStateException("peers() needs listen(); else use Cohort.setPeers(addresses, self)");
    return peers.contains(listen) ? listen : cohort.address().orElseThrow();
  }

  /** Makes the instance in the engine and returns its handle. */
  long open(Cohort cohort) {
    NativeLibrary.require();
    long options = Native.cohort_instance_options_new();
    try {
      Native.cohort_instance_options_set_name(options, Cohort.utf8(name));
      Native.cohort_instance_options_set_ring(options, ring.code);
      Native.cohort_instance_options_set_replicas(options, replicas);
      Native.cohort_instance_options_set_base_path(options, Cohort.utf8(basePath));
      if (hash != null) {
        Upcalls.Hash function = hash::applyAsLong;
        Native.cohort_java_set_hash(options, Upcalls.register(cohort.keep(function)));
      }
      cohort.keep(transport).install(options, cohort.queue, cohort.executor);
      if (logLevel != System.Logger.Level.OFF) {
        long tag = Queue.newTag();
        cohort.queue.listen(tag, lines(new WeakReference<>(cohort.keep(logger)), cohort.callbacks.new Serial()));
        Native.cohort_instance_options_set_log_queue(options, code(logLevel), cohort.queue.handle(), tag);
      }
      return Native.cohort_instance_new(options);
    } finally {
      Native.cohort_instance_options_free(options);
    }
  }

  private static Pending lines(WeakReference<CohortLogger> weak, Executor serial) {
    return event -> {
      CohortLogger logger = weak.get();
      if (logger != null) serial.execute(() -> logger.log(level(event.status), event.message));
    };
  }

  private static System.Logger.Level level(int code) {
    return switch (code) {
      case Constants.COHORT_LOG_DEBUG -> System.Logger.Level.DEBUG;
      case Constants.COHORT_LOG_INFO -> System.Logger.Level.INFO;
      case Constants.COHORT_LOG_WARN -> System.Logger.Level.WARNING;
      default -> System.Logger.Level.ERROR;
    };
  }

  private static int code(System.Logger.Level level) {
    return switch (level) {
      case ALL, TRACE, DEBUG -> Constants.COHORT_LOG_DEBUG;
      case INFO -> Constants.COHORT_LOG_INFO;
      case WARNING -> Constants.COHORT_LOG_WARN;
      case ERROR, OFF -> Constants.COHORT_LOG_ERROR;
    };
  }
}
