import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** The subjects of this program, each of which sets up what its flags say and answers questions about it. */
final class Subjects {
  private static final int MANY = 100;

  private Subjects() {}

  /** Sets up and serves. */
  interface Subject {
    void serve(Session.Flags flags) throws Exception;
  }

  /** hits -cache NAME -entries N: asked "reference|fresh|many THREADS SECONDS"; Cohort's arrays are fresh. */
  static void hits(Session.Flags flags) throws Exception {
    int entries = flags.number("-entries", 100_000);
    Keys asked = new Keys(entries);
    String name = flags.text("-cache");
    Caches.Cache cache = Caches.open(name, entries * 5 / 4, Keys.VALUE_BYTES);
    for (int i = 0; i < entries; i++) {
      cache.put(asked.keys[i], Keys.value(i, Keys.VALUE_BYTES));
    }
    for (int i = 0; i < entries; i++) {
      if (!Arrays.equals(cache.get(asked.keys[i]), Keys.value(i, Keys.VALUE_BYTES))) {
        throw Session.die("the value of " + asked.keys[i] + " is not the one that was set");
      }
    }
    boolean copies = !name.equals("cohort");
    Session.Answers answers = words -> {
      int threads = Integer.parseInt(words[1]);
      double seconds = Double.parseDouble(words[2]);
      return switch (words[0]) {
        case "many" -> Measure.run(threads, seconds, 4, false, thread -> {
          Keys.Consumer consumer = new Keys.Consumer();
          return call -> {
            String[] keys = new String[MANY];
            for (int i = 0; i < MANY; i++) {
              keys[i] = asked.key(thread, call * MANY + i);
            }
            cache.getAll(Arrays.asList(keys)).values().forEach(consumer::consume);
            return MANY;
          };
        });
        case "fresh" -> Measure.run(threads, seconds, 256, false, thread -> {
          Keys.Consumer consumer = new Keys.Consumer();
          return call -> {
            byte[] value = cache.get(asked.key(thread, call));
            consumer.consume(copies ? value.clone() : value);
            return 1;
          };
        });
        default -> Measure.run(threads, seconds, 256, false, thread -> {
          Keys.Consumer consumer = new Keys.Consumer();
          return call -> {
            consumer.consume(cache.get(asked.key(thread, call)));
            return 1;
          };
        });
      };
    };
    for (String kind : copies ? new String[] {"reference", "fresh"} : new String[] {"fresh", "many"}) {
      answers.answer(new String[] {kind, "2", "1.5"}); // Until then the JVM is still compiling it.
    }
    Session.serve(Map.of(), answers);
  }

  /** fill -cache NAME -entries N -size BYTES: answers at once what the entries cost; asked "hits SECONDS". */
  static void fill(Session.Flags flags) throws Exception {
    int entries = flags.number("-entries", 1_000_000);
    int size = flags.number("-size", 100);
    Caches.Cache cache = Caches.open(flags.text("-cache"), entries + entries / 50 + 1000, size);
    for (int i = 0; i < 10_000; i++) { // The JVM warms up on keys that are there in the end as well.
      cache.put(Keys.key(i % 100), Keys.value(i % 100, size));
    }
    double resident = Measure.residentBytes();
    double heap = Measure.heapBytes();
    long begin = System.nanoTime();
    for (int i = 0; i < entries; i++) {
      cache.put(Keys.key(i), Keys.value(i, size));
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    if (cache.count() < entries) {
      throw Session.die("the cache holds " + cache.count() + " entries of " + entries);
    }
    double cost = (Measure.residentBytes() - resident) / entries;
    double heapCost = (Measure.heapBytes() - heap) / entries;
    Session.serve(Map.of("bytes_per_entry", cost, "heap_per_entry", heapCost, "fills_per_s", entries / seconds), words -> {
      Keys.Random random = new Keys.Random(1);
      String[] keys = new String[Keys.ORDER];
      Arrays.setAll(keys, i -> Keys.key(random.below(entries)));
      return Measure.run(1, Double.parseDouble(words[1]), 256, false, thread -> call -> {
        if (cache.get(keys[call & Keys.ORDER - 1]).length != size) {
          throw Session.die("a miss");
        }
        return 1;
      });
    });
  }

  /** changes -cache NAME -entries N: asked "replace|evict|remove|miss THREADS SECONDS", as changes.cc says. */
  static void changes(Session.Flags flags) throws Exception {
    int entries = flags.number("-entries", 100_000);
    Caches.Cache roomy = Caches.open(flags.text("-cache"), entries * 2, Keys.VALUE_BYTES);
    Caches.Cache full = Caches.open(flags.text("-cache"), entries * 3 / 4, Keys.VALUE_BYTES);
    String[] keys = Keys.all(entries);
    for (int i = 0; i < entries; i++) {
      roomy.put(keys[i], Keys.value(i, Keys.VALUE_BYTES));
      full.put(keys[i], Keys.value(i, Keys.VALUE_BYTES));
    }
    byte[] value = Keys.value(0, Keys.VALUE_BYTES);
    AtomicInteger next = new AtomicInteger(entries);
    Session.serve(Map.of(), words -> {
      String kind = words[0];
      return Measure.run(Integer.parseInt(words[1]), Double.parseDouble(words[2]), 16, true, thread -> {
        Keys.Random random = new Keys.Random(thread);
        return call -> {
          String existing = keys[random.below(keys.length)];
          switch (kind) {
            case "replace" -> roomy.put(existing, value);
            case "evict" -> full.put(Keys.key(next.getAndIncrement()), value);
            case "miss" -> full.get(Keys.key(next.getAndIncrement()));
            default -> {
              roomy.put(existing, value);
              roomy.remove(existing);
            }
          }
          return 1;
        };
      });
    });
  }
}
