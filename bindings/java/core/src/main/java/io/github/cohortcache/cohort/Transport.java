package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** How an instance reaches its peers, and they reach it. Given to {@link CohortBuilder#transport}. */
public abstract sealed class Transport permits HttpTransport, InProcessTransport, CustomTransport {
  Transport() {}

  /** Puts the transport into an instance's options. Tasks of the program's own transport come to the queue. */
  abstract void install(long options, Queue queue, Executor executor);

  /**
   * The engine's own HTTP, the default.
   *
   * @return the transport with its default settings
   */
  public static HttpTransport http() {
    return HttpTransport.DEFAULT;
  }

  /**
   * A network inside of this process, for tests: instances that are given the same one reach each other by the addresses
   * on which they listen.
   *
   * @return a new network
   */
  public static Transport inProcess() {
    return new InProcessTransport();
  }

  /**
   * A transport of the program's own for whole requests of HTTP. The other side hands each to {@link Cohort#handle}. The
   * instance does not listen.
   *
   * @param sender sends requests
   * @return the transport
   */
  public static Transport requests(RequestSender sender) {
    return new CustomTransport(sender);
  }

  /**
   * A transport of the program's own for single calls. The other side hands each to {@link Cohort#answer}. The instance
   * does not listen.
   *
   * @param sender sends calls
   * @return the transport
   */
  public static Transport calls(CallSender sender) {
    return new CustomTransport(sender);
  }

  /** Sends requests to peers. */
  @FunctionalInterface
  public interface RequestSender {
    /**
     * Sends a request. Runs on the instance's executor.
     *
     * @param peer the address of the peer, as it was given to {@link Cohort#setPeers}
     * @param request the request
     * @return the response; a failed stage says that the peer was not reached
     * @throws Exception as a failed stage
     */
    CompletionStage<PeerResponse> send(String peer, PeerRequest request) throws Exception;
  }

  /** Sends calls to peers. */
  @FunctionalInterface
  public interface CallSender {
    /**
     * Sends a call. Runs on the instance's executor.
     *
     * @param call the call
     * @return the answer. A stage that failed with a {@link NotFoundException} or {@link CohortLoadException} is the
     *     peer's own word; with anything else, the peer was not reached
     * @throws Exception as a failed stage
     */
    CompletionStage<PeerAnswer> send(PeerCall call) throws Exception;
  }
}
