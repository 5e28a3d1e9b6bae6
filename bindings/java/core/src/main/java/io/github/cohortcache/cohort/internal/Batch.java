package io.github.cohortcache.cohort.internal;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;

/**
 * Memory of C's in which many gets leave their keys and find their answers: so many answers, the sizes of the keys, the keys, and
 * the values that fit. Each thread keeps one, unless it has grown large.
 */
public final class Batch {
  private static final int ANSWER = 48; // sizeof(cohort_answer_t), asserted in bindings/swig/java.i
  private static final int EXPIRE = 8;
  private static final int VALUE = 16;
  private static final int TICKET = 32;
  private static final int SOURCE = 40;
  private static final int KEPT = 512 * 1024;
  private static final int LARGEST_ROOM = 256 * 1024;
  private static final int ROOM = 2 * 1024; // for each value

  private ByteBuffer memory = ByteBuffer.allocateDirect(0);
  private long address;
  private byte[] text = new byte[0];
  private int many;
  private int added;
  private int keysAt;
  private int room;
  private int end; // of the keys so far, then of the values that were read

  private Batch() {}

  /** A batch for this thread, to which so many keys will be added. */
  public static Batch take(int many) {
    Scratch scratch = Scratch.take();
    Batch batch = scratch.batch;
    scratch.batch = null;
    scratch.giveBack();
    if (batch == null) batch = new Batch();
    batch.many = many;
    batch.added = 0;
    batch.keysAt = batch.end = Math.multiplyExact(many, ANSWER + Long.BYTES);
    batch.ensure(batch.end);
    return batch;
  }

  /** The end of its use; one that is not given back is garbage. */
  public void giveBack() {
    if (memory.capacity() > KEPT) return;
    Scratch scratch = Scratch.take();
    scratch.batch = this;
    scratch.giveBack();
  }

  private void ensure(long bytes) {
    if (bytes <= memory.capacity()) return;
    if (bytes > Integer.MAX_VALUE - 8) throw new IllegalArgumentException("the keys of one call have too many bytes; split them");
    int capacity = (int) Math.min(Integer.MAX_VALUE - 8, Math.max(bytes, 2L * memory.capacity()));
    ByteBuffer larger = ByteBuffer.allocateDirect(capacity).order(ByteOrder.nativeOrder());
    larger.put(0, memory, 0, memory.capacity());
    memory = larger;
    address = Native.cohort_java_address(larger);
  }

  // ---- the keys

  /** Adds a key of ASCII alone; false, and nothing is added, if it is not. */
  public boolean addAscii(String key) {
    ensure((long) end + key.length());
    if (Scratch.putAscii(key, memory, end) < 0) return false;
    added(key.length());
    return true;
  }

  /** Adds a key. */
  public void add(byte[] key) {
    ensure((long) end + key.length);
    memory.put(end, key);
    added(key.length);
  }

  private void added(int size) {
    memory.putLong(many * ANSWER + added++ * Long.BYTES, size);
    end += size;
  }

  // ---- the call

  /** Begins the gets; each that does not hit will bring an event to the queue, with firstTag and its place. Returns the hits. */
  public long begin(long group, long timeoutMs, long queue, long firstTag) {
    return begin(group, 0, timeoutMs, queue, firstTag);
  }

  /** As {@link #begin}, for a thread that will await those that do not hit. */
  long beginSeated(long group, long timeoutMs, long queue, long firstTag) {
    return begin(group, 1, timeoutMs, queue, firstTag);
  }

  private long begin(long group, int awaits, long timeoutMs, long queue, long firstTag) {
    room = (int) Math.min(LARGEST_ROOM, (long) many * ROOM);
    ensure((long) end + room);
    try {
      return Native.cohort_java_begin_many(group, address, many, end - keysAt, room, awaits, timeoutMs, queue, firstTag);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Waits for those that are missing, or some failures, as C says. */
  long await(long queue, long firstTag, int missing, long failed, int max) {
    try {
      return Native.cohort_java_await_many(queue, address, many, end - keysAt, room, firstTag, missing, failed, max);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Cancels every get that waits; one that has ended is not touched. */
  void cancel(long group) {
    for (int i = 0; i < many; i++) {
      if (ticket(i) != 0) Native.cohort_group_cancel(group, ticket(i));
    }
  }

  // ---- the answers; copies are read in the order of the keys, each once

  /** Whether get number i has hit. */
  public boolean hit(int i) {
    return source(i) != Constants.COHORT_SOURCE_NONE;
  }

  /** COHORT_SOURCE_* of a hit. */
  public int source(int i) {
    return memory.getInt(i * ANSWER + SOURCE);
  }

  /** When the value of a hit expires; 0 is never. */
  public long expireUnixNs(int i) {
    return memory.getLong(i * ANSWER + EXPIRE);
  }

  /** The handle of a hit's value, if that is not here; else 0. */
  public long value(int i) {
    return memory.getLong(i * ANSWER + VALUE);
  }

  /** The ticket of a get that waits; else 0. */
  public long ticket(int i) {
    return memory.getLong(i * ANSWER + TICKET);
  }

  /** The bytes of a value that is here, in a new array. */
  public byte[] copy(int i) {
    int at = next(i);
    byte[] bytes = new byte[size(i)];
    memory.get(at, bytes);
    return bytes;
  }

  /** A value that is here, as text. */
  public String text(int i, Charset charset) {
    int at = next(i);
    int size = size(i);
    if (text.length < size) text = new byte[Math.max(size, 2 * text.length)];
    memory.get(at, text, 0, size);
    return new String(text, 0, size, charset);
  }

  private int next(int i) {
    int at = end;
    end += size(i);
    return at;
  }

  private int size(int i) {
    return (int) memory.getLong(i * ANSWER);
  }
}
