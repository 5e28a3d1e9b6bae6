package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cohortcache.cohort.testing.TestCluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several members: owners, copies, changes, failures; over every transport. */
@Timeout(120)
class ClusterTest {
  private final AtomicInteger loads = new AtomicInteger();

  /** How the members reach each other. */
  enum Network {
    HTTP, REQUESTS, CALLS, IN_PROCESS;

    TestCluster start(int members) {
      return switch (this) {
        case HTTP -> TestCluster.overHttp(members, builder -> {});
        case REQUESTS -> TestCluster.start(members);
        case CALLS, IN_PROCESS -> throw new UnsupportedOperationException();
      };
    }
  }

  /** Members by any transport; the last two have no test cluster of their own. */
  private final class Members implements AutoCloseable {
    final List<Cohort> all = new ArrayList<>();
    final List<String> addresses = new ArrayList<>();
    private TestCluster cluster;

    Members(Network network, int count) {
      if (network == Network.HTTP || network == Network.REQUESTS) {
        cluster = network.start(count);
        for (int i = 0; i < count; i++) all.add(cluster.member(i));
        addresses.addAll(cluster.addresses());
        return;
      }
      Transport shared = Transport.inProcess();
      for (int i = 0; i < count; i++) {
        addresses.add("10.0.0." + i + ":80");
        if (network == Network.IN_PROCESS) {
          all.add(Cohort.builder().transport(shared).listen(addresses.get(i)).build());
        } else {
          all.add(Cohort.builder().transport(Transport.calls(call -> all.get(addresses.indexOf(call.peer())).answer(call))).build());
        }
      }
      for (int i = 0; i < count; i++) all.get(i).setPeers(addresses, addresses.get(i));
    }

    <G> List<G> groups(Function<Cohort, G> make) {
      return all.stream().map(make).toList();
    }

    int owner(String key) {
      return addresses.indexOf(all.get(0).owner(key).orElseThrow());
    }

    String keyOwnedBy(String prefix, int owner) {
      for (int i = 0;; i++) {
        if (owner(prefix + i) == owner) return prefix + i;
      }
    }

    @Override
    public void close() {
      all.forEach(member -> member.close(Duration.ZERO));
    }
  }

  private Group<String, String> group(Cohort member) {
    return member.group("g", Codec.utf8()).loader(key -> {
      loads.incrementAndGet();
      if (key.startsWith("missing-")) throw new NotFoundException("not found: " + key);
      if (key.startsWith("fail-")) throw new IOException("load failed: " + key);
      return "g:" + key;
    }).build();
  }

