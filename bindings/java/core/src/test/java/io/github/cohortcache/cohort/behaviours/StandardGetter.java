package io.github.cohortcache.cohort.behaviours;

import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.LoadContext;
import io.github.cohortcache.cohort.NotFoundException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** The list's standard getter, for all members of one case: makes values from keys, counts its runs, hangs until released. */
final class StandardGetter {
  private record Run(int member, String group, String key) {}

  private final ConcurrentHashMap<Run, AtomicInteger> runs = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, CompletableFuture<Void>> hanging = new ConcurrentHashMap<>();
  private volatile boolean allReleased;

  /** The text that messages have of a key. */
  static String shown(String key) {
    return new String(key.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  int entered(int member, String group, String key) {
    return runs.entrySet().stream().filter(e -> (member < 0 || e.getKey().member == member)
        && e.getKey().group.equals(group) && e.getKey().key.equals(key)).mapToInt(e -> e.getValue().get()).sum();
  }

  void release(String key) {
    hanging.computeIfAbsent(key, k -> new CompletableFuture<>()).complete(null);
  }

  void releaseAll() {
    allReleased = true;
    hanging.values().forEach(one -> one.complete(null));
  }

  /** Runs on a thread of its own: may block. groups finds the groups of the same member. */
  byte[] load(int member, String group, Function<String, Group<String, byte[]>> groups, String key, LoadContext context) {
    int run = enter(member, group, key);
    if (key.startsWith("hang-")) awaitRelease(key, context).join();
    return answer(group, groups, key, run, context);
  }

  /** The same without holding a thread while it hangs. */
  CompletableFuture<byte[]> loadLater(int member, String group, Function<String, Group<String, byte[]>> groups, String key,
      LoadContext context) {
    int run = enter(member, group, key);
    if (rest(key).startsWith("drop-")) {
      collectGarbage();
      return new CompletableFuture<>(); // nobody will ever complete it
    }
    CompletableFuture<Void> may = key.startsWith("hang-") ? awaitRelease(key, context) : CompletableFuture.completedFuture(null);
    return may.thenApplyAsync(go -> answer(group, groups, key, run, context), command -> new Thread(command).start());
  }

  /** Returns how often the key was run in the group, on any member, this run included. */
  private synchronized int enter(int member, String group, String key) {
    runs.computeIfAbsent(new Run(member, group, key), run -> new AtomicInteger()).incrementAndGet();
    return entered(-1, group, key);
  }

  /** A load that was let go ends when the garbage collector finds that. */
  private void collectGarbage() {
    Thread collector = new Thread(() -> {
      while (!allReleased) System.gc();
    });
    collector.setDaemon(true);
    collector.start();
  }

  private CompletableFuture<Void> awaitRelease(String key, LoadContext context) {
    CompletableFuture<Void> go = new CompletableFuture<>();
    context.onCancel(() -> go.completeExceptionally(new CancellationException("nobody waits for " + shown(key))));
    CompletableFuture<Void> released = hanging.computeIfAbsent(key, k -> new CompletableFuture<>());
    released.thenRun(() -> go.complete(null));
    if (allReleased) released.complete(null);
    return go;
  }

  private static String rest(String key) {
    String rest = key;
    while (rest.startsWith("hang-")) rest = rest.substring(5);
    return rest;
  }

  private byte[] answer(String group, Function<String, Group<String, byte[]>> groups, String key, int run,
      LoadContext context) {
    String rest = rest(key);
    if (rest.startsWith("missing-")) throw new NotFoundException("not found: " + shown(key));
    if (rest.startsWith("fail-")) throw new IllegalStateException("load failed: " + shown(key));
    if (rest.startsWith("panic-")) throw new AssertionError("panic: " + shown(key));
    if (rest.startsWith("empty-")) return new byte[0];
    if (rest.startsWith("size-")) {
      byte[] value = new byte[(int) number(rest)];
      Arrays.fill(value, (byte) '.');
      return value;
    }
    if (rest.startsWith("exp-")) context.expireAfter(Duration.ofMillis(number(rest)));
    String value = group + ":" + key;
    if (rest.startsWith("count-")) value += "#" + run;
    if (rest.startsWith("other-")) return passOn(() -> groups.apply("h").get(rest.substring(6)));
    if (rest.startsWith("self-")) return passOn(() -> groups.apply(group).get(key, Duration.ofMillis(500)));
    return value.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** N of "prefix-N-...", which may be negative. */
  private static long number(String rest) {
    String after = rest.substring(rest.indexOf('-') + 1);
    return Long.parseLong(after.substring(0, after.indexOf('-', 1)));
  }

  private static byte[] passOn(java.util.function.Supplier<byte[]> get) {
    try {
      return get.get();
    } catch (NotFoundException none) {
      throw none;
    } catch (CompletionException wrapped) {
      throw new IllegalStateException(wrapped.getCause().getMessage(), wrapped.getCause());
    } catch (RuntimeException | AssertionError failure) {
      throw new IllegalStateException(failure.getMessage(), failure);
    }
  }
}
