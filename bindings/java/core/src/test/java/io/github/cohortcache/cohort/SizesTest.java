package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Keys and values of every size and kind come through whole, whatever a thread's own memory has room for. */
@Timeout(180)
class SizesTest {
  private static final List<String> KEYS = List.of("k", "k".repeat(959), "k".repeat(960), "k".repeat(961), "k".repeat(65_536),
      "schl\u00fcssel", "\u00ff", "\u0141", "\u65e5\u672c", "\ud83d\ude00", "\u00e9".repeat(480), "\u00e9".repeat(481), "\u0000\n\u007f\u0080");
  private static final List<Integer> SIZES = List.of(0, 1, 1000, 8191, 8192, 8193, 16_383, 16_384, 300_000);

  /** A value that tells its key's hash and its size. */
  private static String text(String key, int size) {
    String seed = Integer.toHexString(key.hashCode()) + "\u00e9";
    return seed.repeat(size / seed.length() + 1).substring(0, size);
  }

  private static <V> void assertEveryGet(Group<String, V> group, String key, V value) {
    assertEquals(value, group.get(key)); // loads it
    assertEquals(value, group.get(key));
    assertEquals(value, group.getEntry(key).value());
    assertEquals(Source.MAIN, group.getEntry(key).source());
    assertEquals(value, group.getAsync(key).join());
    assertEquals(value, group.peek(key).orElseThrow());
    assertEquals(value, group.peekEntry(key).orElseThrow().value());
    assertEquals(Map.of(key, value), group.getAll(List.of(key)));
    assertEquals(value, group.getResults(List.of(key), null).get(key).value());
    assertEquals(value, group.getResultsAsync(List.of(key), null).join().get(key).value());
  }

  @Test
  void keysOfEveryKind() {
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> "value of " + key).build();
      for (String key : KEYS) assertEveryGet(group, key, "value of " + key);
      assertEquals(KEYS.size(), group.stats().localLoads());
      Group<byte[], String> arrays = cohort.group("arrays", Codec.bytes(), Codec.utf8())
          .loader(key -> "value of " + new String(key, StandardCharsets.UTF_8)).build();
      for (String key : KEYS) assertEquals("value of " + key, arrays.get(key.getBytes(StandardCharsets.UTF_8)));
      Group<String, String> latin1 = cohort.group("latin1", Codec.latin1(), Codec.utf8()).loader(key -> "value of " + key).build();
      assertEveryGet(latin1, "\u00ff\u0080x", "value of \u00ff\u0080x");
      assertThrows(IllegalArgumentException.class, () -> latin1.get("\u0141"));
    }
  }

  @Test
  void onlyTheAdaptivePolicyKeepsWhatIsPopularBesideAScan() {
    try (Cohort cohort = Cohort.builder().build()) {
      for (Policy policy : Policy.values()) {
        Group<String, String> group =
            cohort.group(policy.name(), Codec.utf8()).maxEntries(16).policy(policy).loader(key -> "v").build();
        for (int i = 0; i < 50; i++) group.get("popular" + i % 10);
        for (int i = 0; i < 100; i++) group.get("once" + i);
        long kept = IntStream.range(0, 10).filter(i -> group.peek("popular" + i).isPresent()).count();
        assertEquals(policy == Policy.ADAPTIVE, kept >= 8, policy + " kept " + kept);
      }
    }
  }

  @Test
  void valuesOfEverySize() {
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> texts = cohort.group("texts", Codec.utf8()).loader(key -> text(key, Integer.parseInt(key))).build();
      Group<String, ByteBuffer> buffers = cohort.group("buffers", Codec.buffers())
          .loader(key -> StandardCharsets.UTF_8.encode(text(key, Integer.parseInt(key)))).build();
      Group<String, byte[]> arrays = cohort.group("arrays", Codec.bytes())
          .loader(key -> text(key, Integer.parseInt(key)).getBytes(StandardCharsets.UTF_8)).build();
      for (int size : SIZES) {
        String key = Integer.toString(size);
        assertEveryGet(texts, key, text(key, size));
        assertEveryGet(buffers, key, StandardCharsets.UTF_8.encode(text(key, size)));
        byte[] bytes = text(key, size).getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 2; i++) assertArrayEquals(bytes, arrays.get(key));
        assertArrayEquals(bytes, arrays.getAll(List.of(key)).get(key));
      }
    }
  }

  @Test
  void manyValuesOfEverySizeAtOnce() {
    try (Cohort cohort = Cohort.builder().build()) {
      for (int count : List.of(0, 1, 2, 100, 3000)) {
        Group<String, String> group = cohort.group("g" + count, Codec.utf8()).cacheBytes(256 << 20)
            .loader(key -> text(key, SIZES.get(key.hashCode() & 7))).build();
        List<String> keys = new ArrayList<>(IntStream.range(0, count).mapToObj(i -> "k\u00e9".substring(i & 1) + i).toList());
        Collections.shuffle(keys);
        for (String warm : keys.subList(0, count / 2)) group.get(warm);
        keys.addAll(keys.subList(0, count / 3)); // twice
        for (int i = 0; i < 2; i++) {
          Map<String, String> found = group.getAll(keys);
          assertEquals(keys.stream().distinct().toList(), List.copyOf(found.keySet()));
          found.forEach((key, value) -> assertEquals(text(key, SIZES.get(key.hashCode() & 7)), value));
        }
        assertEquals(count, group.stats().localLoads());
        group.resetCache(0);
      }
    }
  }

  /** A codec that gets, in the middle of a get. */
  private static final class Nosy implements Codec<String> {
    private Group<String, String> other;

    @Override
    public byte[] encode(String value) {
      assertEquals(List.of("other a", "other \u00e9"), List.copyOf(other.getAll(List.of("a", "\u00e9")).values()));
      assertEquals("other b", other.get("b"));
      return value.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String decode(byte[] bytes) {
      encode("");
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  @Test
  void aCodecMayGet() {
    try (Cohort cohort = Cohort.builder().build()) {
      Nosy nosy = new Nosy();
      nosy.other = cohort.group("other", Codec.utf8()).loader(key -> "other " + key).build();
      Group<String, String> group = cohort.group("g", nosy, nosy).loader(key -> "value of " + key).build();
      for (String key : List.of("x", "y\u00e9")) assertEveryGet(group, key, "value of " + key);
      assertEquals(List.of("value of x", "value of z"), List.copyOf(group.getAll(List.of("x", "z")).values()));
    }
  }

  /** On each thread by turns with others, and on virtual threads where the JDK has them. */
  @Test
  void threadsDoNotMixTheirKeys() throws Exception {
    ExecutorService threads;
    try {
      threads = (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (NoSuchMethodException old) {
      threads = Executors.newFixedThreadPool(8);
    }
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, String> group = cohort.group("g", Codec.utf8()).loader(key -> "value of " + key).build();
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        int first = i;
        ends.add(threads.submit(() -> {
          for (int j = 0; j < 40; j++) {
            String one = "k" + (first + j) % 300;
            String two = "schl\u00fcssel" + (first * 7 + j) % 300;
            assertEquals("value of " + one, group.get(one));
            assertEquals(Map.of(one, "value of " + one, two, "value of " + two), group.getAll(List.of(one, two)));
            CompletableFuture<String> later = group.getAsync(two);
            assertEquals("value of " + two, later.join());
          }
        }));
      }
      for (Future<?> end : ends) end.get();
    } finally {
      threads.shutdown();
    }
  }
}
