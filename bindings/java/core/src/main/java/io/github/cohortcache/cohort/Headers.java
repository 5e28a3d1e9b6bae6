package io.github.cohortcache.cohort;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Headers as lines, the way the engine has them, and as a map. */
final class Headers {
  private Headers() {}

  static byte[] lines(Map<String, List<String>> headers) {
    StringBuilder lines = new StringBuilder();
    headers.forEach((name, values) -> {
      for (String value : values) lines.append(name).append(": ").append(value).append("\r\n");
    });
    return lines.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  static Map<String, List<String>> map(byte[] lines) {
    Map<String, List<String>> headers = new LinkedHashMap<>();
    for (String line : new String(lines, StandardCharsets.ISO_8859_1).split("\r\n")) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        headers.computeIfAbsent(line.substring(0, colon), name -> new ArrayList<>()).add(line.substring(colon + 1).strip());
      }
    }
    return headers;
  }
}
