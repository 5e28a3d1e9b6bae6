package io.github.cohortcache.cohort;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Serves peers on the JDK's own HTTP server, on the application's port:
 * {@code server.createContext("/_groupcache/", new CohortHttpHandler(cohort))}. A request that waits holds no thread.
 *
 * <p>Start the JVM with {@code -Dsun.net.httpserver.nodelay=true}: without it that server sends an answer in two packets,
 * of which the second one may wait 40 ms for the first one's acknowledgement.
 */
public final class CohortHttpHandler implements HttpHandler {
  private final Cohort cohort;

  /**
   * Makes a handler for the base path of an instance.
   *
   * @param cohort the instance, which should not listen itself
   */
  public CohortHttpHandler(Cohort cohort) {
    this.cohort = Objects.requireNonNull(cohort);
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    URI uri = exchange.getRequestURI();
    String target = uri.getRawQuery() == null ? uri.getRawPath() : uri.getRawPath() + "?" + uri.getRawQuery();
    Map<String, List<String>> headers = exchange.getRequestHeaders();
    cohort.handle(new PeerRequest(exchange.getRequestMethod(), target, headers, body), null)
        .whenComplete((response, failure) -> send(exchange, response, failure));
  }

  private static void send(HttpExchange exchange, PeerResponse response, Throwable failure) {
    try (exchange) {
      if (failure != null) {
        exchange.sendResponseHeaders(503, -1);
        return;
      }
      response.headers().forEach((name, values) -> exchange.getResponseHeaders().put(name, List.copyOf(values)));
      byte[] body = response.body();
      boolean head = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(response.status(), body.length == 0 || head ? -1 : body.length);
      if (body.length > 0 && !head) {
        try (OutputStream out = exchange.getResponseBody()) {
          out.write(body);
        }
      }
    } catch (IOException gone) {
      // The peer does not listen any more.
    }
  }
}
