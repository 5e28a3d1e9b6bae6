package io.github.cohortcache.cohort;

import java.util.ArrayDeque;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Where the program is called back, so that its code never runs on the queue's thread. */
final class Callbacks {
  private final Executor executor;

  Callbacks(Executor executor) {
    this.executor = executor;
  }

  /** Runs a task on the executor; here, if that does not want it: who waits for the task must not wait for ever. */
  void run(Runnable task) {
    try {
      executor.execute(task);
    } catch (RuntimeException | Error full) { // it refuses, or there is no thread to be had
      task.run();
    }
  }

  /** Completes a future with what a task returns or throws. */
  <T> void complete(CompletableFuture<T> future, Callable<T> task) {
    run(() -> settle(future, task));
  }

  static <T> void settle(CompletableFuture<T> future, Callable<T> task) {
    try {
      future.complete(task.call());
    } catch (Throwable failure) { // whatever it is, it is for those who wait
      future.completeExceptionally(failure);
    }
  }

  /** Tasks that run one after the other, in order. */
  final class Serial implements Executor {
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private boolean running;

    @Override
    public void execute(Runnable task) {
      synchronized (tasks) {
        tasks.add(task);
        if (running) return;
        running = true;
      }
      run(this::drain);
    }

    private void drain() {
      for (;;) {
        Runnable task;
        synchronized (tasks) {
          task = tasks.poll();
          if (task == null) {
            running = false;
            return;
          }
        }
        try {
          task.run();
        } catch (RuntimeException | Error failure) {
          // A logger that fails has nobody left to tell.
        }
      }
    }
  }
}