  /** A get that has had to wait lends its thread to the next one; an interrupt reaches either. */
  @ParameterizedTest
  @EnumSource
  void anInterruptEndsAGetThatTheOwnerIsSlowWith(Network network) throws Exception {
    for (boolean lent : new boolean[] {false, true}) {
      BlockingQueue<String> loading = new LinkedBlockingQueue<>();
      CompletableFuture<String> slow = new CompletableFuture<>();
      try (Members members = new Members(network, 2)) {
        List<Group<String, String>> groups = members.groups(member -> member.group("g", Codec.utf8()).asyncLoader((key, context) -> {
          if (key.startsWith("quick")) return CompletableFuture.completedFuture(key);
          loading.add(key);
          return slow;
        }).build());
        String quick = members.keyOwnedBy("quick", 1);
        String late = members.keyOwnedBy("late", 1);
        CompletableFuture<String> end = new CompletableFuture<>();
        Thread waiter = new Thread(() -> {
          try {
            if (lent) groups.get(0).get(quick);
            end.complete(groups.get(0).get(late));
          } catch (CohortException e) {
            end.complete(e.status() + " " + Thread.interrupted());
          } catch (Throwable e) {
            end.completeExceptionally(e);
          }
        });
        waiter.start();
        assertEquals(late, loading.take());
        waiter.interrupt();
        assertEquals("CANCELLED true", end.get());
        waiter.join();
        slow.complete("late");
        assertEquals("late", groups.get(0).get(late), "the load goes on");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void eachKeyIsLoadedOnceByItsOwner(Network network) {
    try (Members members = new Members(network, 3)) {
      List<Group<String, String>> groups = members.groups(this::group);
      for (int i = 0; i < 30; i++) {
        for (Group<String, String> group : groups) assertEquals("g:k" + i, group.get("k" + i));
      }
      assertEquals(30, loads.get());
      String theirs = members.keyOwnedBy("x", 1);
      assertEquals(Source.PEER, groups.get(0).getEntry(theirs).source());
      assertEquals(Source.HOT, groups.get(0).getEntry(theirs).source());
      assertEquals(Source.MAIN, groups.get(1).getEntry(theirs).source());
    }
  }

  @ParameterizedTest
  @EnumSource
  void changesAreSeenByAll(Network network) {
    try (Members members = new Members(network, 3)) {
      List<Group<String, String>> groups = members.groups(this::group);
      for (int owner = 0; owner < 3; owner++) {
        String key = members.keyOwnedBy("k", owner);
        for (Group<String, String> group : groups) group.get(key);
        groups.get(0).put(key, "changed");
        for (Group<String, String> group : groups) assertEquals("changed", group.get(key));
        groups.get(1).putAsync(key, "again", Instant.now().plusSeconds(3600)).join();
        for (Group<String, String> group : groups) {
          assertEquals("again", group.get(key));
          assertTrue(group.getEntry(key).expiresAt().isPresent());
        }
        groups.get(2).invalidate(key);
        for (Group<String, String> group : groups) assertEquals(Optional.empty(), group.peek(key));
        for (Group<String, String> group : groups) assertEquals("g:" + key, group.get(key));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void invalidateAllDropsFromAll(Network network) {
    try (Members members = new Members(network, 3)) {
      List<Group<String, String>> groups = members.groups(this::group);
      List<String> keys = new ArrayList<>();
      for (int i = 0; i < 20; i++) keys.add("k" + i);
      for (Group<String, String> group : groups) assertEquals(20, group.getAll(keys).size());
      groups.get(0).invalidateAll(keys);
      groups.get(0).invalidateAll(List.of());
      groups.get(0).invalidateAllAsync(List.of()).join();
      for (Group<String, String> group : groups) {
        for (String key : keys) assertEquals(Optional.empty(), group.peek(key));
      }
      assertEquals(1, groups.get(0).stats().invalidateAllCalls());
      assertEquals(20, groups.get(0).stats().invalidateAllKeys());
      groups.get(0).getAll(keys);
      groups.get(1).invalidateAllAsync(keys).join();
      assertEquals(Optional.empty(), groups.get(0).peek("k0"));
      groups.get(0).get("k0");
      groups.get(2).invalidateAsync("k0").join();
      assertEquals(Optional.empty(), groups.get(0).peek("k0"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void theOwnersFailuresArriveWithTheirMessages(Network network) {
    try (Members members = new Members(network, 2)) {
      List<Group<String, String>> groups = members.groups(this::group);
      String missing = members.keyOwnedBy("missing-", 1);
      assertEquals("not found: " + missing, assertThrows(NotFoundException.class, () -> groups.get(0).get(missing)).getMessage());
      String fail = members.keyOwnedBy("fail-", 1);
      String message = assertThrows(CohortLoadException.class, () -> groups.get(0).get(fail)).getMessage();
      assertTrue(message.contains("load failed: " + fail), message);
      Map<String, Result<String>> results = groups.get(0).getResults(List.of(missing, fail, "k"), null);
      assertTrue(results.get(missing).isNotFound());
      assertTrue(results.get(fail).failure().orElseThrow() instanceof CohortLoadException);
      assertEquals("g:k", results.get("k").value());
    }
  }

  @org.junit.jupiter.api.Test
  void aMemberOutOfReachIsNoFailureOfAGetButOfAChange() {
    try (TestCluster cluster = TestCluster.start(3)) {
      List<Group<String, String>> groups = cluster.groups(this::group);
      cluster.cutOff(2);
      String key = cluster.keyOwnedBy("k", 2);
      assertEquals("g:" + key, groups.get(0).get(key));
      assertEquals(Source.MAIN, groups.get(0).getEntry(key).source());
      String message = assertThrows(CohortUnreachableException.class, () -> groups.get(0).put(key, "x")).getMessage();
      assertTrue(message.contains("member-2"), message);
      cluster.heal();
      Until.so("the others try it again", () -> {
        try {
          groups.get(0).put(key, "y");
          return true;
        } catch (CohortUnreachableException notYet) {
          return false;
        }
      });
      for (Group<String, String> group : groups) assertEquals("y", group.get(key));
    }
  }

  @org.junit.jupiter.api.Test
  void aLoadThatAChangeOvertookIsNotKept() {
    CompletableFuture<String> slow = new CompletableFuture<>();
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).asyncLoader((key, context) -> slow).build();
      CompletableFuture<String> before = group.getAsync("k");
      group.put("k", "new");
      slow.complete("old");
      assertEquals("old", before.join());
      assertEquals("new", group.get("k"));
      assertEquals(1, group.stats().overtakenLoads());
    }
  }

  @org.junit.jupiter.api.Test
  void peersMayChangeAtAnyTime() {
    try (TestCluster cluster = TestCluster.overHttp(2, builder -> {})) {
      List<Group<String, String>> groups = cluster.groups(this::group);
      Cohort one = cluster.member(0);
      one.setPeers(List.of());
      assertEquals(Optional.empty(), one.owner("k"));
      assertEquals("g:k", groups.get(0).get("k"));
      one.setPeers(cluster.addresses());
      assertTrue(one.owner("k".getBytes(StandardCharsets.UTF_8)).isPresent());
      CohortException wrong = assertThrows(CohortException.class, () -> one.setPeers(cluster.addresses(), "10.9.9.9:1"));
      assertEquals(Status.INVALID_ARGUMENT, wrong.status());
      one.stopListening(Duration.ofSeconds(1));
      assertFalse(one.address().isPresent());
      one.listen(cluster.addresses().get(0));
      assertEquals(cluster.addresses().get(0), one.address().orElseThrow());
    }
  }

  @org.junit.jupiter.api.Test
  void ringsAndHashesDecideWhoOwnsAKey() {
    for (Ring ring : Ring.values()) {
      try (TestCluster cluster = TestCluster.start(3, builder -> builder.ring(ring).replicas(100))) {
        assertTrue(cluster.member(0).owner("k").equals(cluster.member(1).owner("k")));
      }
    }
    try (TestCluster cluster = TestCluster.start(3, builder -> builder.hash(bytes -> java.util.Arrays.hashCode(bytes)))) {
      List<Group<String, String>> groups = cluster.groups(this::group);
      for (int i = 0; i < 20; i++) assertEquals("g:k" + i, groups.get(i % 3).get("k" + i));
    }
  }

  /** The other member never answers; what it is asked tells how long it has. */
  @Test
  void aChangeWaitsAsLongAsItIsTold() {
    List<PeerCall> asked = Collections.synchronizedList(new ArrayList<>());
    try (Cohort cohort = Cohort.builder().transport(Transport.calls(call -> {
      asked.add(call);
      return new CompletableFuture<>();
    })).build()) {
      cohort.setPeers(List.of("me", "mute"), "me");
      Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> key).build();
      Duration little = Duration.ofMillis(20);
      assertThrows(CohortUnreachableException.class, () -> group.put("k", "v", null, little));
      assertThrows(CohortUnreachableException.class, () -> group.invalidate("k", little));
      assertThrows(CohortUnreachableException.class, () -> group.invalidateAll(List.of("k", "l"), little));
      List<CompletableFuture<Void>> later = List.of(group.putAsync("k", "v", null, little), group.invalidateAsync("k", little),
          group.invalidateAllAsync(List.of("k", "l"), little));
      for (CompletableFuture<Void> change : later) {
        Throwable failure = assertThrows(CompletionException.class, change::join).getCause();
        assertTrue(failure.getMessage().contains("mute"), failure.getMessage());
      }
      assertTrue(asked.size() >= 6, asked.size() + " calls");
      for (PeerCall call : asked) assertTrue(call.timeLeft().compareTo(little) <= 0, call.operation() + " has " + call.timeLeft());
      asked.clear();
      CompletableFuture<Void> patient = group.invalidateAsync("k");
      Until.so("it is asked", () -> !asked.isEmpty());
      assertTrue(asked.get(0).timeLeft().compareTo(Duration.ofSeconds(1)) > 0, "it has " + asked.get(0).timeLeft());
      assertFalse(patient.isDone());
      cohort.close(Duration.ZERO);
      assertThrows(CompletionException.class, patient::join);
    }
  }
}
