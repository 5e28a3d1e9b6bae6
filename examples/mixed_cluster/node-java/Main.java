// A member of the mixed cluster in Java. The loader renders a package's page from the SQLite database. The control port
// serves the driver: /ping /get /set /remove /stats /loads /owner.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.CohortLoadException;
import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.GroupStats;
import io.github.cohortcache.cohort.NotFoundException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;

final class Main {
  private final Map<String, String> flags;
  private final Cohort cohort;
  private final Catalog catalog;
  private final Group<String, String> group;

  private Main(Map<String, String> flags) throws IOException {
    this.flags = flags;
    catalog = new Catalog(flags.get("db"), flags.get("sql"));
    cohort = Cohort.builder().logger(System.Logger.Level.OFF, (level, line) -> {}) // peers are killed on purpose
        .listen(flags.get("listen")).build();
    group = cohort.group("packages", Codec.utf8()).cacheBytes(64 << 20).loader(catalog).build();
    cohort.setPeers(Arrays.asList(flags.get("peers").split(",")), flags.get("listen"));
  }

  public static void main(String[] arguments) throws IOException {
    System.setProperty("sun.net.httpserver.nodelay", "true"); // else the JDK's server takes 40 ms for an answer
    Map<String, String> flags = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) flags.put(arguments[i].replaceFirst("^-+", ""), arguments[i + 1]);
    Main node = new Main(flags);
    String[] ctl = flags.get("ctl").split(":");
    HttpServer server = HttpServer.create(new InetSocketAddress(ctl[0], Integer.parseInt(ctl[1])), 128);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", node::serve);
    server.start();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
      byte[] body = exchange.getRequestBody().readAllBytes();
      int status = 200;
      byte[] answer;
      try {
        answer = answer(exchange, query, body).getBytes(StandardCharsets.UTF_8);
      } catch (RuntimeException failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        status = cause instanceof NotFoundException ? 404 : cause instanceof CohortLoadException ? 502 : 500;
        answer = String.valueOf(cause.getMessage()).getBytes(StandardCharsets.UTF_8);
      }
      exchange.sendResponseHeaders(status, answer.length == 0 ? -1 : answer.length);
      if (answer.length > 0) exchange.getResponseBody().write(answer);
    }
  }

  private String answer(HttpExchange exchange, Map<String, String> query, byte[] body) {
    String key = query.get("key");
    switch (exchange.getRequestURI().getPath()) {
      case "/ping":
        return "Java";
      case "/get":
        long begin = System.nanoTime();
        String page = group.get(key, Duration.ofSeconds(10));
        exchange.getResponseHeaders().set("Get-Us", Long.toString((System.nanoTime() - begin) / 1000));
        return page;
      case "/set":
        long ms = Long.parseLong(query.getOrDefault("expire_ms", "0"));
        group.put(key, new String(body, StandardCharsets.UTF_8), ms > 0 ? Instant.now().plusMillis(ms) : null);
        return "";
      case "/remove":
        group.invalidate(key);
        return "";
      case "/owner":
        return cohort.owner(key).orElse(flags.get("listen"));
      case "/stats":
        GroupStats s = group.stats();
        return String.format("{\"gets\":%d,\"hits\":%d,\"from_peers\":%d,\"loads\":%d,\"queries\":%d}", s.gets(), s.cacheHits(),
            s.peerLoads(), s.localLoads(), catalog.queries.get());
      case "/loads":
        return String.join("\n", catalog.loads);
      default:
        throw new NotFoundException("there is no such call");
    }
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
