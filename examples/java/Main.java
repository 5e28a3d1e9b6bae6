// Two members of one cluster in one process, in Java: each key is loaded once, by its owner, whoever asks.
//
// usage: examples/java/run

import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

final class Main {
  private static final AtomicLong LOADS = new AtomicLong();

  /** Makes the group of one member with its loader: here would be a database. */
  private static Group<String, String> greetings(Cohort member) {
    return member.group("greetings", Codec.utf8()).cacheBytes(64 << 20).loader(key -> {
      LOADS.incrementAndGet();
      return "hello " + key + ", loaded by " + member.name();
    }).build();
  }

  public static void main(String[] arguments) {
    try (Cohort one = Cohort.builder().name("one").listen("127.0.0.1:0").build();
        Cohort two = Cohort.builder().name("two").listen("127.0.0.1:0").build()) {
      Group<String, String> fromOne = greetings(one);
      Group<String, String> fromTwo = greetings(two);
      List<String> peers = List.of(one.address().orElseThrow(), two.address().orElseThrow());
      one.setPeers(peers); // it finds itself among them
      two.setPeers(peers);

      for (String key : List.of("ada", "grace", "barbara")) {
        System.out.println("one gets: " + fromOne.get(key));
        System.out.println("two gets: " + fromTwo.get(key));
      }
      fromOne.put("ada", "hello Countess", Duration.ofMinutes(5));
      System.out.println("two gets: " + fromTwo.get("ada"));
      fromTwo.invalidate("ada");
      System.out.println("one gets: " + fromOne.get("ada"));
      System.out.println(LOADS + " loads");
    }
  }
}
