package io.github.cohortcache.cohort;

import java.util.Objects;

/** An operation of Cohort failed; {@link #status} says how. What a loader of this process throws arrives as it is instead. */
public class CohortException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** How the operation failed. */
  private final Status status;

  /**
   * Makes an exception.
   *
   * @param status how the operation failed
   * @param message one line that a person can act on
   */
  public CohortException(Status status, String message) {
    super(message);
    this.status = Objects.requireNonNull(status);
  }

  /**
   * How the operation failed.
   *
   * @return the status
   */
  public Status status() {
    return status;
  }
}
