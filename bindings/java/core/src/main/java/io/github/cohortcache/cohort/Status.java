package io.github.cohortcache.cohort;

/** How an operation failed. */
public enum Status {
  /** The loader, here or at the key's owner, says that there is no such key. */
  NOT_FOUND(1),
  /** The loader of this process failed. */
  LOAD_FAILED(2),
  /** The loader of the key's owner failed. */
  REMOTE_FAILED(3),
  /** The deadline passed. */
  TIMEOUT(4),
  /** The caller gave up its own wait. */
  CANCELLED(5),
  /** The instance or the group is closed. */
  CLOSED(6),
  /** An argument is not valid; the message names it. */
  INVALID_ARGUMENT(7),
  /** A member could not be reached or did not acknowledge; the message names it. */
  UNREACHABLE(8),
  /** A value had to be loaded, and nothing in this process can do that. */
  NO_LOADER(9),
  /** The load was given up without an answer. */
  LOAD_ABANDONED(10),
  /** A loader asked for the key that it is loading. */
  WOULD_DEADLOCK(11),
  /** A size is beyond a limit; the message names it. */
  TOO_LARGE(12),
  /** There is a group of that name. */
  ALREADY_EXISTS(13),
  /** The operating system refused: to listen, to read a certificate, and so on. */
  IO(14),
  /** Memory outside of Java's heap is exhausted. */
  NO_MEMORY(16),
  /** This object or platform cannot do that. */
  UNSUPPORTED(17),
  /** A defect of the library; please report the message. */
  INTERNAL(18);

  private static final Status[] BY_CODE = new Status[19];

  static {
    for (Status status : values()) BY_CODE[status.code] = status;
  }

  private final int code;

  Status(int code) {
    this.code = code;
  }

  /**
   * The number of this status in the C ABI.
   *
   * @return the number
   */
  public int code() {
    return code;
  }

  /**
   * The status with a number of the C ABI.
   *
   * @param code the number
   * @return the status; INTERNAL for one that this version does not know
   */
  public static Status of(int code) {
    Status status = code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    return status == null ? INTERNAL : status;
  }
}
