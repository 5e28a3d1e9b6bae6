package io.github.cohortcache.cohort.bench;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A get that loads a value of 1 KiB, which the loader has at once. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class MissBenchmark {
  private final byte[] value = new byte[1024];
  private final AtomicLong last = new AtomicLong();
  private Cohort cohort;
  private Group<String, byte[]> group;
  private LoadingCache<String, byte[]> caffeine;

  /** Makes the caches. */
  @Setup
  public void open() {
    cohort = Cohort.builder().build();
    group = cohort.group("g", Codec.bytes()).cacheBytes(64 << 20).loader(key -> value).build();
    caffeine = Caffeine.newBuilder().maximumSize(50_000).build(key -> value);
  }

  /** Ends the instance. */
  @TearDown
  public void close() {
    cohort.close();
  }

  /** Cohort: the caller runs the loader. */
  @Benchmark
  public byte[] cohortLeads() {
    return group.get("k" + last.incrementAndGet());
  }

  /** Cohort: the loader runs on the executor, the caller waits for a future. */
  @Benchmark
  public byte[] cohortAsync() {
    return group.getAsync("k" + last.incrementAndGet()).join();
  }

  /** Caffeine: the caller runs the loader. */
  @Benchmark
  public byte[] caffeine() {
    return caffeine.get("k" + last.incrementAndGet());
  }
}
