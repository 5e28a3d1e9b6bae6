// The conformance node in Java: joins a cluster on -listen and is driven from outside on -ctl; see ../README.md.

import com.sun.net.httpserver.HttpServer;
import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class Main {
  private static final Map<String, Double> UNITS =
      Map.of("ns", 1.0, "us", 1e3, "ms", 1e6, "s", 1e9, "m", 60e9, "h", 3600e9);

  private Main() {}

  public static void main(String[] arguments) throws IOException {
    System.setProperty("sun.net.httpserver.nodelay", "true"); // else the JDK's server takes 40 ms for an answer
    Map<String, String> flags = new HashMap<>(Map.of("listen", "127.0.0.1:0", "ctl", "127.0.0.1:0", "peers", "", "name", "n",
        "group", "g", "bytes", Long.toString(64 << 20), "replicas", "50", "expire", "0"));
    for (int i = 0; i < arguments.length; i++) {
      String[] flag = arguments[i].replaceFirst("^--?", "").split("=", 2);
      if (!flags.containsKey(flag[0])) fail("there is no flag " + arguments[i]);
      if (flag.length == 1 && ++i == arguments.length) fail("the flag " + arguments[i - 1] + " needs a value");
      flags.put(flag[0], flag.length == 2 ? flag[1] : arguments[i]);
    }
    Duration expire = duration(flags.get("expire"));
    Getter getter = new Getter(flags.get("name"));
    Cohort cohort = Cohort.builder().name(flags.get("name")).replicas(Integer.parseInt(flags.get("replicas")))
        .listen(flags.get("listen")).build();
    var building = cohort.group(flags.get("group"), Codec.latin1(), Codec.bytes())
        .cacheBytes(Long.parseLong(flags.get("bytes"))).loader(getter);
    if (!expire.isZero()) building.expireAfterWrite(expire);
    Group<String, byte[]> group = building.build();
    if (!flags.get("peers").isEmpty()) cohort.setPeers(Arrays.asList(flags.get("peers").split(",")), flags.get("listen"));

    int colon = flags.get("ctl").lastIndexOf(':');
    HttpServer server = HttpServer.create(
        new InetSocketAddress(flags.get("ctl").substring(0, colon), Integer.parseInt(flags.get("ctl").substring(colon + 1))), 512);
    server.setExecutor(Executors.newCachedThreadPool()); // hundreds of calls may wait at once
    server.createContext("/", new Control(flags.get("name"), flags.get("listen"), cohort, group, getter));
    server.start();
  }

  /** A duration as Go writes it, such as 1h2m3.5s. */
  private static Duration duration(String text) {
    double ns = 0;
    Matcher part = Pattern.compile("([0-9.]+)(ns|us|ms|s|m|h)").matcher(text);
    while (part.find()) ns += Double.parseDouble(part.group(1)) * UNITS.get(part.group(2));
    return Duration.ofNanos((long) ns);
  }

  private static void fail(String message) {
    System.err.println("node-java: " + message);
    System.exit(2);
  }
}
