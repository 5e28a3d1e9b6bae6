package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whole processes: one that ends while everything is open, and children that are started meanwhile. */
@Timeout(180)
class ProcessTest {
  /** Ends in the middle of things. */
  static final class EndsOpen {
    public static void main(String[] arguments) {
      Cohort one = Cohort.builder().listen("127.0.0.1:0").build();
      Cohort two = Cohort.builder().listen("127.0.0.1:0").build();
      java.util.List<String> peers = java.util.List.of(one.address().orElseThrow(), two.address().orElseThrow());
      one.setPeers(peers);
      two.setPeers(peers);
      for (Cohort member : java.util.List.of(one, two)) {
        Group<String, String> group = member.group("g", Codec.utf8()).cacheBytes(100_000).evictionListener((key, value, cause) -> {})
            .asyncLoader((key, context) -> key.startsWith("hang") ? new CompletableFuture<>() : CompletableFuture.completedFuture(key))
            .build();
        for (int t = 0; t < 2; t++) {
          Thread thread = new Thread(() -> {
            Semaphore room = new Semaphore(1_000); // what is open stays small, however slow the machine
            for (int i = 0;; i++) {
              boolean hangs = i < 10_000 && i % 100 == 0;
              room.acquireUninterruptibly();
              group.getAsync((hangs ? "hang" : "k") + i).whenComplete((value, failure) -> room.release());
            }
          });
          thread.setDaemon(true);
          thread.start();
        }
        group.get("k");
        Until.so("it runs", () -> group.stats().loads() > 500);
      }
      System.exit(7);
    }
  }

  @RepeatedTest(3)
  void aProcessMayEndWhileEverythingIsOpen() throws Exception {
    Process process = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xcheck:jni", "-Xmx512m", "-cp",
        System.getProperty("java.class.path"), EndsOpen.class.getName())
        .redirectErrorStream(true).redirectOutput(File.createTempFile("ends", "open")).start();
    try {
      assertEquals(true, process.waitFor(120, TimeUnit.SECONDS));
      assertEquals(7, process.exitValue());
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void aChildProcessInheritsNothing() throws Exception {
    try (Cohort cohort = Cohort.builder().listen("127.0.0.1:0").build()) {
      String address = cohort.address().orElseThrow();
      Process child = new ProcessBuilder("sleep", "1000").start();
      cohort.stopListening(null);
      cohort.listen(address); // the child does not hold the port
      child.destroy();
      assertEquals(address, cohort.address().orElseThrow());
    }
  }
}
