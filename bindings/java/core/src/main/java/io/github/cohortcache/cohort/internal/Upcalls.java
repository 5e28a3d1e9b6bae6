package io.github.cohortcache.cohort.internal;

import java.lang.ref.WeakReference;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the engine calls by itself: eviction listeners and hash functions, by the tags that C keeps for them. They may hold the
 * instance that they belong to, so what is kept here does not keep them alive: the instance does.
 */
public final class Upcalls {
  private static final ConcurrentHashMap<Long, WeakReference<?>> REGISTERED = new ConcurrentHashMap<>();

  private Upcalls() {}

  /** Told of an entry that has left a cache. */
  @FunctionalInterface
  public interface Evicted {
    /** Runs on a thread of the engine: hands the news on. */
    void evicted(int tier, int reason, byte[] key, byte[] value);
  }

  /** Hashes bytes to a place on the ring. */
  @FunctionalInterface
  public interface Hash {
    /** Runs on any thread. */
    long hash(byte[] data);
  }

  /** Knows a listener or a function until C forgets its tag. The caller keeps it. */
  public static long register(Object callee) {
    long tag = Queue.newTag();
    REGISTERED.put(tag, new WeakReference<>(callee));
    return tag;
  }

  private static Object callee(long tag) {
    WeakReference<?> weak = REGISTERED.get(tag);
    return weak == null ? null : weak.get();
  }

  /** How many are known. */
  public static int registered() {
    return REGISTERED.size();
  }

  // ---- called from C

  static void evicted(long tag, int tier, int reason, byte[] key, byte[] value) {
    try {
      if (callee(tag) instanceof Evicted listener) listener.evicted(tier, reason, key, value);
    } catch (Throwable failure) { // nothing may reach C
      log("an eviction listener failed", failure);
    }
  }

  static long hash(long tag, byte[] data) {
    try {
      if (callee(tag) instanceof Hash function) return function.hash(data);
    } catch (Throwable failure) { // nothing may reach C
      log("a hash function failed", failure);
    }
    return 0;
  }

  static void forget(long tag) {
    REGISTERED.remove(tag);
  }

  private static void log(String what, Throwable failure) {
    System.getLogger("io.github.cohortcache.cohort").log(System.Logger.Level.ERROR, what, failure);
  }
}
