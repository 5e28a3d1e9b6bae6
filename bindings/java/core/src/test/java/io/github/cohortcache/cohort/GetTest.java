package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Getting on one member: hits, loads, failures, waiting, many at once. */
@Timeout(120)
class GetTest {
  private final Cohort cohort = Cohort.builder().build();
  private final AtomicInteger loads = new AtomicInteger();

  @AfterEach
  void close() {
    cohort.close(Duration.ZERO);
  }

  private Group<String, String> greetings() {
    return cohort.group("greetings", Codec.utf8()).loader(key -> {
      loads.incrementAndGet();
      return "hello " + key;
    }).build();
  }

  @Test
  void aValueIsLoadedOnceAndThenHit() {
    Group<String, String> group = greetings();
    assertEquals("hello ada", group.get("ada"));
    assertEquals("hello ada", group.get("ada"));
    assertEquals("hello ada", group.getAsync("ada").join());
    assertEquals(1, loads.get());
    assertEquals(3, group.stats().gets());
    assertEquals(2, group.stats().cacheHits());
    assertEquals(1, group.stats().main().items());
  }

  @Test
  void anAsynchronousGetRunsTheLoaderOnTheExecutor() throws Exception {
    CompletableFuture<Thread> ran = new CompletableFuture<>();
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> {
      ran.complete(Thread.currentThread());
      return key;
    }).build();
    assertEquals("k", group.getAsync("k").get());
    assertFalse(ran.get() == Thread.currentThread());
  }

  @Test
  void aCallerThatLeadsRunsTheLoaderItself() {
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> Thread.currentThread().getName()).build();
    assertEquals(Thread.currentThread().getName(), group.get("k"));
  }

  @Test
  void anEntryTellsExpiryAndSource() {
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> key).expireAfterWrite(Duration.ofHours(1)).build();
    Entry<String> loaded = group.getEntry("k");
    assertEquals(Source.LOAD, loaded.source());
    Entry<String> cached = group.getEntry("k");
    assertEquals(Source.MAIN, cached.source());
    assertEquals(loaded.expiresAt(), cached.expiresAt());
    assertTrue(cached.expiresAt().orElseThrow().isAfter(java.time.Instant.now().plus(Duration.ofMinutes(50))));
  }

  @Test
  void theLoaderMaySetTheExpiry() {
    Group<String, String> group = cohort.group("g", Codec.utf8()).expireAfterWrite(Duration.ofHours(1)).loader((key, context) -> {
      context.expireAt(java.time.Instant.ofEpochSecond(4_000_000_000L));
      return key;
    }).build();
    group.get("k");
    assertEquals(Optional.of(java.time.Instant.ofEpochSecond(4_000_000_000L)), group.peekEntry("k").orElseThrow().expiresAt());
  }

  @Test
  void emptyAndLargeValuesAndKeysOfAnyBytesGoThrough() {
    Group<byte[], byte[]> group = cohort.group("g", Codec.bytes(), Codec.bytes()).loader(key -> key).build();
    byte[] all = new byte[256];
    for (int i = 0; i < 256; i++) all[i] = (byte) i;
    for (byte[] key : List.of(new byte[0], new byte[] {0}, all, new byte[5000])) {
      assertArrayEquals(key, group.get(key));
      assertArrayEquals(key, group.get(key));
      assertArrayEquals(key, group.getAsync(key).join());
    }
    byte[] large = new byte[3 << 20];
    large[large.length - 1] = 7;
    group.put(all, large);
    assertArrayEquals(large, group.get(all));
  }

  @Test
  void largeValuesComeAsViewsWithoutACopy() {
    Group<String, java.nio.ByteBuffer> group = cohort.group("g", Codec.buffers()).build();
    java.nio.ByteBuffer value = java.nio.ByteBuffer.allocateDirect(100_000);
    while (value.hasRemaining()) value.put((byte) 9);
    group.put("k", value.flip());
    java.nio.ByteBuffer view = group.get("k");
    assertTrue(view.isDirect() && view.isReadOnly());
    assertEquals(100_000, view.remaining());
    java.nio.ByteBuffer slice = group.getAsync("k").join().slice(50_000, 10);
    group.invalidate("k");
    for (int i = 0; i < 200; i++) { // whatever was freed is written over
      System.gc();
      group.put("other" + i, java.nio.ByteBuffer.allocateDirect(100_000));
    }
    cohort.close(Duration.ZERO);
    System.gc();
    assertEquals(value, view); // still there
    assertEquals(value.slice(50_000, 10), slice);
  }

  @Test
  void uncheckedExceptionsOfTheLoaderArriveAsThemselves() {
    IllegalStateException thrown = new IllegalStateException("broken");
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> {
      throw thrown;
    }).build();
    assertSame(thrown, assertThrows(IllegalStateException.class, () -> group.get("k")));
    CompletionException async = assertThrows(CompletionException.class, () -> group.getAsync("k").join());
    assertSame(thrown, async.getCause());
  }

  @Test
  void checkedExceptionsOfTheLoaderAreTheCause() {
    IOException thrown = new IOException("disk");
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> {
      throw thrown;
    }).build();
    assertSame(thrown, assertThrows(CompletionException.class, () -> group.get("k")).getCause());
  }

  @Test
  void errorsOfTheLoaderArriveAsThemselves() {
    StackOverflowError thrown = new StackOverflowError("deep");
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> {
      throw thrown;
    }).build();
    assertSame(thrown, assertThrows(StackOverflowError.class, () -> group.get("k")));
  }

  @Test
  void notFoundIsNoFailureOfFind() {
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> key.isEmpty() ? "" : null).build();
    assertThrows(NotFoundException.class, () -> group.get("k"));
    assertEquals(Optional.empty(), group.find("k"));
    assertEquals(Optional.of(""), group.find(""));
  }

  @Test
  void aGroupWithoutALoaderSaysSo() {
    Group<String, String> group = cohort.group("g", Codec.utf8()).build();
    assertEquals(Status.NO_LOADER, assertThrows(CohortException.class, () -> group.get("k")).status());
  }

  @Test
  void manyAtOnceTellHowEachEnded() {
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> {
      loads.incrementAndGet();
      if (key.startsWith("missing")) throw new NotFoundException("not found: " + key);
      if (key.startsWith("fail")) throw new IOException("load failed: " + key);
      return "v" + key;
    }).build();
    group.get("hit");
    Map<String, Result<String>> results = group.getResults(List.of("a", "missing-1", "hit", "fail-1", "a"), null);
    assertEquals(List.of("a", "missing-1", "hit", "fail-1"), new ArrayList<>(results.keySet()));
    assertEquals("va", results.get("a").value());
    assertEquals(Source.MAIN, results.get("hit").entry().source());
    assertTrue(results.get("missing-1").isNotFound());
    assertEquals("load failed: fail-1", results.get("fail-1").failure().orElseThrow().getMessage());
    assertEquals(Map.of("a", "va", "hit", "vhit"), group.getAll(List.of("a", "missing-1", "hit")));
    assertThrows(CompletionException.class, () -> group.getAll(List.of("a", "fail-1")));
    assertEquals(Map.of(), group.getAll(List.of()));
    assertEquals("vb", group.getResultsAsync(List.of("b"), Duration.ofMinutes(1)).join().get("b").value());
  }

  @Test
  void theTimeoutEndsTheWaitAndNotTheLoad() throws Exception {
    CompletableFuture<String> slow = new CompletableFuture<>();
    Group<String, String> group = cohort.group("g", Codec.utf8()).asyncLoader((key, context) -> slow).build();
    CompletableFuture<String> patient = group.getAsync("k");
    assertThrows(CohortTimeoutException.class, () -> group.get("k", Duration.ofMillis(20)));
    assertTrue(assertThrows(CompletionException.class, () -> group.getAsync("k", Duration.ofMillis(20)).join())
        .getCause() instanceof CohortTimeoutException);
    slow.complete("late");
    assertEquals("late", patient.get());
  }

  @Test
  void cancellingEndsOneWaitAndTheLastOneTellsTheLoader() throws Exception {
    CompletableFuture<String> slow = new CompletableFuture<>();
    CountDownLatch cancelled = new CountDownLatch(1);
    CompletableFuture<LoadContext> context = new CompletableFuture<>();
    Group<String, String> group = cohort.group("g", Codec.utf8()).asyncLoader((key, c) -> {
      c.onCancel(cancelled::countDown);
      context.complete(c);
      return slow;
    }).build();
    CompletableFuture<String> one = group.getAsync("k");
    CompletableFuture<String> two = group.getAsync("k");
    assertTrue(context.get().timeLeft().compareTo(Duration.ofSeconds(1)) > 0);
    one.cancel(true);
    assertEquals(1, group.stats().loading());
    assertFalse(context.get().isCancelled());
    assertFalse(two.isDone());
    two.cancel(true);
    cancelled.await();
    assertTrue(context.get().isCancelled());
    slow.complete("nobody wants it");
    assertNotNull(group);
  }

  @Test
  void aForgottenStageEndsItsLoad() {
    Group<String, String> group = cohort.group("g", Codec.utf8()).asyncLoader((key, context) -> new CompletableFuture<>()).build();
    CompletableFuture<String> future = group.getAsync("k");
    Until.collected("the stage is found", future::isDone);
    CompletionException failure = assertThrows(CompletionException.class, future::join);
    assertEquals(Status.LOAD_ABANDONED, ((CohortException) failure.getCause()).status());
  }

  @Test
  void anInterruptEndsTheWait() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CompletableFuture<String> slow = new CompletableFuture<>();
    Group<String, String> group = cohort.group("g", Codec.utf8()).asyncLoader((key, context) -> {
      entered.countDown();
      return slow;
    }).build();
    CompletableFuture<Object> end = new CompletableFuture<>();
    Thread waiter = new Thread(() -> {
      try {
        end.complete(group.get("k"));
      } catch (CohortException e) {
        end.complete(e.status() + " " + Thread.currentThread().isInterrupted());
      }
    });
    waiter.start();
    entered.await();
    waiter.interrupt();
    assertEquals("CANCELLED true", end.get());
    slow.complete("x");
  }

  @Test
  void aLoaderThatAsksForItsOwnKeyIsTold() {
    List<Group<String, String>> self = new ArrayList<>();
    Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> self.get(0).get(key)).build();
    self.add(group);
    assertEquals(Status.WOULD_DEADLOCK, assertThrows(CohortException.class, () -> group.get("k")).status());
    CompletionException async = assertThrows(CompletionException.class, () -> group.getAsync("k2").join());
    assertEquals(Status.WOULD_DEADLOCK, ((CohortException) async.getCause()).status());
    Group<String, String> many = cohort.group("many", Codec.utf8()).loader(key -> self.get(1).getAll(List.of("other", key)).get(key)).build();
    self.add(many);
    assertEquals(Status.WOULD_DEADLOCK, assertThrows(CohortException.class, () -> many.get("k")).status());
  }

  @Test
  void aLoaderMayGetFromAnotherGroup() {
    Group<String, String> inner = greetings();
    Group<String, String> outer = cohort.group("outer", Codec.utf8()).loader(key -> inner.get(key) + "!").build();
    assertEquals("hello ada!", outer.get("ada"));
    assertEquals("hello bob!", outer.getAsync("bob").join());
  }

  @Test
  void badSizesAreTold() {
    Group<byte[], byte[]> group = cohort.group("g", Codec.bytes(), Codec.bytes()).loader(key -> key).build();
    assertEquals(Status.TOO_LARGE, assertThrows(CohortException.class, () -> group.get(new byte[65_537])).status());
    assertEquals(65_536, group.get(new byte[65_536]).length);
    assertThrows(NullPointerException.class, () -> group.get(null));
    assertEquals(Status.INVALID_ARGUMENT,
        assertThrows(CohortException.class, () -> group.put(new byte[0], new byte[0])).status());
  }
}
