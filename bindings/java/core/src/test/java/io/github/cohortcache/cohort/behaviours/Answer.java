package io.github.cohortcache.cohort.behaviours;

import io.github.cohortcache.cohort.CohortException;
import io.github.cohortcache.cohort.Entry;
import io.github.cohortcache.cohort.NotFoundException;
import io.github.cohortcache.cohort.Status;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** How a call ended, in the words of the shared list. */
record Answer(byte[] value, Optional<Instant> expiresAt, String source, String error, String message) {
  static final Answer OK = new Answer(null, null, null, null, null);

  static Answer miss() {
    return new Answer(null, null, null, "miss", "");
  }

  static Answer of(byte[] value) {
    return new Answer(value, null, null, null, null);
  }

  static Answer of(Entry<byte[]> entry) {
    return new Answer(entry.value(), entry.expiresAt(), entry.source().name().toLowerCase(Locale.ROOT), null, null);
  }

  /** The one function from Java's exceptions to the list's names. */
  static Answer of(Throwable thrown) {
    Throwable failure = thrown;
    while ((failure instanceof CompletionException || failure instanceof ExecutionException) && failure.getCause() != null) {
      failure = failure.getCause();
    }
    String error = "load_failed";
    if (failure instanceof NotFoundException) {
      error = "not_found";
    } else if (failure instanceof CancellationException) {
      error = "cancelled";
    } else if (failure instanceof CohortException ours) {
      error = ours.status() == Status.NO_LOADER ? "no_getter" : ours.status().name().toLowerCase(Locale.ROOT);
    }
    return new Answer(null, null, null, error, String.valueOf(failure.getMessage()));
  }

  boolean failed() {
    return error != null && !error.equals("miss");
  }

  @Override
  public String toString() {
    if (error != null) return error + " (" + message + ")";
    if (value == null) return "ok";
    String text = new String(value, 0, Math.min(80, value.length), java.nio.charset.StandardCharsets.ISO_8859_1);
    return "the value '" + text + "' of " + value.length + " bytes";
  }
}
