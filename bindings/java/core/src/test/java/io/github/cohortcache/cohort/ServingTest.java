package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Peers by other means: the application's own server, TLS; and what an instance tells of itself. */
@Timeout(120)
class ServingTest {
  private static Group<String, String> group(Cohort member, String name) {
    return member.group("g", Codec.utf8()).loader(key -> {
      if (key.startsWith("missing")) throw new NotFoundException("not found: " + key);
      return name + ":" + key;
    }).build();
  }

  private static String keyOwnedBy(Cohort member, String address) {
    for (int i = 0;; i++) {
      if (member.owner("key-" + i).orElseThrow().equals(address)) return "key-" + i;
    }
  }

  @Test
  void peersAreServedOnTheJdksOwnServer() throws Exception {
    List<Cohort> members = new ArrayList<>();
    List<HttpServer> servers = new ArrayList<>();
    List<String> addresses = new ArrayList<>();
    List<Group<String, String>> groups = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        Cohort member = Cohort.builder().basePath("/cache/").build();
        members.add(member);
        groups.add(group(member, "m" + i));
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/cache/", new CohortHttpHandler(member));
        server.start();
        servers.add(server);
        addresses.add("127.0.0.1:" + server.getAddress().getPort());
      }
      for (int i = 0; i < 3; i++) members.get(i).setPeers(addresses, addresses.get(i));
      for (int i = 0; i < 50; i++) {
        String key = "k/" + i + "?ä%";
        String value = groups.get(0).get(key);
        assertTrue(value.matches("m[012]:k/" + i + "\\?ä%"), value);
        for (Group<String, String> group : groups) assertEquals(value, group.get(key));
      }
      String theirs = keyOwnedBy(members.get(0), addresses.get(1));
      assertEquals("m1:" + theirs, groups.get(0).get(theirs));
      assertTrue(groups.get(0).stats().peerLoads() > 0);
      assertEquals(0, groups.get(0).stats().peerErrors());
      groups.get(1).put("k", "changed");
      for (Group<String, String> group : groups) assertEquals("changed", group.get("k"));
      for (int i = 0; i < 10; i++) {
        String key = "missing" + i;
        assertThrows(NotFoundException.class, () -> groups.get(0).get(key));
      }
    } finally {
      servers.forEach(server -> server.stop(0));
      servers.forEach(server -> ((java.util.concurrent.ExecutorService) server.getExecutor()).shutdown());
      members.forEach(member -> member.close(Duration.ZERO));
    }
  }

  @Test
  void aRequestThatIsNonsenseGetsAnAnswer() {
    try (Cohort cohort = Cohort.builder().build()) {
      assertEquals(404, cohort.handle(new PeerRequest("GET", "/elsewhere", Map.of(), new byte[0]), null).join().status());
      int status = cohort.handle(new PeerRequest("GET", "/_groupcache/none/k", Map.of("X", List.of("y")), new byte[0]),
          Duration.ofSeconds(5)).join().status();
      assertTrue(status >= 400, "status " + status);
    }
  }

  @Test
  void membersSpeakMutualTls(@TempDir Path folder) throws Exception {
    Path root = Path.of("").toAbsolutePath();
    while (!root.resolve("tests/capi/make_certificates").toFile().exists()) root = root.getParent();
    Process made = new ProcessBuilder(root.resolve("tests/capi/make_certificates").toString(), folder.toString())
        .redirectErrorStream(true).start();
    assertEquals(0, made.waitFor(), new String(made.getInputStream().readAllBytes()));
    List<Cohort> members = new ArrayList<>();
    try {
      List<String> addresses = new ArrayList<>();
      List<Group<String, String>> groups = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        Tls tls = Tls.mutual(folder.resolve("ca.pem"), folder.resolve("member" + i + ".pem"), folder.resolve("member" + i + ".key"));
        members.add(Cohort.builder().transport(Transport.http().tls(tls).maxConnectionsPerPeer(4)
            .connectTimeout(Duration.ofSeconds(20))).listen("127.0.0.1:0").build());
        addresses.add(members.get(i).address().orElseThrow());
        groups.add(group(members.get(i), "m"));
      }
      for (Cohort member : members) member.setPeers(addresses);
      String theirs = keyOwnedBy(members.get(0), addresses.get(1));
      assertEquals("m:" + theirs, groups.get(0).get(theirs));
      assertEquals(1, groups.get(0).stats().peerLoads());
      assertEquals(0, groups.get(0).stats().peerErrors());
    } finally {
      members.forEach(member -> member.close(Duration.ZERO));
    }
    CohortException missing = assertThrows(CohortException.class, () -> Cohort.builder()
        .transport(Transport.http().tls(Tls.of(folder.resolve("none.pem"), folder.resolve("none"), folder.resolve("none")))).build());
    assertTrue(missing.getMessage().contains("none"), missing.getMessage());
    assertThrows(CohortException.class, () -> Cohort.builder().transport(Transport.http().maxConnectionsPerPeer(0)).build());
  }

  @Test
  void linesOfLogComeInOrder() {
    ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();
    try (Cohort cohort = Cohort.builder().name("talkative").listen("127.0.0.1:0")
        .logger(System.Logger.Level.DEBUG, (level, line) -> lines.add(level + " " + line)).build()) {
      String address = cohort.address().orElseThrow();
      Until.so("it says where it listens", () -> lines.stream().anyMatch(line -> line.contains(address)));
    }
  }

  @Test
  void evictionsAreTold() {
    ConcurrentLinkedQueue<String> evicted = new ConcurrentLinkedQueue<>();
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).cacheBytes(64 << 10).loader(key -> key + ".".repeat(5000))
          .evictionListener((key, value, cause) -> evicted.add(key + " " + value.length() + " " + cause)).build();
      for (int i = 0; i < 100; i++) group.get("k" + i);
      Until.so("the first one has left", () -> evicted.contains("k0 5002 SIZE"));
      assertTrue(group.stats().main().evictions() > 0);
      group.put("short", "x", Duration.ofMillis(30));
      Until.so("it has expired", () -> group.peek("short").isEmpty());
      Until.so("that is told", () -> evicted.contains("short 1 EXPIRED"));
    }
  }

  @Test
  void theVersionIsKnown() {
    assertTrue(Cohort.libraryVersion().matches("[0-9]+\\.[0-9]+\\.[0-9]+.*"));
  }
}
