package io.github.cohortcache.cohort.slf4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cohortcache.cohort.Cohort;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.AbstractLogger;

/** Lines arrive with their levels. */
@Timeout(120)
class Slf4jLoggerTest {
  /** Keeps what it is told. */
  private static final class Kept extends AbstractLogger {
    private static final long serialVersionUID = 1;
    final transient BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    @Override
    protected void handleNormalizedLoggingCall(Level level, Marker marker, String message, Object[] arguments, Throwable thrown) {
      lines.add(level + " " + message);
    }

    @Override
    protected String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    public boolean isTraceEnabled() {
      return true;
    }

    @Override
    public boolean isTraceEnabled(Marker marker) {
      return true;
    }

    @Override
    public boolean isDebugEnabled() {
      return true;
    }

    @Override
    public boolean isDebugEnabled(Marker marker) {
      return true;
    }

    @Override
    public boolean isInfoEnabled() {
      return true;
    }

    @Override
    public boolean isInfoEnabled(Marker marker) {
      return true;
    }

    @Override
    public boolean isWarnEnabled() {
      return true;
    }

    @Override
    public boolean isWarnEnabled(Marker marker) {
      return true;
    }

    @Override
    public boolean isErrorEnabled() {
      return true;
    }

    @Override
    public boolean isErrorEnabled(Marker marker) {
      return true;
    }
  }

  @Test
  void levelsAreTheSame() {
    Kept kept = new Kept();
    Slf4jLogger logger = new Slf4jLogger(kept);
    for (System.Logger.Level level : System.Logger.Level.values()) logger.log(level, "line {}");
    List<String> lines = new ArrayList<>();
    kept.lines.drainTo(lines);
    assertEquals(List.of("TRACE line {}", "TRACE line {}", "DEBUG line {}", "INFO line {}", "WARN line {}", "ERROR line {}",
        "ERROR line {}"), lines);
  }

  @Test
  void anInstanceLogsToIt() throws Exception {
    Kept kept = new Kept();
    try (Cohort cohort = Cohort.builder().listen("127.0.0.1:0").logger(System.Logger.Level.DEBUG, new Slf4jLogger(kept)).build()) {
      String address = cohort.address().orElseThrow();
      String line;
      do {
        line = kept.lines.poll(60, TimeUnit.SECONDS);
      } while (line != null && !line.contains(address));
      assertEquals(true, line != null && line.contains(address), line);
    }
  }
}
