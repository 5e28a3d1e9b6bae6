package io.github.cohortcache.cohort.servlet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.NotFoundException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Members in a real container. */
@Timeout(120)
class CohortServletTest {
  private static Server serve(Cohort cohort) throws Exception {
    Server server = new Server();
    HttpConfiguration configuration = new HttpConfiguration();
    configuration.setUriCompliance(UriCompliance.UNSAFE); // keys may hold anything, escaped
    ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(configuration));
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    ServletContextHandler context = new ServletContextHandler("/");
    context.getServletHandler().setDecodeAmbiguousURIs(true);
    ServletHolder holder = new ServletHolder(new CohortServlet(cohort));
    holder.setAsyncSupported(true);
    context.addServlet(holder, "/_groupcache/*");
    server.setHandler(context);
    server.start();
    return server;
  }

  @Test
  void peersAreServedOnTheApplicationsPort() throws Exception {
    List<Cohort> members = new ArrayList<>();
    List<Server> servers = new ArrayList<>();
    List<String> addresses = new ArrayList<>();
    List<Group<String, String>> groups = new ArrayList<>();
    try {
      for (int i = 0; i < 2; i++) {
        Cohort member = Cohort.builder().build();
        members.add(member);
        groups.add(member.group("g", Codec.utf8()).loader(key -> {
          if (key.startsWith("missing")) throw new NotFoundException("not found: " + key);
          return "v:" + key;
        }).build());
        servers.add(serve(member));
        addresses.add("127.0.0.1:" + ((ServerConnector) servers.get(i).getConnectors()[0]).getLocalPort());
      }
      for (int i = 0; i < 2; i++) members.get(i).setPeers(addresses, addresses.get(i));
      for (int i = 0; i < 40; i++) {
        String key = "k/" + i + "?ä%";
        for (Group<String, String> group : groups) assertEquals("v:" + key, group.get(key));
      }
      String theirs = "k";
      while (!members.get(0).owner(theirs).orElseThrow().equals(addresses.get(1))) theirs += "k";
      assertEquals("v:" + theirs, groups.get(0).get(theirs));
      assertTrue(groups.get(0).stats().peerLoads() > 0);
      assertEquals(0, groups.get(0).stats().peerErrors());
      groups.get(0).put("k", "changed");
      groups.get(1).put("k2", "changed");
      for (Group<String, String> group : groups) {
        assertEquals("changed", group.get("k"));
        assertEquals("changed", group.get("k2"));
      }
      groups.get(0).invalidateAll(List.of("k", "k2"));
      for (Group<String, String> group : groups) assertEquals("v:k", group.get("k"));
      for (int i = 0; i < 10; i++) {
        String key = "missing" + i;
        assertThrows(NotFoundException.class, () -> groups.get(0).get(key));
      }
    } finally {
      for (Server server : servers) server.stop();
      members.forEach(member -> member.close(Duration.ZERO));
    }
  }
}
