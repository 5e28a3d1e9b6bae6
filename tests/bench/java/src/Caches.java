import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import java.util.List;
import java.util.Map;

/** The caches under one interface; a process uses only one of them, so that calls of it are as good as direct. */
final class Caches {
  private Caches() {}

  /** What the subjects need of a cache. */
  interface Cache {
    byte[] get(String key);

    Map<String, byte[]> getAll(List<String> keys);

    void put(String key, byte[] value);

    void remove(String key);

    long count();
  }

  /** Room for so many entries of that size; a miss loads the value of the key. */
  static Cache open(String name, int entries, int valueBytes) {
    return switch (name) {
      case "cohort" -> new OfCohort(entries, valueBytes);
      case "caffeine" -> new OfCaffeine(entries, valueBytes);
      default -> throw Session.die("no cache is called '" + name + "'");
    };
  }

  private static final class OfCohort implements Cache {
    private final Group<String, byte[]> group;

    OfCohort(int entries, int valueBytes) {
      long bytes = entries * (valueBytes + 256L) * 8 / 7 + (16 << 20);
      group = Cohort.builder().build().group("bench", Codec.bytes()).cacheBytes(bytes)
          .loader(key -> Keys.value(Keys.numberOf(key), valueBytes)).build();
    }

    @Override
    public byte[] get(String key) {
      return group.get(key);
    }

    @Override
    public Map<String, byte[]> getAll(List<String> keys) {
      return group.getAll(keys);
    }

    @Override
    public void put(String key, byte[] value) {
      group.put(key, value);
    }

    @Override
    public void remove(String key) {
      group.invalidate(key);
    }

    @Override
    public long count() {
      return group.stats().main().items();
    }
  }

  private static final class OfCaffeine implements Cache {
    private final LoadingCache<String, byte[]> cache;

    OfCaffeine(int entries, int valueBytes) {
      cache = Caffeine.newBuilder().maximumSize(entries).build(key -> Keys.value(Keys.numberOf(key), valueBytes));
    }

    @Override
    public byte[] get(String key) {
      return cache.get(key);
    }

    @Override
    public Map<String, byte[]> getAll(List<String> keys) {
      return cache.getAll(keys);
    }

    @Override
    public void put(String key, byte[] value) {
      cache.put(key, value.clone());
    }

    @Override
    public void remove(String key) {
      cache.invalidate(key);
    }

    @Override
    public long count() {
      cache.cleanUp();
      return cache.estimatedSize();
    }
  }
}
