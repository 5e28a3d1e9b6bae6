package io.github.cohortcache.cohort;

/** The deadline passed before the operation ended. */
public class CohortTimeoutException extends CohortException {
  private static final long serialVersionUID = 1;

  /**
   * Makes an exception.
   *
   * @param message one line that a person can act on
   */
  public CohortTimeoutException(String message) {
    super(Status.TIMEOUT, message);
  }
}
