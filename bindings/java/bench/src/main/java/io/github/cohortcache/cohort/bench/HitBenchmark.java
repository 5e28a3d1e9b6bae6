package io.github.cohortcache.cohort.bench;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A get that hits. Caffeine hands out an object that it keeps on the heap; Cohort makes one of bytes that it keeps outside,
 * which is what the difference is made of.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class HitBenchmark {
  private static final int KEYS = 1 << 10;

  /** The size of each value. */
  @Param({"64", "1024", "65536"})
  public int size;

  private final String[] keys = new String[KEYS];
  private Cohort cohort;
  private Group<String, byte[]> bytes;
  private Group<String, ByteBuffer> buffers;
  private LoadingCache<String, byte[]> caffeine;

  /** Each thread goes through the keys on its own. */
  @State(Scope.Thread)
  public static class Position {
    int at;

    int next() {
      at = at + 7 & KEYS - 1;
      return at;
    }
  }

  /** Fills the caches. */
  @Setup
  public void fill() {
    cohort = Cohort.builder().build();
    bytes = cohort.group("bytes", Codec.bytes()).cacheBytes(512 << 20).loader(key -> new byte[size]).build();
    buffers = cohort.group("buffers", Codec.buffers()).cacheBytes(512 << 20).loader(key -> ByteBuffer.allocate(size)).build();
    caffeine = Caffeine.newBuilder().maximumSize(4 * KEYS).build(key -> new byte[size]);
    for (int i = 0; i < KEYS; i++) {
      keys[i] = "user:" + (1_000_000 + i);
      bytes.get(keys[i]);
      buffers.get(keys[i]);
      caffeine.get(keys[i]);
    }
  }

  /** Ends the instance. */
  @TearDown
  public void close() {
    cohort.close();
  }

  /** Cohort, a new array each time. */
  @Benchmark
  public byte[] cohortBytes(Position position) {
    return bytes.get(keys[position.next()]);
  }

  /** Cohort, a view of large values. */
  @Benchmark
  public ByteBuffer cohortBuffers(Position position) {
    return buffers.get(keys[position.next()]);
  }

  /** Cohort, a future that is complete. */
  @Benchmark
  public byte[] cohortAsync(Position position) {
    return bytes.getAsync(keys[position.next()]).join();
  }

  /** Caffeine, the object that it keeps. */
  @Benchmark
  public byte[] caffeine(Position position) {
    return caffeine.get(keys[position.next()]);
  }

  /** Caffeine, and a copy, so that the caller may change what he gets. */
  @Benchmark
  public byte[] caffeineCopied(Position position) {
    return caffeine.get(keys[position.next()]).clone();
  }
}
