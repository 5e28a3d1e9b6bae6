package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a hit allocates on Java's heap: what it returns, and nothing else. Counted by the JVM on the thread that gets. */
@Timeout(180)
class AllocationTest {
  private static final int SIZE = 1000;
  private static final int HEADER = 16; // of an array, rounded up
  private static final int TIMES = 10_000;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static Object kept;

  /** Bytes of one call, when the first ones have made what lasts. */
  private static double bytesOf(Runnable call) {
    for (int i = 0; i < 3; i++) call.run();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < TIMES; i++) call.run();
    return (THREADS.getCurrentThreadAllocatedBytes() - before) / (double) TIMES;
  }

  private static void assertAllocates(double bytes, Runnable call) {
    double found = bytesOf(call);
    // Now and then the compiler or a profiler makes something on this thread.
    assertTrue(found >= bytes && found < bytes + 1, "allocates " + found + " bytes in place of " + bytes);
  }

  @Test
  void aHitOfBytesAllocatesItsArray() {
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, byte[]> group = cohort.group("g", Codec.bytes()).loader(key -> new byte[SIZE]).build();
      assertEquals(SIZE, group.get("key").length);
      assertAllocates(SIZE + HEADER, () -> kept = group.get("key"));
    }
  }

  @Test
  void aHitOfTextAllocatesTheText() {
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> "v".repeat(SIZE)).build();
      group.get("key");
      assertAllocates(bytesOf(() -> kept = "v".repeat(SIZE)), () -> kept = group.get("key"));
    }
  }

  @Test
  void manyHitsAllocateTheirArraysAndTheMap() {
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, byte[]> group = cohort.group("g", Codec.bytes()).loader(key -> new byte[SIZE]).build();
      List<String> keys = IntStream.range(0, 100).mapToObj(i -> "key:" + i).toList();
      group.getAll(keys);
      double each = bytesOf(() -> kept = group.getAll(keys)) / keys.size();
      // An entry of the map and its place in the table: 48 bytes, some more while the table grows.
      assertTrue(each > SIZE + HEADER && each < SIZE + HEADER + 100, each + " bytes for each");
    }
  }

  @Test
  void aHitOfALargeBufferAllocatesNoneOfItsBytes() {
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, ByteBuffer> group =
          cohort.group("g", Codec.buffers()).loader(key -> ByteBuffer.allocate(100 * SIZE)).build();
      group.get("key");
      double each = bytesOf(() -> kept = group.get("key"));
      assertTrue(each < SIZE, each + " bytes");
    }
  }
}
