// Control serves the protocol that drives the node from outside.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.github.cohortcache.cohort.CacheStats;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.CohortLoadException;
import io.github.cohortcache.cohort.Entry;
import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.GroupStats;
import io.github.cohortcache.cohort.NotFoundException;
import io.github.cohortcache.cohort.Result;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;

final class Control implements HttpHandler {
  private final String name;
  private final String listen;
  private final Cohort cohort;
  private final Group<String, byte[]> group;
  private final Getter getter;

  Control(String name, String listen, Cohort cohort, Group<String, byte[]> group, Getter getter) {
    this.name = name;
    this.listen = listen;
    this.cohort = cohort;
    this.group = group;
    this.getter = getter;
  }

  /** What a call is about. */
  private record Subject(String key, byte[] value) {}

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      int status = 200;
      byte[] answer;
      try {
        byte[] body = exchange.getRequestBody().readAllBytes();
        answer = answer(exchange.getRequestURI().getPath(), query(exchange.getRequestURI().getRawQuery()), body)
            .getBytes(StandardCharsets.UTF_8);
      } catch (IllegalArgumentException bad) {
        status = 400;
        answer = String.valueOf(bad.getMessage()).getBytes(StandardCharsets.UTF_8);
      }
      exchange.getResponseHeaders().set("Content-Type", status == 200 ? "application/json" : "text/plain");
      exchange.sendResponseHeaders(status, answer.length == 0 ? -1 : answer.length);
      exchange.getResponseBody().write(answer);
    }
  }

  private String answer(String path, Map<String, String> query, byte[] body) {
    return switch (path) {
      case "/ping" -> Json.object(Map.of("name", name, "peer", listen, "impl", "java"));
      case "/get" -> get(subject(query, body).key, query.get("timeout_ms"));
      case "/getmany" -> getMany(keys(body));
      case "/set" -> {
        Subject subject = subject(query, body);
        long ms = Long.parseLong(query.getOrDefault("expire_ms", "0"));
        yield done(() -> group.put(subject.key, subject.value, ms == 0 ? null : Instant.now().plusMillis(ms)));
      }
      case "/remove" -> done(() -> group.invalidate(subject(query, body).key));
      case "/removekeys" -> done(() -> group.invalidateAll(keys(body)));
      case "/owners" -> Json.array(keys(body).stream()
          .map(key -> Json.quote(cohort.owner(key.getBytes(StandardCharsets.ISO_8859_1)).orElse(""))).toList());
      case "/peers" -> done(() -> cohort.setPeers(Json.strings(body), query.getOrDefault("self", listen)));
      case "/loads" -> loads(query);
      case "/stats" -> stats();
      default -> throw new IllegalArgumentException("there is no " + path);
    };
  }

  private String get(String key, String timeoutMs) {
    try {
      return value(group.getEntry(key, timeoutMs == null ? null : Duration.ofMillis(Long.parseLong(timeoutMs))));
    } catch (RuntimeException failure) {
      return failed(failure);
    }
  }

  private String getMany(List<String> keys) {
    Map<String, Result<byte[]>> results = group.getResults(keys, null);
    return Json.array(keys.stream().map(results::get)
        .map(result -> result.failure().map(Control::failed).orElseGet(() -> value(result.entry()))).toList());
  }

  private static String value(Entry<byte[]> entry) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("v64", Base64.getEncoder().encodeToString(entry.value()));
    answer.put("len", entry.value().length);
    entry.expiresAt().ifPresent(at -> answer.put("exp_ns", at.getEpochSecond() * 1_000_000_000L + at.getNano()));
    return Json.object(answer);
  }

  private static String done(Runnable call) {
    try {
      call.run();
      return "{\"ok\":true}";
    } catch (RuntimeException failure) {
      return failed(failure);
    }
  }

  private static String failed(Throwable failure) {
    Throwable cause = failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    String kind = cause instanceof NotFoundException ? "notfound" : cause instanceof CohortLoadException ? "remote" : "other";
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", false);
    answer.put("err", String.valueOf(cause.getMessage()));
    answer.put("kind", kind);
    return Json.object(answer);
  }

  private String loads(Map<String, String> query) {
    Map<String, Object> counts = new HashMap<>();
    getter.counts(query.containsKey("reset")).forEach((key, n) -> {
      String k64 = Base64.getEncoder().encodeToString(key.getBytes(StandardCharsets.ISO_8859_1));
      if (query.getOrDefault("k64", k64).equals(k64)) counts.put(k64, n);
    });
    return Json.object(counts);
  }

  private String stats() {
    GroupStats s = group.stats();
    CacheStats main = s.main();
    CacheStats hot = s.hot();
    return Json.object(Map.of("gets", s.gets(), "cache_hits", s.cacheHits(), "peer_loads", s.peerLoads(), "peer_errors",
        s.peerErrors(), "loads", s.loads(), "loads_deduped", s.loadsDeduped(), "local_loads", s.localLoads(), "local_load_errs",
        s.localLoadErrors(), "main_bytes", main.bytes(), "hot_bytes", hot.bytes()));
  }

  /** The key and value of a call: ?k64= or ?key= and the body, or both in a JSON body. */
  private static Subject subject(Map<String, String> query, byte[] body) {
    if (query.containsKey("k64")) return new Subject(key(query.get("k64")), body);
    if (query.containsKey("key") || body.length == 0) {
      byte[] text = query.getOrDefault("key", "").getBytes(StandardCharsets.UTF_8);
      return new Subject(new String(text, StandardCharsets.ISO_8859_1), body);
    }
    return new Subject(new String(Json.field(body, "k64"), StandardCharsets.ISO_8859_1), Json.field(body, "v64"));
  }

  private static String key(String k64) {
    return new String(Base64.getDecoder().decode(k64), StandardCharsets.ISO_8859_1);
  }

  private static List<String> keys(byte[] body) {
    return Json.strings(body).stream().map(Control::key).toList();
  }

  private static Map<String, String> query(String raw) {
    Map<String, String> query = new HashMap<>();
    if (raw == null) return query;
    for (String part : raw.split("&")) {
      String[] pair = part.split("=", 2);
      query.put(pair[0], pair.length == 2 ? URLDecoder.decode(pair[1], StandardCharsets.UTF_8) : "");
    }
    return query;
  }
}
