package io.github.cohortcache.cohort.servlet;

import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.PeerRequest;
import io.github.cohortcache.cohort.PeerResponse;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Serves peers in a servlet container. Map it to the base path of the instance, {@code /_groupcache/*}, with asynchronous
 * support: a request that waits holds no thread.
 *
 * <p>Keys may hold any byte, and travel escaped: the container has to let escaped slashes ({@code %2F}) and percent signs
 * through, as its documentation tells.
 */
public final class CohortServlet extends HttpServlet {
  private static final long serialVersionUID = 1;

  private final transient Cohort cohort;

  /**
   * Makes a servlet.
   *
   * @param cohort the instance, which should not listen itself
   */
  public CohortServlet(Cohort cohort) {
    this.cohort = Objects.requireNonNull(cohort);
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
    byte[] body = request.getInputStream().readAllBytes();
    String query = request.getQueryString();
    String target = query == null ? request.getRequestURI() : request.getRequestURI() + "?" + query;
    Map<String, List<String>> headers = new LinkedHashMap<>();
    for (String name : Collections.list(request.getHeaderNames())) headers.put(name, Collections.list(request.getHeaders(name)));
    AsyncContext async = request.startAsync();
    async.setTimeout(0); // the peer's own deadline, and the group's, end the wait
    boolean head = request.getMethod().equals("HEAD");
    cohort.handle(new PeerRequest(request.getMethod(), target, headers, body), null).whenComplete((answer, failure) -> {
      try {
        if (failure != null) {
          response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
        } else {
          send(response, answer, head);
        }
      } catch (IOException gone) {
        // The peer does not listen any more.
      } finally {
        async.complete();
      }
    });
  }

  private static void send(HttpServletResponse response, PeerResponse answer, boolean head) throws IOException {
    response.setStatus(answer.status());
    answer.headers().forEach((name, values) -> values.forEach(value -> response.addHeader(name, value)));
    response.setContentLength(answer.body().length);
    if (!head) response.getOutputStream().write(answer.body());
  }
}
