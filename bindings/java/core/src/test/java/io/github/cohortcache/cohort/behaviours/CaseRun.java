package io.github.cohortcache.cohort.behaviours;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.CohortBuilder;
import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.GroupBuilder;
import io.github.cohortcache.cohort.GroupStats;
import io.github.cohortcache.cohort.Result;
import io.github.cohortcache.cohort.Transport;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Runs one case of the list through the public face. */
final class CaseRun implements AutoCloseable {
  /** A step that found something else than expected. */
  static final class Wrong extends RuntimeException {
    private static final long serialVersionUID = 1;
    final int step;

    Wrong(String name, int step, String what) {
      super(name + ", step " + step + ": " + what);
      this.step = step;
    }
  }

  /** How the members of a case reach each other. */
  enum Network {
    HTTP, IN_PROCESS, REQUESTS, CALLS
  }

  private static final class Member {
    Cohort cohort;
    final Map<String, Group<String, byte[]>> groups = new HashMap<>(); // also those that were closed
    CompletableFuture<Void> closing;
  }

  private final JsonObject theCase;
  private final boolean async;
  private final Network network;
  private final Duration patience;
  private final StandardGetter getter = new StandardGetter();
  private final List<Member> members = new ArrayList<>();
  private final Expectation expectation = new Expectation(new HashMap<>(), new ArrayList<>());
  private final Map<String, List<CompletableFuture<byte[]>>> started = new HashMap<>();
  private final Set<String> picked = new HashSet<>();
  private final Set<String> deaf = ConcurrentHashMap.newKeySet();
  private final Transport inProcess = Transport.inProcess();

  /** async: the standard getter is an asynchronous loader. */
  CaseRun(JsonObject theCase, boolean async, Network network, Duration patience) {
    this.theCase = theCase;
    this.async = async;
    this.network = network;
    this.patience = patience;
  }

  void run() {
    int nodes = theCase.has("nodes") ? theCase.get("nodes").getAsInt() : 1;
    for (int i = 0; i < nodes; i++) {
      Member member = new Member();
      CohortBuilder builder = Cohort.builder().logger(System.Logger.Level.OFF, (level, line) -> {});
      String address = network == Network.HTTP ? "127.0.0.1:0" : "10.0.0." + i + ":80";
      if (nodes > 1) reachable(builder, address);
      member.cohort = builder.build();
      members.add(member);
      newGroup(i, "g");
      newGroup(i, "h");
      if (nodes > 1) expectation.addresses().add(listens() ? member.cohort.address().orElseThrow() : address);
    }
    for (int i = 0; nodes > 1 && i < nodes; i++) members.get(i).cohort.setPeers(expectation.addresses(), expectation.addresses().get(i));
    JsonArray steps = theCase.getAsJsonArray("steps");
    for (int i = 0; i < steps.size(); i++) {
      String wrong = step(steps.get(i).getAsJsonObject());
      if (wrong != null) throw new Wrong(theCase.get("name").getAsString(), i + 1, wrong);
    }
  }

  private boolean listens() {
    return network == Network.HTTP || network == Network.IN_PROCESS;
  }

  private void reachable(CohortBuilder builder, String address) {
    switch (network) {
      case HTTP -> builder.listen(address);
      case IN_PROCESS -> builder.transport(inProcess).listen(address);
      case REQUESTS -> builder.transport(Transport.requests((peer, request) -> reach(peer).handle(request, null)));
      case CALLS -> builder.transport(Transport.calls(call -> reach(call.peer()).answer(call)));
    }
  }

  /** The member at the other end of a transport of the test's own. */
  private Cohort reach(String peer) throws ConnectException {
    if (deaf.contains(peer)) throw new ConnectException(peer + " does not listen");
    return members.get(expectation.addresses().indexOf(peer)).cohort;
  }

  private void newGroup(int index, String name) {
    Member member = members.get(index);
    GroupBuilder<String, byte[]> builder = member.cohort.group(name, Codec.latin1(), Codec.bytes());
    if (theCase.has("cache_bytes")) builder.cacheBytes(theCase.get("cache_bytes").getAsLong());
    if (theCase.has("load_timeout_ms")) builder.loadTimeout(Duration.ofMillis(theCase.get("load_timeout_ms").getAsLong()));
    boolean none = theCase.has("no_getter_on") && theCase.getAsJsonArray("no_getter_on").contains(new com.google.gson.JsonPrimitive(index));
    if (!none && async) builder.asyncLoader((key, context) -> getter.loadLater(index, name, member.groups::get, key, context));
    if (!none && !async) builder.loader((key, context) -> getter.load(index, name, member.groups::get, key, context));
    member.groups.put(name, builder.build());
  }

  private interface Call {
    Answer run();
  }

