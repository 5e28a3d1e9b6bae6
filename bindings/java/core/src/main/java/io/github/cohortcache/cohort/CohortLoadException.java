package io.github.cohortcache.cohort;

/** The loader of another member, the key's owner, failed; the message is its exception's. */
public class CohortLoadException extends CohortException {
  private static final long serialVersionUID = 1;

  /**
   * Makes an exception.
   *
   * @param message one line that a person can act on
   */
  public CohortLoadException(String message) {
    super(Status.REMOTE_FAILED, message);
  }
}
