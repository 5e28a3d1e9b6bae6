package io.github.cohortcache.cohort.internal;

import io.github.cohortcache.cohort.CohortClosedException;
import io.github.cohortcache.cohort.CohortException;
import io.github.cohortcache.cohort.CohortLoadException;
import io.github.cohortcache.cohort.CohortTimeoutException;
import io.github.cohortcache.cohort.CohortUnreachableException;
import io.github.cohortcache.cohort.NotFoundException;
import io.github.cohortcache.cohort.Status;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;

/** Makes exceptions of the engine's statuses. */
public final class Errors {
  private Errors() {}

  /** The exception for a status and its message. Called from C as well. */
  static RuntimeException of(int code, byte[] message) {
    return of(Status.of(code), new String(message, StandardCharsets.UTF_8));
  }

  /** The exception for a status and its message. */
  public static RuntimeException of(Status status, String message) {
    return switch (status) {
      case NOT_FOUND -> new NotFoundException(message);
      case REMOTE_FAILED -> new CohortLoadException(message);
      case TIMEOUT -> new CohortTimeoutException(message);
      case CLOSED -> new CohortClosedException(message);
      case UNREACHABLE -> new CohortUnreachableException(message);
      default -> new CohortException(status, message);
    };
  }

  /** What a waiting caller is thrown for a loader's failure: the very exception, checked ones wrapped as Caffeine does. */
  public static RuntimeException thrown(Throwable failure) {
    if (failure instanceof RuntimeException unchecked) return unchecked;
    if (failure instanceof Error error) throw error;
    return new CompletionException(failure);
  }

  /** The message that travels to peers. */
  public static byte[] message(Throwable failure) {
    String message = failure.getMessage();
    return (message == null || message.isEmpty() ? failure.toString() : message).getBytes(StandardCharsets.UTF_8);
  }
}
