package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cohortcache.cohort.internal.Failures;
import io.github.cohortcache.cohort.internal.Upcalls;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Closing, forgetting, and what is under way meanwhile. */
@Timeout(120)
class LifetimeTest {
  private static boolean isClosed(Throwable failure) {
    return failure instanceof CohortClosedException;
  }

  @Test
  void closingEndsWhatWaits() throws Exception {
    CompletableFuture<String> slow = new CompletableFuture<>();
    CountDownLatch entered = new CountDownLatch(1);
    Cohort cohort = Cohort.builder().build();
    Group<String, String> group = cohort.group("g", Codec.utf8()).asyncLoader((key, context) -> {
      entered.countDown();
      return slow;
    }).build();
    CompletableFuture<String> async = group.getAsync("k");
    CompletableFuture<Object> blocking = CompletableFuture.supplyAsync(() -> group.get("k"));
    entered.await();
    Until.so("both wait", () -> group.stats().waiting() == 2);
    cohort.close(Duration.ZERO);
    assertTrue(isClosed(assertThrows(CompletionException.class, async::join).getCause()));
    assertTrue(isClosed(assertThrows(CompletionException.class, blocking::join).getCause()));
    slow.complete("late"); // nobody is there any more
    cohort.close();
  }

  @Test
  void everythingThatIsCalledAfterCloseSaysSo() {
    Cohort cohort = Cohort.builder().build();
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> key).build();
    assertEquals("k", group.get("k"));
    cohort.close();
    assertThrows(CohortClosedException.class, () -> group.get("k"));
    assertThrows(CohortClosedException.class, () -> group.get("other"));
    assertThrows(CohortClosedException.class, () -> group.put("k", "v"));
    assertThrows(CohortClosedException.class, () -> group.invalidate("k"));
    assertThrows(CohortClosedException.class, () -> group.invalidateAll(List.of("k")));
    assertThrows(CohortClosedException.class, () -> cohort.setPeers(List.of()));
    assertThrows(CohortClosedException.class, () -> cohort.listen("127.0.0.1:0"));
    assertThrows(CohortClosedException.class, () -> cohort.group("h", Codec.utf8()).build());
    for (CompletableFuture<?> future : List.of(group.getAsync("k"), group.putAsync("k", "v"), group.invalidateAsync("k"),
        group.getResultsAsync(List.of("k"), null),
        cohort.handle(new PeerRequest("GET", "/_groupcache/g/k", java.util.Map.of(), new byte[0]), null))) {
      assertTrue(isClosed(assertThrows(CompletionException.class, future::join).getCause()));
    }
    assertEquals(0, group.stats().main().items());
  }

  @Test
  void aRemovedGroupIsClosedAndItsNameFree() {
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> "old").build();
      assertEquals(Status.ALREADY_EXISTS,
          assertThrows(CohortException.class, () -> cohort.group("g", Codec.utf8()).build()).status());
      assertEquals("old", group.get("k"));
      cohort.removeGroup("g");
      cohort.removeGroup("g");
      assertThrows(CohortClosedException.class, () -> group.get("k"));
      Group<String, String> next = cohort.group("g", Codec.utf8()).loader(key -> "new").build();
      assertEquals("new", next.get("k"));
    }
  }

  @Test
  void closingWhileManyThreadsGetHurtsNobody() throws Exception {
    for (int round = 0; round < 20; round++) {
      Cohort cohort = Cohort.builder().build();
      Group<Integer, String> group = cohort.group("g", new Codec<Integer>() {
        @Override
        public byte[] encode(Integer key) {
          return key.toString().getBytes();
        }

        @Override
        public Integer decode(byte[] bytes) {
          return Integer.valueOf(new String(bytes));
        }
      }, Codec.utf8()).loader(key -> "v" + key).build();
      AtomicInteger gets = new AtomicInteger();
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        Thread thread = new Thread(() -> {
          try {
            for (int i = 0;; i++) {
              group.get(i % 1000);
              group.getAsync(i % 5000).join();
              gets.incrementAndGet();
            }
          } catch (CohortClosedException | CompletionException end) {
            // the end
          }
        });
        thread.start();
        threads.add(thread);
      }
      Until.so("gets run", () -> gets.get() >= 200);
      cohort.close(Duration.ZERO);
      for (Thread thread : threads) thread.join();
    }
  }

  @Test
  void aForgottenInstanceIsCollected() throws Exception {
    List<WeakReference<Cohort>> forgotten = new ArrayList<>();
    int before = Upcalls.registered();
    for (int i = 0; i < 10; i++) {
      Cohort cohort = Cohort.builder().name("forgotten").build();
      Group<String, String> group = cohort.group("g", Codec.utf8()).cacheBytes(1 << 20).loader(key -> key)
          .evictionListener((key, value, cause) -> {}).build();
      group.get("k");
      forgotten.add(new WeakReference<>(cohort));
    }
    for (WeakReference<Cohort> one : forgotten) {
      Until.collected("a forgotten instance is gone", () -> one.get() == null);
    }
    Until.collected("their threads have ended",
        () -> Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().equals("forgotten-events")));
    Until.collected("their listeners are gone", () -> Upcalls.registered() <= before);
  }

  /** Whether closed or not: a transport, a logger, a hash and a listener that hold their own instance do not keep it. */
  @Test
  void whatAnInstanceWasGivenMayHoldTheInstance() throws Exception {
    List<WeakReference<Cohort>> forgotten = new ArrayList<>();
    int before = Upcalls.registered();
    for (int i = 0; i < 10; i++) {
      Cohort[] own = new Cohort[1];
      own[0] = Cohort.builder().name("holding").transport(Transport.calls(call -> own[0].answer(call)))
          .logger(System.Logger.Level.DEBUG, (level, line) -> own[0].name()).hash(data -> own[0].name().length() + data.length)
          .build();
      own[0].setPeers(List.of("me", "other"), "me");
      Group<String, String> group = own[0].group("g", Codec.utf8()).cacheBytes(1 << 20).loader(key -> own[0].name())
          .evictionListener((key, value, cause) -> own[0].name()).build();
      assertEquals("holding", group.get("k"));
      forgotten.add(new WeakReference<>(own[0]));
      if (i % 2 == 0) own[0].close(Duration.ZERO);
    }
    for (WeakReference<Cohort> one : forgotten) {
      Until.collected("an instance is gone although it is held by what it holds", () -> one.get() == null);
    }
    Until.collected("their threads have ended",
        () -> Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().equals("holding-events")));
    Until.collected("their listeners are gone", () -> Upcalls.registered() <= before);
  }

  @Test
  void anInstanceThatListensIsNotForgotten() {
    String address;
    WeakReference<Cohort> weak;
    {
      Cohort cohort = Cohort.builder().listen("127.0.0.1:0").build();
      address = cohort.address().orElseThrow();
      weak = new WeakReference<>(cohort);
      cohort = null;
    }
    for (int i = 0; i < 5; i++) System.gc();
    assertEquals(address, weak.get().address().orElseThrow());
    weak.get().close(Duration.ZERO);
  }

  @Test
  void anExecutorThatRefusesFailsTheLoad() {
    ExecutorService executor = Executors.newSingleThreadExecutor();
    executor.shutdown();
    try (Cohort cohort = Cohort.builder().executor(executor).build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> key).build();
      assertEquals("k", group.get("k")); // this thread runs the loader
      CompletionException failure = assertThrows(CompletionException.class, () -> group.getAsync("other").join());
      assertTrue(failure.getCause() instanceof RejectedExecutionException);
    }
  }

  @Test
  void noExceptionIsKeptOnceAllHaveIt() throws Exception {
    CompletableFuture<String> slow = new CompletableFuture<>();
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).asyncLoader((key, context) -> slow).build();
      List<CompletableFuture<String>> all = new ArrayList<>();
      for (int i = 0; i < 100; i++) all.add(group.getAsync("k"));
      for (int i = 0; i < 10; i++) all.get(i).cancel(false);
      IllegalStateException thrown = new IllegalStateException("once");
      slow.completeExceptionally(thrown);
      for (int i = 10; i < 100; i++) {
        assertEquals(thrown, assertThrows(CompletionException.class, all.get(i)::join).getCause());
      }
      Until.so("no exception is kept", () -> Failures.open() == 0);
    }
  }

  @Test
  void aBuilderThatFailsLeavesNothingBehind() {
    assertEquals(Status.INVALID_ARGUMENT,
        assertThrows(CohortException.class, () -> Cohort.builder().replicas(0).build()).status());
    assertThrows(CohortException.class, () -> Cohort.builder().listen("nonsense").build());
    assertThrows(IllegalStateException.class, () -> Cohort.builder().peers("a:1").build());
    assertThrows(CohortException.class, () -> Cohort.builder().basePath("x").build());
    try (Cohort cohort = Cohort.builder().listen("127.0.0.1:0").build()) {
      CohortException taken =
          assertThrows(CohortException.class, () -> Cohort.builder().listen(cohort.address().orElseThrow()).build());
      assertEquals(Status.IO, taken.status());
      assertEquals(Status.INVALID_ARGUMENT,
          assertThrows(CohortException.class, () -> cohort.group("a/b", Codec.utf8()).build()).status());
    }
  }
}
