import java.util.Map;

/** The Java side of the benchmarks. The first argument names a subject; the others are flags. */
public final class Bench {
  private Bench() {}

  /** Runs the subject. */
  public static void main(String[] arguments) throws Exception {
    Session.Flags flags = Session.flags(arguments);
    Map<String, Subjects.Subject> subjects = Map.of(
        "hits", Subjects::hits, "fill", Subjects::fill, "changes", Subjects::changes,
        "asker", Members::asker, "node", Members::node);
    Subjects.Subject subject = arguments.length > 0 ? subjects.get(arguments[0]) : null;
    if (subject == null) {
      throw Session.die("usage: Bench hits|fill|changes|asker|node [-flag value]...");
    }
    subject.serve(flags);
  }
}
