package io.github.cohortcache.cohort;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The answer to a {@link PeerRequest}, as HTTP has it.
 *
 * @param status 200, 404, ...
 * @param headers the headers, the content's type among them; its length is the server's part
 * @param body the body; not copied
 */
public record PeerResponse(int status, Map<String, List<String>> headers, byte[] body) {
  /**
   * Checks that nothing is null.
   *
   * @param status 200, 404, ...
   * @param headers the headers, the content's type among them; its length is the server's part
   * @param body the body; not copied
   */
  public PeerResponse {
    headers = Map.copyOf(headers);
    Objects.requireNonNull(body);
  }
}
