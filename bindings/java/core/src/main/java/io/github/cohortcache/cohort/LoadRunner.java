package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Errors;
import io.github.cohortcache.cohort.internal.Event;
import io.github.cohortcache.cohort.internal.Native;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** Runs a group's loader, on the thread of a caller that leads or on the executor, and ends the load whatever it does. */
final class LoadRunner<K, V> {
  private final EngineGroup<K, V> group;
  private final Loader.WithContext<? super K, ? extends V> loader; // null: asynchronous
  private final AsyncLoader<? super K, ? extends V> asyncLoader;
  private final Executor executor;

  LoadRunner(EngineGroup<K, V> group, Loader.WithContext<? super K, ? extends V> loader,
      AsyncLoader<? super K, ? extends V> asyncLoader, Executor executor) {
    this.group = group;
    this.loader = loader;
    this.asyncLoader = asyncLoader;
    this.executor = executor;
  }

  /** Whether a caller may run the loader on its own thread. */
  boolean leads() {
    return loader != null;
  }

  /** Runs the loader on this thread for a caller that leads. */
  Entry<V> lead(long handle, K key, byte[] keyBytes) {
    Load load = new Load(handle, group.name, group.queue, executor);
    try {
      V value = run(load, key, keyBytes);
      return Entry.of(value, load.expireUnixNs(), Constants.COHORT_SOURCE_LOAD);
    } catch (Throwable failure) { // the loader's own, for everybody who waits
      load.fail(failure);
      throw Errors.thrown(failure);
    }
  }

  /** Runs the loader on the executor for those who wait in the engine. Called on the queue's thread. */
  void dispatch(Event event) {
    try {
      executor.execute(() -> serve(event.load));
    } catch (RuntimeException | Error full) { // it refuses, or there is no thread to be had
      new Load(event.load, group.name, group.queue, executor).fail(full);
    }
  }

  private void serve(long handle) {
    byte[] keyBytes = Native.cohort_java_load_key(handle);
    Load load = new Load(handle, group.name, group.queue, executor);
    try {
      K key = group.keys.decode(keyBytes);
      if (loader != null) {
        run(load, key, keyBytes);
      } else {
        begin(load, key, keyBytes);
      }
    } catch (Throwable failure) { // it has gone to those who wait
      load.fail(failure);
    }
  }

  private V run(Load load, K key, byte[] keyBytes) throws Exception {
    V value;
    LoadScope scope = LoadScope.enter(group, keyBytes);
    try {
      value = loader.load(key, load);
    } finally {
      scope.leave();
    }
    complete(load, key, value);
    return value;
  }

  private void begin(Load load, K key, byte[] keyBytes) throws Exception {
    load.abandonWhenForgotten();
    CompletionStage<? extends V> stage;
    LoadScope scope = LoadScope.enter(group, keyBytes);
    try {
      stage = asyncLoader.load(key, load);
    } finally {
      scope.leave();
    }
    if (stage == null) throw new NullPointerException("the loader of group '" + group.name + "' returned no stage");
    stage.whenComplete((value, failure) -> {
      if (failure != null) {
        boolean wrapped = failure instanceof CompletionException && failure.getCause() != null;
        load.fail(wrapped ? failure.getCause() : failure);
        return;
      }
      try {
        complete(load, key, value);
      } catch (RuntimeException | Error broken) {
        load.fail(broken);
      }
    });
  }

  private void complete(Load load, K key, V value) {
    if (value == null) throw new NotFoundException("the loader of group '" + group.name + "' has no value for the key");
    if (!load.hasExpiry()) load.expireAtUnixNs(group.expiry(key, value));
    group.values.with(value, load.expireUnixNs(), load::complete, load::complete);
  }
}
