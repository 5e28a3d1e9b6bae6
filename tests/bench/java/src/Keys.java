import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Keys and the order in which they are asked for: the same in every language. */
final class Keys {
  /** The size of each value but for fill. */
  static final int VALUE_BYTES = 1024;

  /** How many draws an order has; then it begins again. */
  static final int ORDER = 1 << 18;

  private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  final String[] keys;
  private final int[][] orders = new int[8][];

  /** The keys of a process, and the orders in which its threads ask for them. */
  Keys(int entries) {
    keys = all(entries);
    for (int t = 0; t < orders.length; t++) {
      orders[t] = zipfOrder(entries, t);
    }
  }

  String key(int thread, int call) {
    return keys[orders[thread % orders.length][call & ORDER - 1]];
  }

  /** The i-th key, of 12 bytes. */
  static String key(int i) {
    char[] text = "key-00000000".toCharArray();
    for (int at = text.length - 1; i > 0; i /= 10) {
      text[at--] = (char) ('0' + i % 10);
    }
    return new String(text);
  }

  /** What key made the key of. */
  static int numberOf(String key) {
    return Integer.parseInt(key, "key-".length(), key.length(), 10);
  }

  /**
   * The value of the i-th key, which each language makes in the same way: the first word of Random(i), little endian, again and
   * again. Every byte is written, so that no value is a page of zeroes that the kernel shares among all of them.
   */
  static byte[] value(int i, int size) {
    byte[] value = new byte[size];
    long word = new Random(i).next();
    int at = 0;
    for (; at + Long.BYTES <= size; at += Long.BYTES) {
      WORD.set(value, at, word);
    }
    for (; at < size; at++, word >>>= Byte.SIZE) {
      value[at] = (byte) word;
    }
    return value;
  }

  static String[] all(int entries) {
    String[] keys = new String[entries];
    Arrays.setAll(keys, Keys::key);
    return keys;
  }

  /** splitmix64 (Steele, Lea and Flood 2014), which each language of the benchmarks has in the same words. */
  static final class Random {
    private long state;

    Random(long seed) {
      state = seed;
    }

    long next() {
      long x = state += 0x9e3779b97f4a7c15L;
      x = (x ^ x >>> 30) * 0xbf58476d1ce4e5b9L;
      x = (x ^ x >>> 27) * 0x94d049bb133111ebL;
      return x ^ x >>> 31;
    }

    int below(int n) {
      return (int) Long.remainderUnsigned(next(), n);
    }
  }

  /** What a byte of each value that a thread gets is added to, so that nobody leaves out reading it; far from other threads'. */
  static final class Consumer {
    private final long[] sum = new long[32];

    void consume(byte[] value) {
      sum[16] += value[VALUE_BYTES / 2];
    }
  }

  /** Numbers below n by a Zipf distribution with exponent 0.99; popular ones are spread over all of them. */
  private static int[] zipfOrder(int n, long seed) {
    double[] sums = new double[n];
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += Math.pow(i + 1, -0.99);
      sums[i] = sum;
    }
    Random random = new Random(seed);
    int[] order = new int[ORDER];
    for (int i = 0; i < ORDER; i++) {
      int found = Arrays.binarySearch(sums, (random.next() >>> 11) * 0x1p-53 * sum);
      int rank = Math.min(found < 0 ? -found - 1 : found, n - 1);
      order[i] = (int) (rank * 48271L % n);
    }
    return order;
  }
}
