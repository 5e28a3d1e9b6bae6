package io.github.cohortcache.cohort;

import java.util.Arrays;

/** Which loads run on this thread, innermost first: a loader that asks for the key that it loads would wait for itself. */
final class LoadScope {
  private static final ThreadLocal<LoadScope> INNERMOST = new ThreadLocal<>();

  private final EngineGroup<?, ?> group;
  private final byte[] key;
  private final LoadScope outer = INNERMOST.get();

  private LoadScope(EngineGroup<?, ?> group, byte[] key) {
    this.group = group;
    this.key = key;
  }

  /** A load begins on this thread; leave ends it. */
  static LoadScope enter(EngineGroup<?, ?> group, byte[] key) {
    LoadScope scope = new LoadScope(group, key);
    INNERMOST.set(scope);
    return scope;
  }

  /** Whether this thread runs any load. */
  static boolean any() {
    return INNERMOST.get() != null;
  }

  /** Whether this thread runs a load of the key. */
  static boolean loads(EngineGroup<?, ?> group, byte[] key) {
    for (LoadScope scope = INNERMOST.get(); scope != null; scope = scope.outer) {
      if (scope.group == group && Arrays.equals(scope.key, key)) return true;
    }
    return false;
  }

  void leave() {
    if (outer == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(outer);
    }
  }
}
