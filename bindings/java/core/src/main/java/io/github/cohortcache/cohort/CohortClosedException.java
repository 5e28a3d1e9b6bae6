package io.github.cohortcache.cohort;

/** The instance or the group is closed, or was closed while the operation was under way. */
public class CohortClosedException extends CohortException {
  private static final long serialVersionUID = 1;

  /**
   * Makes an exception.
   *
   * @param message one line that a person can act on
   */
  public CohortClosedException(String message) {
    super(Status.CLOSED, message);
  }
}
