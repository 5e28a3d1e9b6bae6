import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs operations on threads for a time and says how often, and how long they took. */
final class Measure {
  private static final int BITS = 7;

  private Measure() {}

  /** One operation; returns how many it was. */
  interface Op {
    int run(int call) throws Exception;
  }

  /** Makes the operation of a thread. */
  interface Make {
    Op make(int thread);
  }

  private static volatile boolean stop;

  private static final class Worker extends Thread {
    final Op op;
    final int turn;
    final long[] times;
    long done;

    Worker(Op op, int turn, boolean timed) {
      this.op = op;
      this.turn = turn;
      times = timed ? new long[64 << BITS] : null;
    }

    @Override
    public void run() {
      try {
        int calls = 0;
        do {
          done += times == null ? untimed(calls) : timed(calls);
          calls += turn;
        } while (!stop);
      } catch (Exception e) {
        throw Session.die(e.toString());
      }
    }

    private int untimed(int calls) throws Exception {
      int did = 0;
      for (int i = 0; i < turn; i++) {
        did += op.run(calls + i);
      }
      return did;
    }

    private int timed(int calls) throws Exception {
      int did = 0;
      for (int i = 0; i < turn; i++) {
        long begin = System.nanoTime();
        did += op.run(calls + i);
        times[bucket(System.nanoTime() - begin)]++;
      }
      return did;
    }
  }

  private static int bucket(long x) {
    if (x < 1 << BITS) {
      return (int) Math.max(x, 0);
    }
    int shift = 63 - Long.numberOfLeadingZeros(x) - BITS;
    return (shift + 1 << BITS) + (int) (x >> shift & (1 << BITS) - 1);
  }

  private static double quantileUs(long[] times, double q) {
    long left = 0;
    for (long count : times) {
      left += count;
    }
    left = (long) (left * q);
    for (int i = 0; i < times.length; i++) {
      left -= times[i];
      if (left < 0) {
        int shift = i >> BITS;
        return (shift == 0 ? i : (long) (i & (1 << BITS) - 1 | 1 << BITS) << shift - 1) / 1e3;
      }
    }
    return 0;
  }

  /** Measures n threads; between looks at whether the time is over there are `turn` operations. */
  static Map<String, Double> run(int n, double seconds, int turn, boolean timed, Make make) throws Exception {
    List<Worker> workers = new ArrayList<>();
    for (int t = 0; t < n; t++) {
      workers.add(new Worker(make.make(t), turn, timed));
    }
    stop = false;
    double cpu = cpuSeconds();
    long begin = System.nanoTime();
    workers.forEach(Thread::start);
    Thread.sleep((long) (seconds * 1000));
    stop = true;
    double operations = 0;
    long[] times = new long[64 << BITS];
    for (Worker worker : workers) {
      worker.join();
      operations += worker.done;
      for (int i = 0; timed && i < times.length; i++) {
        times[i] += worker.times[i];
      }
    }
    Map<String, Double> answer = new HashMap<>();
    answer.put("ops_per_s", operations / ((System.nanoTime() - begin) / 1e9));
    answer.put("cpu_us", (cpuSeconds() - cpu) / operations * 1e6);
    if (timed) {
      answer.put("p50_us", quantileUs(times, 0.5));
      answer.put("p99_us", quantileUs(times, 0.99));
      answer.put("p999_us", quantileUs(times, 0.999));
    }
    return answer;
  }

  private static double cpuSeconds() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
  }

  /** Resident memory of this process after collections that give back what they can, in bytes. */
  static double residentBytes() throws IOException, InterruptedException {
    for (int i = 0; i < 3; i++) {
      System.gc();
      Thread.sleep(50);
    }
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Double.parseDouble(line.replaceAll("[^0-9]", "")) * 1024;
      }
    }
    throw Session.die("there is no VmRSS");
  }

  /** What is alive on the heap. */
  static double heapBytes() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