  private static Answer answer(Call call) {
    try {
      return call.run();
    } catch (RuntimeException | Error failure) {
      return Answer.of(failure);
    }
  }

  private static Answer done(Runnable call) {
    return answer(() -> {
      call.run();
      return Answer.OK;
    });
  }

  private String waitFor(String what, BooleanSupplier condition) {
    Instant deadline = Instant.now().plus(patience);
    while (!condition.getAsBoolean()) {
      if (Instant.now().isAfter(deadline)) return what + ": not so after " + patience;
      LockSupport.parkNanos(100_000);
    }
    return null;
  }

  private static JsonObject expected(JsonObject step) {
    if (step.has("expect")) return step.getAsJsonObject("expect");
    JsonObject ok = new JsonObject();
    ok.addProperty("ok", true);
    return ok;
  }

  /** Runs one step; null: all is as expected. */
  private String step(JsonObject step) {
    int node = step.has("node") ? step.get("node").getAsInt() : 0;
    Member member = members.get(node);
    String name = step.has("group") ? step.get("group").getAsString() : "g";
    Group<String, byte[]> group = member.groups.get(name);
    String key = step.has("key") ? expectation.key(step.get("key")) : null;
    List<String> keys = new ArrayList<>();
    if (step.has("keys")) step.getAsJsonArray("keys").forEach(one -> keys.add(expectation.key(one)));
    Duration timeout = step.has("timeout_ms") ? Duration.ofMillis(step.get("timeout_ms").getAsLong()) : null;
    boolean scribble = step.has("scribble") && step.get("scribble").getAsBoolean();
    switch (step.get("do").getAsString()) {
      case "get" -> {
        Answer got = answer(() -> Answer.of(group.getEntry(key, timeout)));
        String wrong = expectation.mismatch(expected(step), got);
        if (scribble && got.value() != null) Arrays.fill(got.value(), (byte) '!');
        return wrong;
      }
      case "get_many" -> {
        return getMany(step, group, keys, timeout);
      }
      case "peek" -> {
        return expectation.mismatch(expected(step), answer(() -> group.peekEntry(key).map(Answer::of).orElseGet(Answer::miss)));
      }
      case "set" -> {
        byte[] value = expectation.bytes(step.get("value")).clone();
        Instant expire = step.has("expire_ms") ? Instant.now().plusMillis(step.get("expire_ms").getAsLong()) : null;
        Answer set = done(() -> group.put(key, value, expire));
        if (scribble) Arrays.fill(value, (byte) '!');
        return expectation.mismatch(expected(step), set);
      }
      case "remove" -> {
        return expectation.mismatch(expected(step), done(() -> group.invalidate(key)));
      }
      case "remove_keys" -> {
        return expectation.mismatch(expected(step), done(() -> group.invalidateAll(keys)));
      }
      case "start" -> {
        int count = step.has("count") ? step.get("count").getAsInt() : 1;
        List<CompletableFuture<byte[]>> begun = new ArrayList<>();
        for (int i = 0; i < count; i++) begun.add(group.getAsync(key, timeout));
        started.put(step.get("as").getAsString(), begun);
        return null;
      }
      case "await" -> {
        return await(step);
      }
      case "cancel" -> {
        started.get(step.get("as").getAsString()).forEach(one -> one.cancel(true));
        return null;
      }
      case "release" -> {
        getter.release(key);
        return null;
      }
      case "wait_loading" -> {
        int count = step.get("count").getAsInt();
        return waitFor("the getter is entered " + count + " times", () -> getter.entered(step.has("node") ? node : -1, name, key) >= count);
      }
      case "wait_gone" -> {
        return waitFor("it is gone", () -> group.peek(key).isEmpty());
      }
      case "loads" -> {
        int entered = getter.entered(step.has("node") ? node : -1, name, key);
        return entered == step.get("count").getAsInt() ? null : "the getter was entered " + entered + " times instead of " + step.get("count");
      }
      case "stats" -> {
        String field = step.get("field").getAsString();
        return waitFor(field + " is as said", () -> step.has("value") ? counter(group, field) == step.get("value").getAsLong()
            : counter(group, field) >= step.get("at_least").getAsLong());
      }
      case "reset_cache" -> {
        group.resetCache(step.get("cache_bytes").getAsLong());
        return null;
      }
      case "new_group" -> {
        String newName = new String(expectation.bytes(step.get("name")), StandardCharsets.UTF_8);
        return expectation.mismatch(expected(step), done(() -> newGroup(node, newName)));
      }
      case "close_group" -> {
        member.cohort.removeGroup(name);
        return null;
      }
      case "close" -> {
        member.closing = CompletableFuture.runAsync(() -> member.cohort.close(Duration.ZERO));
        return null;
      }
      case "closed" -> {
        return waitFor("the member is closed", member.closing::isDone);
      }
      case "stop_listening" -> {
        if (listens()) {
          member.cohort.stopListening(null);
        } else {
          deaf.add(expectation.addresses().get(node));
        }
        return null;
      }
      case "listen" -> {
        if (listens()) {
          member.cohort.listen(expectation.addresses().get(node));
        } else {
          deaf.remove(expectation.addresses().get(node));
        }
        return null;
      }
      case "set_peers" -> {
        List<String> peers = new ArrayList<>();
        step.getAsJsonArray("peers").forEach(peer -> peers.add(expectation.addresses().get(peer.getAsInt())));
        member.cohort.setPeers(peers, peers.isEmpty() ? "" : expectation.addresses().get(node));
        return null;
      }
      case "owned_key" -> {
        pick(step, member.cohort);
        return null;
      }
      default -> throw new AssertionError("the list has a step that this runner does not know: " + step);
    }
  }

