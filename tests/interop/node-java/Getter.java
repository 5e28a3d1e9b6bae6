// Getter makes the value of a key from the key alone, as every conformance node does, and counts each of its runs.

import io.github.cohortcache.cohort.LoadContext;
import io.github.cohortcache.cohort.Loader;
import io.github.cohortcache.cohort.NotFoundException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

final class Getter implements Loader.WithContext<String, byte[]> {
  private final String name;
  private final ConcurrentHashMap<String, Long> loads = new ConcurrentHashMap<>();

  Getter(String name) {
    this.name = name;
  }

  @Override
  public byte[] load(String key, LoadContext context) throws InterruptedException {
    loads.merge(key, 1L, Long::sum);
    byte[] bytes = key.getBytes(StandardCharsets.ISO_8859_1);
    String shown = new String(bytes, StandardCharsets.UTF_8);
    if (key.startsWith("missing-")) throw new NotFoundException("not found: " + shown);
    if (key.startsWith("fail-")) throw new IllegalStateException("load failed: " + shown);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (!key.startsWith("empty-")) {
      out.writeBytes((name + ":").getBytes(StandardCharsets.UTF_8));
      out.writeBytes(bytes);
    }
    if (key.startsWith("bin-")) {
      for (int b = 0; b < 256; b++) out.write(b);
    }
    byte[] value = out.toByteArray();
    long size = number(key, "size-");
    if (size >= 0) {
      int had = value.length;
      value = Arrays.copyOf(value, (int) size);
      if (had < size) Arrays.fill(value, had, (int) size, (byte) '.');
    }
    long slowMs = number(key, "slow-");
    if (slowMs >= 0) Thread.sleep(slowMs);
    long expireMs = number(key, "exp-");
    if (expireMs >= 0) context.expireAfter(Duration.ofMillis(expireMs));
    return value;
  }

  /** N of "prefixN-...", or -1. */
  private static long number(String key, String prefix) {
    if (!key.startsWith(prefix)) return -1;
    int end = key.indexOf('-', prefix.length());
    if (end < 0) return -1;
    String digits = key.substring(prefix.length(), end);
    return digits.matches("[0-9]{1,18}") ? Long.parseLong(digits) : -1;
  }

  Map<String, Long> counts(boolean reset) {
    Map<String, Long> counts = new HashMap<>();
    loads.forEach((key, n) -> {
      if (!reset || loads.remove(key) != null) counts.put(key, n);
    });
    return counts;
  }
}
