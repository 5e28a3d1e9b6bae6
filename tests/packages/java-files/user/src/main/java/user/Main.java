// A user's program: two members over HTTP, and a look at where the native libraries came from.
package user;

import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import io.github.cohortcache.cohort.slf4j.Slf4jLogger;
import io.github.cohortcache.cohort.testing.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

public final class Main {
  public static void main(String[] arguments) throws IOException {
    AtomicInteger loads = new AtomicInteger();
    try (TestCluster cluster =
        TestCluster.overHttp(2, builder -> builder.logger(System.Logger.Level.INFO, new Slf4jLogger()))) {
      List<Group<String, String>> groups = cluster.groups(member -> member.group("pages", Codec.utf8()).loader(key -> {
        loads.incrementAndGet();
        return "page " + key;
      }).build());
      for (int i = 0; i < 100; i++) {
        for (Group<String, String> group : groups) expect(group.get("k" + i).equals("page k" + i), "a wrong page");
      }
    }
    expect(loads.get() == 100, loads + " loads");
    // Ours come out of the jar, or out of the folder that was named; the files of the jar are deleted once they are loaded.
    String from = System.getProperty("expected", "/cohort-");
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      if (line.matches(".*/lib(cohort|protobuf-lite|cpp-httplib|xxhash|brotli)[^/]*")) expect(line.contains(from), line);
    }
    System.out.println("libcohort " + Cohort.libraryVersion() + ": 100 pages, each loaded once");
  }

  private static void expect(boolean so, String otherwise) {
    if (!so) throw new AssertionError(otherwise);
  }
}
