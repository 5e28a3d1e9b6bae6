package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cohortcache.cohort.internal.Failures;
import io.github.cohortcache.cohort.internal.Upcalls;
import io.github.cohortcache.cohort.testing.TestCluster;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Ten minutes of everything: memory, descriptors, threads and references do not grow. Only with COHORT_LONG=1. */
@EnabledIfEnvironmentVariable(named = "COHORT_LONG", matches = "1")
class SoakTest {
  private static long residentKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
  }

  private static int count(String folder) {
    return new File(folder).list().length;
  }

  private static void round() {
    try (TestCluster cluster = TestCluster.overHttp(3, builder -> {})) {
      List<Group<String, String>> groups = cluster.groups(member -> member.group("g", Codec.utf8()).cacheBytes(1 << 20)
          .evictionListener((key, value, cause) -> {}).loader(key -> {
            if (key.endsWith("7")) throw new IllegalStateException(key);
            return key + ".".repeat(2000);
          }).build());
      for (int i = 0; i < 3000; i++) {
        Group<String, String> group = groups.get(i % 3);
        try {
          group.get("k" + i % 1000);
          group.getAsync("a" + i % 2000).join();
          if (i % 50 == 0) group.put("k" + i, "v");
          if (i % 70 == 0) group.invalidate("k" + i);
          if (i % 100 == 0) group.getResults(List.of("x" + i, "y7", "z" + i), Duration.ofSeconds(30));
        } catch (IllegalStateException | CohortLoadException | CompletionException expected) {
          // the loader's own
        }
      }
    }
  }

  /** In a JVM of its own, whose small heap cannot hide what grows outside of it. */
  @Test
  void nothingGrows() throws Exception {
    ProcessBuilder builder = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx96m", "-XX:+UseSerialGC", "-cp",
        System.getProperty("java.class.path"), SoakTest.class.getName()).inheritIO();
    // What each thread's malloc keeps for itself counts as in use, and grows for a long time with many threads.
    builder.environment().put("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
    assertEquals(0, builder.start().waitFor());
  }

  public static void main(String[] arguments) throws Exception {
    long seconds = Long.parseLong(System.getenv().getOrDefault("COHORT_SOAK_SECONDS", "600"));
    Instant end = Instant.now().plusSeconds(seconds);
    Instant warm = Instant.now().plusSeconds(seconds / 4);
    int rounds = 0;
    long memory = 0;
    int threads = 0;
    int descriptors = 0;
    for (; threads == 0 || Instant.now().isBefore(end); rounds++) {
      round();
      if (threads == 0 && Instant.now().isAfter(warm)) {
        settle();
        memory = residentKib();
        threads = count("/proc/self/task");
        descriptors = count("/proc/self/fd");
      }
    }
    settle();
    String before = memory + " KiB, " + threads + " threads, " + descriptors + " descriptors";
    String after = residentKib() + " KiB, " + count("/proc/self/task") + " threads, " + count("/proc/self/fd") + " descriptors";
    System.out.println(rounds + " rounds; after a quarter of the time " + before + ", at the end " + after);
    boolean grew = residentKib() > memory * 1.15 + 8 * 1024 || count("/proc/self/task") > threads + 10
        || count("/proc/self/fd") > descriptors + 10;
    Until.so("no exception is kept", () -> Failures.open() == 0);
    Until.collected("no listener is kept", () -> Upcalls.registered() == 0);
    System.exit(grew ? 1 : 0);
  }

  private static void settle() {
    for (int i = 0; i < 5; i++) System.gc();
    Until.collected("the instances have gone",
        () -> Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().startsWith("cohort-release")));
  }
}
