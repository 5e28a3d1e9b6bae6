package io.github.cohortcache.cohort;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A request that one member sends to another, as HTTP has it.
 *
 * @param method "GET", "PUT", ...
 * @param target the escaped path and, if any, the query, as they were sent
 * @param headers the headers
 * @param body the body; not copied
 */
public record PeerRequest(String method, String target, Map<String, List<String>> headers, byte[] body) {
  /**
   * Checks that nothing is null.
   *
   * @param method "GET", "PUT", ...
   * @param target the escaped path and, if any, the query, as they were sent
   * @param headers the headers
   * @param body the body; not copied
   */
  public PeerRequest {
    Objects.requireNonNull(method);
    Objects.requireNonNull(target);
    headers = Map.copyOf(headers);
    Objects.requireNonNull(body);
  }
}
