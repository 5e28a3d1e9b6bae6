package io.github.cohortcache.cohort.slf4j;

import io.github.cohortcache.cohort.CohortLogger;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Hands what an instance logs to SLF4J:
 * {@code Cohort.builder().logger(System.Logger.Level.INFO, new Slf4jLogger())}.
 */
public final class Slf4jLogger implements CohortLogger {
  private final Logger logger;

  /** Logs to the logger "io.github.cohortcache.cohort". */
  public Slf4jLogger() {
    this(LoggerFactory.getLogger("io.github.cohortcache.cohort"));
  }

  /**
   * Logs to a logger.
   *
   * @param logger the logger
   */
  public Slf4jLogger(Logger logger) {
    this.logger = Objects.requireNonNull(logger);
  }

  @Override
  public void log(System.Logger.Level level, String line) {
    logger.atLevel(switch (level) {
      case ALL, TRACE -> Level.TRACE;
      case DEBUG -> Level.DEBUG;
      case INFO -> Level.INFO;
      case WARNING -> Level.WARN;
      case ERROR, OFF -> Level.ERROR;
    }).log(line);
  }
}
