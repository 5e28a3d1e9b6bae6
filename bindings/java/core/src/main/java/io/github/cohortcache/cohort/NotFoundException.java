package io.github.cohortcache.cohort;

/** There is no such key. Loaders throw it, and then those who get the key, on whichever member. */
public class NotFoundException extends CohortException {
  private static final long serialVersionUID = 1;

  /**
   * Makes an exception.
   *
   * @param message one line that a person can act on
   */
  public NotFoundException(String message) {
    super(Status.NOT_FOUND, message);
  }
}
