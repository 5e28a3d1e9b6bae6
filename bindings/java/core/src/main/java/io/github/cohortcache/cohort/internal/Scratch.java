package io.github.cohortcache.cohort.internal;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Memory of C's in which a get leaves its key and finds its answer, so that a hit is one call and one new object. Each thread
 * keeps one; virtual threads, of which there may be millions, share a few. Taken for the few lines between a get's key
 * and its answer, in which no code of the program runs; one that is not given back is garbage.
 */
public final class Scratch {
  // The layout of cohort_java_scratch_t; asserted in bindings/swig/java.i.
  private static final int SIZE = 0;
  private static final int EXPIRE = 8;
  private static final int VALUE = 16;
  private static final int LOAD = 24;
  private static final int TICKET = 32;
  private static final int SOURCE = 40;
  private static final int TAG = 48;
  private static final int KEY = 64;
  private static final int COPY = 1024;
  private static final int COPY_BYTES = 8192;
  private static final int EVENT = COPY + COPY_BYTES;

  /** The longest key that fits. */
  public static final int KEY_BYTES = COPY - KEY;

  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);
  private static final int SHARED = 64;
  private static final AtomicReferenceArray<Scratch> OF_VIRTUAL_THREADS = new AtomicReferenceArray<>(SHARED);
  private static final MethodHandle IS_VIRTUAL = isVirtual(); // null: the JDK has no virtual threads

  private final ByteBuffer memory = ByteBuffer.allocateDirect(EVENT + Event.BYTES).order(ByteOrder.nativeOrder());
  private byte[] text = new byte[256];
  private final long address = Native.cohort_java_address(memory);
  private int slot = -1; // of a virtual thread: where it came from
  Batch batch; // null: taken
  boolean busy; // its thread waits for a get that is here: another one that runs meanwhile gets another scratch
  private Seat seat; // null: not yet
  private Seat seated;

  /** What begin has answered: COHORT_BEGIN_*. */
  public int began;
  /** The bytes of the key, if they were made for it; else null. */
  public byte[] key;

  private Scratch() {}

  private static MethodHandle isVirtual() {
    try {
      return MethodHandles.publicLookup().findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
    } catch (NoSuchMethodException | IllegalAccessException old) {
      return null;
    }
  }

  /** A scratch for this thread. */
  public static Scratch take() {
    if (onVirtualThread()) return takeShared();
    Scratch scratch = OF_THREAD.get();
    return scratch.busy ? new Scratch() : scratch;
  }

  private static boolean onVirtualThread() {
    if (IS_VIRTUAL == null) return false;
    try {
      return (boolean) IS_VIRTUAL.invokeExact(Thread.currentThread());
    } catch (Throwable never) {
      throw new AssertionError(never);
    }
  }

  private static Scratch takeShared() {
    int slot = System.identityHashCode(Thread.currentThread()) & SHARED - 1;
    Scratch free = OF_VIRTUAL_THREADS.getAndSet(slot, null);
    if (free == null) free = new Scratch();
    free.slot = slot;
    return free;
  }

  /** The end of its use. */
  public void giveBack() {
    if (slot >= 0) OF_VIRTUAL_THREADS.set(slot, this);
  }

  /** Where this thread waits; null: it is a virtual thread, which waits elsewhere. */
  public Seat seat() {
    if (slot >= 0) return null;
    if (seat == null) seat = new Seat(this);
    return seat;
  }

  /** The memory's address, while somebody holds this. */
  public long address() {
    return address;
  }

  // ---- the key

  /** Writes a key of ASCII alone. Returns its size; -1: it is not, or it does not fit. */
  public int putAscii(String key) {
    return key.length() > KEY_BYTES ? -1 : putAscii(key, memory, KEY);
  }

  /** Writes a key of at most {@link #KEY_BYTES} bytes. Returns its size. */
  public int put(byte[] key) {
    memory.put(KEY, key);
    return key.length;
  }

  /** Writes text of ASCII alone, for which there is room, into a buffer. Returns its size; -1: it is not. */
  static int putAscii(String text, ByteBuffer to, int at) {
    int length = text.length();
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c >= 0x80) return -1;
      to.put(at + i, (byte) c);
    }
    return length;
  }

  /**
   * Begins a get of the key that is here, keySize bytes long, or, if that is -1, of the given one.
   *
   * @param key the bytes of the key, if they were made for it; else null
   * @param in where this thread will wait; null: the event goes to the queue
   */
  public void begin(long group, byte[] key, int keySize, int flags, long timeoutMs, Seat in, long queue) {
    this.key = key;
    byte[] longKey = keySize < 0 ? key : null;
    seated = in;
    if (in != null) {
      began = in.begin(group, longKey, keySize, flags, timeoutMs);
    } else if (longKey == null) {
      began = Native.cohort_java_begin(group, address, keySize, flags, timeoutMs, queue);
    } else {
      began = Native.cohort_java_begin_key(group, address, longKey, flags, timeoutMs, queue);
    }
  }

  /** Where the thread waits for the get that is here; null: elsewhere. */
  public Seat seated() {
    return seated;
  }

  // ---- the answer

  /** Whether the value of a hit is here; else its handle is. */
  public boolean hasCopy() {
    return memory.getLong(VALUE) == 0;
  }

  /** The value's size. */
  public int size() {
    return (int) memory.getLong(SIZE);
  }

  /** When the value of a hit expires; 0 is never. */
  public long expireUnixNs() {
    return memory.getLong(EXPIRE);
  }

  /** COHORT_SOURCE_* of a hit. */
  public int source() {
    return memory.getInt(SOURCE);
  }

  /** The handle of a value that is not here. */
  public long value() {
    return memory.getLong(VALUE);
  }

  /** The handle of a load that this caller leads. */
  public long load() {
    return memory.getLong(LOAD);
  }

  /** The ticket of a pending get. */
  public long ticket() {
    return memory.getLong(TICKET);
  }

  void clearTicket() {
    memory.putLong(TICKET, 0);
  }

  /** The event that has come to the seat. */
  Event event() {
    return new Event(memory, EVENT);
  }

  /** The tag of the event of a pending get. */
  public long tag() {
    return memory.getLong(TAG);
  }

  /** The bytes of a value that is here, in a new array. */
  public byte[] copy() {
    byte[] bytes = new byte[size()];
    memory.get(COPY, bytes);
    return bytes;
  }

  /** A value that is here, as text. */
  public String text(Charset charset) {
    int size = size();
    if (size > text.length) text = new byte[Math.min(COPY_BYTES, 2 * size)];
    memory.get(COPY, text, 0, size);
    return new String(text, 0, size, charset);
  }
}
