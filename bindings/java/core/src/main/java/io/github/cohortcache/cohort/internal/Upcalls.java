package io.github.cohortcache.cohort.internal;

import java.util.concurrent.ConcurrentHashMap;

/** What the engine calls by itself: eviction listeners and hash functions, by the tags that C keeps for them. */
public final class Upcalls {
  private static final ConcurrentHashMap<Long, Object> REGISTERED = new ConcurrentHashMap<>();

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

  /** Keeps a listener or a function until C forgets its tag. */
  public static long register(Object callee) {
    long tag = Queue.newTag();
    REGISTERED.put(tag, callee);
    return tag;
  }

  /** How many are kept. */
  public static int registered() {
    return REGISTERED.size();
  }

  // ---- called from C

  static void evicted(long tag, int tier, int reason, byte[] key, byte[] value) {
    try {
      if (REGISTERED.get(tag) instanceof Evicted listener) listener.evicted(tier, reason, key, value);
    } catch (Throwable failure) { // nothing may reach C
      log("an eviction listener failed", failure);
    }
  }

  static long hash(long tag, byte[] data) {
    try {
      if (REGISTERED.get(tag) instanceof Hash function) return function.hash(data);
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
