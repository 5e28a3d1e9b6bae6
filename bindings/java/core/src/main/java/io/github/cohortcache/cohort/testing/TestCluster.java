package io.github.cohortcache.cohort.testing;

import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.CohortBuilder;
import io.github.cohortcache.cohort.PeerRequest;
import io.github.cohortcache.cohort.PeerResponse;
import io.github.cohortcache.cohort.Transport;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A cluster inside of one process, for the tests of programs that use Cohort. The members reach each other without a
 * network, and the test says who cannot; {@link #overHttp} has them listen on loopback instead.
 *
 * <pre>{@code
 * try (TestCluster cluster = TestCluster.start(3)) {
 *   List<Group<String, String>> pages = cluster.groups(member -> Pages.newGroup(member));
 *   cluster.cut(0, cluster.owner("index"));
 *   assertEquals("page index", pages.get(0).get("index")); // loaded here, because its owner is out of reach
 * }
 * }</pre>
 */
public final class TestCluster implements AutoCloseable {
  private final List<Cohort> members = new ArrayList<>();
  private final List<String> addresses = new ArrayList<>();
  private final Set<List<Integer>> cuts = ConcurrentHashMap.newKeySet();

  private TestCluster() {}

  /**
   * Starts members that reach each other without a network.
   *
   * @param members how many
   * @return the cluster; close it
   */
  public static TestCluster start(int members) {
    return start(members, builder -> {});
  }

  /**
   * Starts members that reach each other without a network.
   *
   * @param members how many
   * @param settings changes how each of them is made; not its transport
   * @return the cluster; close it
   */
  public static TestCluster start(int members, Consumer<CohortBuilder> settings) {
    TestCluster cluster = new TestCluster();
    try {
      for (int i = 0; i < members; i++) cluster.join(settings);
      for (int i = 0; i < members; i++) cluster.member(i).setPeers(cluster.addresses, cluster.addresses.get(i));
      return cluster;
    } catch (RuntimeException | Error failure) {
      cluster.close();
      throw failure;
    }
  }

  private void join(Consumer<CohortBuilder> settings) {
    int me = members.size();
    CohortBuilder builder = Cohort.builder().name("member-" + me);
    settings.accept(builder);
    addresses.add("member-" + me);
    members.add(builder.transport(Transport.requests((peer, request) -> deliver(me, peer, request))).build());
  }

  private CompletionStage<PeerResponse> deliver(int from, String peer, PeerRequest request) throws ConnectException {
    int to = addresses.indexOf(peer);
    if (to < 0 || cuts.contains(List.of(from, to))) throw new ConnectException("the test has cut the way to " + peer);
    return members.get(to).handle(request, null);
  }

  /**
   * Starts members that listen on free ports of loopback.
   *
   * @param members how many
   * @param settings changes how each of them is made
   * @return the cluster; close it
   */
  public static TestCluster overHttp(int members, Consumer<CohortBuilder> settings) {
    TestCluster cluster = new TestCluster();
    try {
      for (int i = 0; i < members; i++) {
        CohortBuilder builder = Cohort.builder().name("member-" + i).listen("127.0.0.1:0");
        settings.accept(builder);
        cluster.members.add(builder.build());
        cluster.addresses.add(cluster.member(i).address().orElseThrow());
      }
      for (Cohort member : cluster.members) member.setPeers(cluster.addresses);
      return cluster;
    } catch (RuntimeException | Error failure) {
      cluster.close();
      throw failure;
    }
  }

  /**
   * How many members there are.
   *
   * @return their number
   */
  public int size() {
    return members.size();
  }

  /**
   * One of the members.
   *
   * @param index from 0 on
   * @return the member
   */
  public Cohort member(int index) {
    return members.get(index);
  }

  /**
   * By which names the members know each other.
   *
   * @return the addresses
   */
  public List<String> addresses() {
    return List.copyOf(addresses);
  }

  /**
   * Makes a group on each member.
   *
   * @param newGroup makes the group of one member
   * @param <G> the type of groups
   * @return each member's group
   */
  public <G> List<G> groups(Function<? super Cohort, ? extends G> newGroup) {
    List<G> groups = new ArrayList<>();
    for (Cohort member : members) groups.add(newGroup.apply(member));
    return groups;
  }

  /**
   * Which member owns a key.
   *
   * @param key the key, in UTF-8
   * @return the member's index
   */
  public int owner(String key) {
    return owner(key.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Which member owns a key.
   *
   * @param key the bytes of the key
   * @return the member's index
   */
  public int owner(byte[] key) {
    return members.get(0).owner(key).map(addresses::indexOf).orElse(0);
  }

  /**
   * A key that a member owns.
   *
   * @param prefix how the key begins
   * @param owner the member's index
   * @return the key
   */
  public String keyOwnedBy(String prefix, int owner) {
    for (int i = 0;; i++) {
      if (owner(prefix + i) == owner) return prefix + i;
    }
  }

  /**
   * From now on requests of one member do not reach another one. Not for {@link #overHttp}.
   *
   * @param from who asks
   * @param to who is asked
   */
  public void cut(int from, int to) {
    cuts.add(List.of(from, to));
  }

  /**
   * From now on a member neither reaches the others nor is reached. Not for {@link #overHttp}.
   *
   * @param member the member's index
   */
  public void cutOff(int member) {
    for (int other = 0; other < size(); other++) {
      cut(member, other);
      cut(other, member);
    }
  }

  /** From now on everybody reaches everybody. Members may take a moment to try each other again. */
  public void heal() {
    cuts.clear();
  }

  /** Closes all members, without a grace. */
  @Override
  public void close() {
    CompletableFuture<?>[] ends = members.stream()
        .map(member -> CompletableFuture.runAsync(() -> member.close(Duration.ZERO))).toArray(CompletableFuture<?>[]::new);
    CompletableFuture.allOf(ends).join();
  }
}
