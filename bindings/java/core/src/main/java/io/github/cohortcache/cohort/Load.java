package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Errors;
import io.github.cohortcache.cohort.internal.Failures;
import io.github.cohortcache.cohort.internal.Handles;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Queue;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;

/** One load under way: ended exactly once, by a value, a failure, or, when it was forgotten, by the garbage collector. */
final class Load implements LoadContext {
  private final String group;
  private final Queue queue;
  private final Executor executor;
  private final Open open;
  private Cleaner.Cleanable cleanable;
  private boolean hasExpiry;
  private long expireUnixNs;
  private AtomicReference<Runnable> onCancel;
  private long watchTag;

  /** The handle, apart from the Load, so that it can be freed when the Load has gone. 0 once the load has ended. */
  private static final class Open {
    private long handle;

    Open(long handle) {
      this.handle = handle;
    }

    synchronized long take() {
      long taken = handle;
      handle = 0;
      return taken;
    }

    void abandon() {
      long taken = take();
      if (taken != 0) Native.cohort_load_free(taken);
    }
  }

  Load(long handle, String group, Queue queue, Executor executor) {
    this.open = new Open(handle);
    this.group = group;
    this.queue = queue;
    this.executor = executor;
  }

  /** From now on nobody but a stage may hold this load: if that is forgotten, the load is abandoned. */
  void abandonWhenForgotten() {
    Open mine = open;
    cleanable = Handles.onUnreachable(this, mine::abandon);
  }

  /** Ends the load with bytes. Throws if they cannot be taken, which fails the load. */
  int complete(byte[] bytes) {
    long handle = end();
    return handle == 0 ? 0 : Native.cohort_load_complete(handle, bytes, expireUnixNs());
  }

  /** Ends the load with a value's handle, which stays the caller's. */
  int complete(long value) {
    long handle = end();
    return handle == 0 ? 0 : Native.cohort_load_complete_value(handle, value);
  }

  /** Ends the load with a failure, unless it has ended. */
  void fail(Throwable failure) {
    long handle = end();
    if (handle == 0) return;
    int status = failure instanceof NotFoundException ? Constants.COHORT_NOT_FOUND : Constants.COHORT_LOAD_FAILED;
    Failures.fail(failure, tag -> Native.cohort_load_fail(handle, status, Errors.message(failure), tag));
  }

  private long end() {
    long handle = open.take();
    synchronized (this) {
      if (watchTag != 0) queue.unlisten(watchTag);
    }
    if (cleanable != null) cleanable.clean();
    Reference.reachabilityFence(this);
    return handle;
  }

  /** When the value expires: what the loader said, else never. */
  synchronized long expireUnixNs() {
    return expireUnixNs;
  }

  synchronized boolean hasExpiry() {
    return hasExpiry;
  }

  @Override
  public String group() {
    return group;
  }

  @Override
  public void expireAt(Instant time) {
    expireAtUnixNs(Expiry.unixNs(time));
  }

  @Override
  public void expireAfter(Duration time) {
    expireAtUnixNs(Expiry.unixNs(time));
  }

  synchronized void expireAtUnixNs(long unixNs) {
    hasExpiry = true;
    expireUnixNs = unixNs;
  }

  @Override
  public boolean isCancelled() {
    synchronized (open) {
      return open.handle != 0 && Native.cohort_load_cancelled(open.handle) == 1;
    }
  }

  @Override
  public Duration timeLeft() {
    synchronized (open) {
      return Duration.ofMillis(open.handle == 0 ? 0 : Native.cohort_load_time_left_ms(open.handle));
    }
  }

  @Override
  public synchronized void onCancel(Runnable action) {
    if (onCancel != null) {
      onCancel.set(action);
      return;
    }
    synchronized (open) {
      if (open.handle == 0) return;
      AtomicReference<Runnable> box = onCancel = new AtomicReference<>(action);
      Executor runs = executor;
      Queue events = queue;
      long tag = watchTag = Queue.newTag();
      queue.listen(tag, event -> {
        events.unlisten(tag);
        Runnable cancel = box.get();
        if (cancel == null) return;
        try {
          runs.execute(cancel);
        } catch (RejectedExecutionException closing) {
          // The executor's owner does not want anything to run any more.
        }
      });
      try {
        Native.cohort_load_watch(open.handle, queue.handle(), tag);
      } catch (CohortClosedException closing) {
        queue.unlisten(tag);
      }
    }
  }
}
