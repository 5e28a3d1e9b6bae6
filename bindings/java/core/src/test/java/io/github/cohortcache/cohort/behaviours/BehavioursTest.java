package io.github.cohortcache.cohort.behaviours;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** The runner of the shared list of behaviours, tests/behaviours: what every binding does, case by case, with both kinds of loaders. */
@Timeout(600)
class BehavioursTest {
  private static List<JsonObject> cases(String file) throws IOException {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.isDirectory(folder.resolve("tests/behaviours"))) folder = folder.getParent();
    List<JsonObject> cases = new ArrayList<>();
    try (Reader text = Files.newBufferedReader(folder.resolve("tests/behaviours").resolve(file))) {
      for (JsonElement one : JsonParser.parseReader(text).getAsJsonObject().getAsJsonArray("cases")) cases.add(one.getAsJsonObject());
    }
    assertTrue(cases.size() > 10);
    return cases;
  }

  private static Stream<DynamicTest> tests(boolean async, CaseRun.Network network) throws IOException {
    boolean all = network == CaseRun.Network.HTTP;
    return cases("cases.json").stream().filter(one -> all || one.has("nodes")).map(one -> DynamicTest.dynamicTest(one.get("name").getAsString(), () -> {
      String name = one.get("name").getAsString();
      if (!async && CaseRun.mentions(one.get("steps"), "drop-")) {
        String reason = "a loader that returns or throws has answered";
        System.out.println("skipped: " + name + ": " + reason);
        abort(reason);
      }
      try (CaseRun run = new CaseRun(one, async, network, Duration.ofSeconds(60))) {
        run.run();
      }
    }));
  }

  @TestFactory
  Stream<DynamicTest> loadersThatBlock() throws IOException {
    return tests(false, CaseRun.Network.HTTP);
  }

  @TestFactory
  Stream<DynamicTest> asynchronousLoaders() throws IOException {
    return tests(true, CaseRun.Network.HTTP);
  }

  @TestFactory
  Stream<DynamicTest> membersInOneProcess() throws IOException {
    return tests(false, CaseRun.Network.IN_PROCESS);
  }

  @TestFactory
  Stream<DynamicTest> membersByRequestsOfTheProgramsOwn() throws IOException {
    return tests(true, CaseRun.Network.REQUESTS);
  }

  @TestFactory
  Stream<DynamicTest> membersByCallsOfTheProgramsOwn() throws IOException {
    return tests(false, CaseRun.Network.CALLS);
  }

  @TestFactory
  Stream<DynamicTest> casesThatMustFail() throws IOException {
    return cases("must_fail.json").stream().map(one -> DynamicTest.dynamicTest(one.get("name").getAsString(), () -> {
      try (CaseRun run = new CaseRun(one, false, CaseRun.Network.HTTP, Duration.ofMillis(500))) {
        CaseRun.Wrong wrong = assertThrows(CaseRun.Wrong.class, run::run);
        assertEquals(one.get("fails_at").getAsInt(), wrong.step, wrong.getMessage());
        assertTrue(wrong.getMessage().startsWith(one.get("name").getAsString()));
      }
    }));
  }
}
