import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.StringJoiner;

/** A session: a line of JSON when the subject is ready, and then a line of JSON for each line of the input. */
final class Session {
  private Session() {}

  /** Answers a question. */
  interface Answers {
    Map<String, Double> answer(String[] words) throws Exception;
  }

  /** "-name value" pairs. */
  record Flags(Map<String, String> values) {
    String text(String name) {
      return values.getOrDefault(name, "");
    }

    int number(String name, int otherwise) {
      return values.containsKey(name) ? Integer.parseInt(values.get(name)) : otherwise;
    }
  }

  static Flags flags(String[] arguments) {
    Map<String, String> values = new HashMap<>();
    for (int i = 1; i + 1 < arguments.length; i += 2) {
      values.put(arguments[i], arguments[i + 1]);
    }
    return new Flags(values);
  }

  /** Ends the program with one line that says why. */
  static Error die(String message) {
    System.err.println("bench: " + message);
    Runtime.getRuntime().halt(1);
    return new AssertionError(message);
  }

  private static void say(Map<String, Double> answer) {
    StringJoiner text = new StringJoiner(", ", "{", "}");
    answer.forEach((name, number) -> text.add("\"" + name + "\": " + number));
    System.out.println(text);
    System.out.flush();
  }

  static void serve(Map<String, Double> ready, Answers answers) throws IOException {
    say(ready);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      try {
        say(answers.answer(line.trim().split(" +")));
      } catch (Exception e) {
        e.printStackTrace();
        throw die(e.toString());
      }
    }
    Runtime.getRuntime().halt(0);
  }
}
