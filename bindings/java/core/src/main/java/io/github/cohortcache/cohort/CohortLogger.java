package io.github.cohortcache.cohort;

/** Takes the lines that an instance logs, one after the other. */
@FunctionalInterface
public interface CohortLogger {
  /**
   * Takes a line. Runs on the executor for callbacks, never twice at once.
   *
   * @param level how grave it is: DEBUG, INFO, WARNING or ERROR
   * @param line the line, without an end
   */
  void log(System.Logger.Level level, String line);

  /**
   * A logger that hands the lines to one of the platform.
   *
   * @param logger the platform's logger
   * @return the logger
   */
  static CohortLogger to(System.Logger logger) {
    return logger::log;
  }
}
