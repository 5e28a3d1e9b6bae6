package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Queue;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executor;

/** The engine's own HTTP, and its settings. Immutable: each method returns another one. */
public final class HttpTransport extends Transport {
  static final HttpTransport DEFAULT = new HttpTransport(Map.of(), null);

  private final Map<Integer, Long> limits;
  private final Tls tls;

  private HttpTransport(Map<Integer, Long> limits, Tls tls) {
    this.limits = limits;
    this.tls = tls;
  }

  /**
   * Speaks TLS.
   *
   * @param settings certificates and keys
   * @return the changed transport
   */
  public HttpTransport tls(Tls settings) {
    return new HttpTransport(limits, Objects.requireNonNull(settings));
  }

  /**
   * Most connections to one peer.
   *
   * @param connections 1 to 1,024; default 64
   * @return the changed transport
   */
  public HttpTransport maxConnectionsPerPeer(int connections) {
    return with(Constants.COHORT_HTTP_MAX_CONNECTIONS_PER_PEER, connections);
  }

  /**
   * How long a connection may take to be made.
   *
   * @param timeout 1 ms to 10 minutes; default 2 s
   * @return the changed transport
   */
  public HttpTransport connectTimeout(Duration timeout) {
    return with(Constants.COHORT_HTTP_CONNECT_TIMEOUT_MS, timeout.toMillis());
  }

  /**
   * After how long unused connections to peers are closed.
   *
   * @param timeout 100 ms to 10 minutes; default 4 s
   * @return the changed transport
   */
  public HttpTransport idleTimeout(Duration timeout) {
    return with(Constants.COHORT_HTTP_IDLE_TIMEOUT_MS, timeout.toMillis());
  }

  /**
   * The largest body in either direction.
   *
   * @param bytes the limit; default 256 MiB
   * @return the changed transport
   */
  public HttpTransport maxBodyBytes(long bytes) {
    return with(Constants.COHORT_HTTP_MAX_BODY_BYTES, bytes);
  }

  /**
   * Most connections of peers that are served at once, each of which costs a thread of the engine.
   *
   * @param threads 8 to 65,536; default 1,024
   * @return the changed transport
   */
  public HttpTransport maxServerThreads(int threads) {
    return with(Constants.COHORT_HTTP_MAX_SERVER_THREADS, threads);
  }

  /**
   * After how long idle connections of peers are closed.
   *
   * @param time 1 s to 10 minutes; default 2 minutes
   * @return the changed transport
   */
  public HttpTransport keepAlive(Duration time) {
    return with(Constants.COHORT_HTTP_KEEP_ALIVE_MS, time.toMillis());
  }

  /**
   * How long a request without a deadline may take.
   *
   * @param timeout the limit; default 1 minute
   * @return the changed transport
   */
  public HttpTransport requestTimeout(Duration timeout) {
    return with(Constants.COHORT_HTTP_REQUEST_TIMEOUT_MS, timeout.toMillis());
  }

  private HttpTransport with(int limit, long value) {
    Map<Integer, Long> more = new TreeMap<>(limits);
    more.put(limit, value);
    return new HttpTransport(Map.copyOf(more), tls);
  }

  @Override
  void install(long options, Queue queue, Executor executor) {
    long handle = Native.cohort_transport_new_http();
    try {
      limits.forEach((limit, value) -> Native.cohort_transport_set_limit(handle, limit, value));
      if (tls != null) {
        Native.cohort_transport_set_tls(handle, file(tls.authorities()), file(tls.certificate()), file(tls.key()),
            tls.requireClientCertificate() ? 1 : 0);
      }
      Native.cohort_instance_options_set_transport(options, handle);
    } finally {
      Native.cohort_transport_free(handle);
    }
  }

  private static byte[] file(Optional<Path> path) {
    return path.map(Path::toString).orElse("").getBytes(StandardCharsets.UTF_8);
  }
}
