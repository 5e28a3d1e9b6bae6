import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Members of a cluster: one that asks for what another process owns, and a node of one in which everybody asks for a cold key. */
final class Members {
  private static final int MANY = 100;

  private Members() {}

  private static Cohort join(Session.Flags flags) {
    return Cohort.builder().listen(flags.text("-listen")).peers(flags.text("-peers").split(",")).build();
  }

  /** asker -listen B -peers A,B -owner A: keeps nothing; asked "get|many THREADS SECONDS", as remote.cc says. */
  static void asker(Session.Flags flags) throws Exception {
    Cohort node = join(flags);
    Group<String, byte[]> group = node.group("bench", Codec.bytes()).cacheBytes(0).loader(key -> {
      throw new IllegalStateException("the owner was not reached");
    }).build();
    Optional<String> owner = Optional.of(flags.text("-owner"));
    String[] keys = new String[10_000];
    for (int i = 0, found = 0; found < keys.length; i++) {
      String key = Keys.key(i);
      if (!node.owner(key).equals(owner)) {
        continue;
      }
      keys[found++] = key;
      if (!Arrays.equals(group.get(key), Keys.value(i, Keys.VALUE_BYTES))) {
        throw Session.die("the value of " + key + " is not the owner's");
      }
    }
    Session.serve(Map.of(), words -> {
      boolean many = words[0].equals("many");
      return Measure.run(Integer.parseInt(words[1]), Double.parseDouble(words[2]), 1, true, thread -> {
        Keys.Random random = new Keys.Random(thread);
        Keys.Consumer consumer = new Keys.Consumer();
        return call -> {
          if (!many) {
            consumer.consume(group.get(keys[random.below(keys.length)]));
            return 1;
          }
          String[] asked = new String[MANY];
          Arrays.setAll(asked, i -> keys[random.below(keys.length)]);
          group.getAll(Arrays.asList(asked)).values().forEach(consumer::consume);
          return MANY;
        };
      });
    });
  }

  /** node -listen A -peers A,B,...: asked "cold KEY CALLERS", and "loads", as node.cc says. */
  static void node(Session.Flags flags) throws Exception {
    AtomicInteger loads = new AtomicInteger();
    Group<String, String> group = join(flags).group("bench", Codec.utf8()).loader(key -> {
      loads.incrementAndGet();
      Thread.sleep(100);
      return "cold";
    }).build();
    Session.serve(Map.of(), words -> {
      if (words[0].equals("loads")) {
        return Map.of("loads", (double) loads.get());
      }
      long begin = System.nanoTime();
      List<Thread> callers = new ArrayList<>();
      for (int i = 0; i < Integer.parseInt(words[2]); i++) {
        Thread caller = new Thread(() -> group.get(words[1]));
        caller.start();
        callers.add(caller);
      }
      for (Thread caller : callers) {
        caller.join();
      }
      return Map.of("ms", (System.nanoTime() - begin) / 1e6);
    });
  }
}
