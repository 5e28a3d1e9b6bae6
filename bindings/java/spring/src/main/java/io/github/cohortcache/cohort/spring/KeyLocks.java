package io.github.cohortcache.cohort.spring;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** A lock for each key that is in use. */
final class KeyLocks {
  private static final class Lock extends ReentrantLock {
    private static final long serialVersionUID = 1;
    int users;
  }

  private final ConcurrentHashMap<String, Lock> locks = new ConcurrentHashMap<>();

  <T> T with(String key, Supplier<T> action) {
    Lock lock = locks.compute(key, (k, there) -> {
      Lock used = there == null ? new Lock() : there;
      used.users++;
      return used;
    });
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
      locks.compute(key, (k, there) -> --there.users == 0 ? null : there);
    }
  }
}
