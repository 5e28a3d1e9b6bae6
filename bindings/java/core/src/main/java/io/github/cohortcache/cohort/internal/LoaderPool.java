package io.github.cohortcache.cohort.internal;

import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Where loaders run unless the program has an executor of its own: virtual threads where the JDK has them, else a pool of
 * daemon threads that grows by one for each of its threads that waits in a get, so that loaders may get from other groups.
 */
public final class LoaderPool extends ThreadPoolExecutor {
  /** Most loaders that run at once, those that wait in a get not counted. */
  static final int THREADS = 64;

  private LoaderPool(String name) {
    super(THREADS, THREADS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    allowCoreThreadTimeOut(true);
    setThreadFactory(task -> new PoolThread(this, task, name + "-loader"));
  }

  /** The default executor. It needs no shutdown: it holds no thread while it is idle. */
  public static Executor newDefault(String name) {
    try {
      return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException | UnsupportedOperationException old) {
      return new LoaderPool(name);
    }
  }

  private static final class PoolThread extends Thread {
    final LoaderPool pool;

    PoolThread(LoaderPool pool, Runnable task, String name) {
      super(task, name);
      this.pool = pool;
      setDaemon(true);
    }
  }

  /** A thread's place that another one has while it waits. */
  interface Lent {
    void giveBack();
  }

  /** Whether another thread takes this one's place while it waits. */
  static boolean isRelieved() {
    return Thread.currentThread() instanceof PoolThread;
  }

  /** Called before a thread waits in a get: if it is a pool's, another one may take its place. Else null. */
  static Lent lend() {
    if (!(Thread.currentThread() instanceof PoolThread thread)) return null;
    thread.pool.resize(1);
    return () -> thread.pool.resize(-1);
  }

  private synchronized void resize(int change) {
    int size = getMaximumPoolSize() + change;
    if (change > 0) {
      setMaximumPoolSize(size);
      setCorePoolSize(size);
    } else {
      setCorePoolSize(size);
      setMaximumPoolSize(size);
    }
  }
}