  private String getMany(JsonObject step, Group<String, byte[]> group, List<String> keys, Duration timeout) {
    Map<String, Result<byte[]>> results;
    try {
      results = group.getResults(keys, timeout);
    } catch (RuntimeException whole) {
      return step.has("expect_all") ? expectation.mismatch(step.getAsJsonObject("expect_all"), Answer.of(whole)) : whole.toString();
    }
    List<Answer> answers = new ArrayList<>();
    for (String one : keys) {
      Result<byte[]> result = results.get(one);
      answers.add(result.failure().map(Answer::of).orElseGet(() -> Answer.of(result.entry())));
    }
    if (step.has("expect_all")) {
      for (Answer one : answers) {
        String wrong = expectation.mismatch(step.getAsJsonObject("expect_all"), one);
        if (wrong != null) return wrong;
      }
      return null;
    }
    JsonArray expect = step.getAsJsonArray("expect");
    if (expect.size() != answers.size()) return answers.size() + " answers instead of " + expect.size();
    List<String> order = new ArrayList<>(results.keySet());
    if (!order.equals(keys.stream().distinct().toList())) return "the order is another: " + order;
    for (int i = 0; i < answers.size(); i++) {
      String wrong = expectation.mismatch(expect.get(i).getAsJsonObject(), answers.get(i));
      if (wrong != null) return "number " + i + ": " + wrong;
    }
    return null;
  }

  private String await(JsonObject step) {
    for (CompletableFuture<byte[]> one : started.get(step.get("as").getAsString())) {
      Answer answer;
      try {
        answer = Answer.of(one.get(patience.toMillis(), TimeUnit.MILLISECONDS));
      } catch (TimeoutException never) {
        return "it has not ended after " + patience;
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      } catch (java.util.concurrent.ExecutionException | RuntimeException failure) {
        answer = Answer.of(failure);
      }
      String wrong = expectation.mismatch(expected(step), answer);
      if (wrong != null) return wrong;
    }
    return null;
  }

  private void pick(JsonObject step, Cohort cohort) {
    String owner = expectation.addresses().get(step.get("owner").getAsInt());
    String prefix = expectation.key(step.get("prefix"));
    for (int i = 0;; i++) {
      byte[] key = (prefix + i).getBytes(StandardCharsets.ISO_8859_1);
      if (!cohort.owner(key).orElseThrow().equals(owner) || !picked.add(prefix + i)) continue;
      expectation.vars().put(step.get("as").getAsString(), key);
      return;
    }
  }

  private static long counter(Group<String, byte[]> group, String field) {
    GroupStats s = group.stats();
    return switch (field) {
      case "gets" -> s.gets();
      case "cache_hits" -> s.cacheHits();
      case "loads" -> s.loads();
      case "loads_deduped" -> s.loadsDeduped();
      case "local_loads" -> s.localLoads();
      case "local_load_errors" -> s.localLoadErrors();
      case "peer_loads" -> s.peerLoads();
      case "peer_errors" -> s.peerErrors();
      case "remove_keys_requests" -> s.invalidateAllCalls();
      case "removed_keys" -> s.invalidateAllKeys();
      case "main_bytes" -> s.main().bytes();
      case "hot_bytes" -> s.hot().bytes();
      case "main_items" -> s.main().items();
      case "hot_items" -> s.hot().items();
      default -> throw new AssertionError("the list has a counter that this runner does not know: " + field);
    };
  }

  /** Releases all that hangs and closes every member. */
  @Override
  public void close() {
    getter.releaseAll();
    started.values().forEach(all -> all.forEach(one -> one.cancel(true)));
    members.forEach(member -> member.cohort.close(Duration.ZERO));
  }

  static boolean mentions(JsonElement json, String prefix) {
    return json.toString().contains("\"" + prefix);
  }
}
