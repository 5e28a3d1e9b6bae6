package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.cohortcache.cohort.testing.TestCluster;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How many threads there are, and which of them run the program's code. */
@Timeout(180)
class ThreadsTest {
  private static final int MANY = 10_000;

  private static int threads() {
    String[] tasks = new File("/proc/self/task").list();
    assumeTrue(tasks != null, "threads are counted in /proc");
    return tasks.length;
  }

  @Test
  void tenThousandWaitingGetsHoldNoThreads() {
    List<CompletableFuture<String>> loading = java.util.Collections.synchronizedList(new ArrayList<>());
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).asyncLoader((key, context) -> {
        CompletableFuture<String> value = new CompletableFuture<>();
        loading.add(value);
        return value;
      }).build();
      CompletableFuture<String> first = group.getAsync("first");
      Until.so("the first one loads", () -> loading.size() == 1);
      int before = threads();
      List<CompletableFuture<String>> waiting = new ArrayList<>();
      for (int i = 0; i < MANY; i++) waiting.add(group.getAsync("k" + i));
      Until.so("all load", () -> loading.size() == MANY + 1);
      assertEquals(MANY + 1, group.stats().waiting());
      int during = threads();
      // Loaders are begun on the executor, of at most 64 threads.
      assertTrue(during <= before + 70, before + " threads before, " + during + " while " + MANY + " gets wait");
      System.out.println(MANY + " gets wait: " + before + " threads before, " + during + " meanwhile");
      loading.forEach(value -> value.complete("v"));
      first.join();
      waiting.forEach(get -> assertEquals("v", get.join()));
      assertEquals(0, group.stats().waiting());
    }
  }

  @Test
  void tenThousandVirtualThreadsWaitWithoutThreads() throws Exception {
    ExecutorService virtual;
    try {
      virtual = (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (ReflectiveOperationException | UnsupportedOperationException old) {
      assumeTrue(false, "this JDK has no virtual threads");
      return;
    }
    CompletableFuture<String> value = new CompletableFuture<>();
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> value.get()).build();
      int before = threads();
      List<Future<String>> waiting = new ArrayList<>();
      for (int i = 0; i < MANY; i++) {
        String key = "k" + i / 10; // some lead, most wait
        waiting.add(virtual.submit(() -> group.get(key)));
      }
      Until.so("all have asked", () -> group.stats().gets() == MANY);
      int during = threads();
      assertTrue(during <= before + 70, before + " threads before, " + during + " while " + MANY + " virtual threads wait");
      System.out.println(MANY + " virtual threads wait: " + before + " threads before, " + during + " meanwhile");
      value.complete("v");
      for (Future<String> one : waiting) assertEquals("v", one.get());
    } finally {
      virtual.shutdownNow();
    }
  }

  @Test
  void loadersThatWaitForOtherLoadersDoNotExhaustThePool() {
    try (TestCluster cluster = TestCluster.start(2)) {
      List<Group<String, String>> inner =
          cluster.groups(member -> member.group("inner", Codec.utf8()).loader(key -> "v" + key).build());
      List<Group<String, String>> outer = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        Group<String, String> mine = inner.get(i);
        outer.add(cluster.member(i).group("outer", Codec.utf8()).loader(key -> mine.get(key) + "!").build());
      }
      List<CompletableFuture<String>> all = new ArrayList<>();
      for (int i = 0; i < 1000; i++) all.add(outer.get(i % 2).getAsync("k" + i));
      for (int i = 0; i < 1000; i++) assertEquals("vk" + i + "!", all.get(i).join());
    }
  }

  @Test
  void theLoaderPoolRunsSixtyFourAtOnce() throws Exception {
    assumeTrue(Runtime.version().feature() < 21, "virtual threads are the default here");
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger entered = new AtomicInteger();
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> {
        entered.incrementAndGet();
        go.await();
        return key;
      }).build();
      List<CompletableFuture<String>> all = new ArrayList<>();
      for (int i = 0; i < 200; i++) all.add(group.getAsync("k" + i));
      Until.so("the pool is full", () -> entered.get() == 64);
      go.countDown();
      all.forEach(CompletableFuture::join);
    }
  }

  @Test
  void noCodeOfTheProgramRunsOnTheQueuesThread() {
    List<String> names = java.util.Collections.synchronizedList(new ArrayList<>());
    try (TestCluster cluster = TestCluster.overHttp(2, builder -> builder.name("queue-test").logger(System.Logger.Level.DEBUG,
        (level, line) -> names.add(Thread.currentThread().getName())))) {
      Codec<String> noisy = new Codec<>() {
        @Override
        public byte[] encode(String value) {
          names.add(Thread.currentThread().getName());
          return Codec.utf8().encode(value);
        }

        @Override
        public String decode(byte[] bytes) {
          names.add(Thread.currentThread().getName());
          return Codec.utf8().decode(bytes);
        }
      };
      List<Group<String, String>> groups = cluster.groups(member -> member.group("g", noisy).cacheBytes(4000)
          .evictionListener((key, value, cause) -> names.add(Thread.currentThread().getName())).loader((key, context) -> {
            context.onCancel(() -> names.add(Thread.currentThread().getName()));
            names.add(Thread.currentThread().getName());
            return key;
          }).build());
      for (int i = 0; i < 100; i++) {
        groups.get(0).getAsync("k" + i).thenAccept(value -> names.add(Thread.currentThread().getName())).join();
        groups.get(1).putAsync("k" + i, "v").thenRun(() -> names.add(Thread.currentThread().getName())).join();
        groups.get(0).getResultsAsync(List.of("a" + i), null).thenRun(() -> names.add(Thread.currentThread().getName())).join();
      }
    }
    assertFalse(names.isEmpty());
    assertTrue(names.stream().noneMatch(name -> name.endsWith("-events")), names.toString());
  }
}
