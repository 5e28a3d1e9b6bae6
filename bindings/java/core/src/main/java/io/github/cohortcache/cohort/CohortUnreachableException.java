package io.github.cohortcache.cohort;

/** Members did not acknowledge a change; the message names them. They forget the old value by themselves soon. */
public class CohortUnreachableException extends CohortException {
  private static final long serialVersionUID = 1;

  /**
   * Makes an exception.
   *
   * @param message one line that a person can act on
   */
  public CohortUnreachableException(String message) {
    super(Status.UNREACHABLE, message);
  }
}
