package io.github.cohortcache.cohort.internal;

import io.github.cohortcache.cohort.Status;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * One event of a queue, out of C's memory. Whoever gets it owns the handles in it: it takes them or calls {@link #release}.
 */
public final class Event {
  /** sizeof(cohort_event_t); the layout is asserted in bindings/swig/java.i. */
  static final int BYTES = 88;

  /** COHORT_EVENT_*. */
  public final int kind;
  /** How it ended; of a LOG event the level. */
  public final int status;
  /** Whose event it is. */
  public final long tag;
  /** GET: when the value expires; 0 is never. */
  public final long expireUnixNs;
  /** GET: COHORT_SOURCE_*. */
  public final int source;
  /** COHORT_EVENT_OVERTAKEN, or 0. */
  public final int flags;
  /** GET, status OK: the value's handle. */
  public final long value;
  /** LEAD, LOAD: the load's handle. */
  public final long load;
  /** SEND: the request's handle. */
  public final long request;
  /** RESPONSE: the response's handle. */
  public final long response;
  /** What a loader of this process threw, or null. */
  public final Throwable failure;
  /** The message of a failure, or the line of a log; else null. */
  public final String message;

  /** Reads the event at a place of C's memory. Runs on the thread that took it from its queue. */
  Event(ByteBuffer events, int at) {
    kind = events.getInt(at);
    status = events.getInt(at + 4);
    tag = events.getLong(at + 8);
    expireUnixNs = events.getLong(at + 32);
    failure = Failures.take(events.getLong(at + 40));
    long bytes = events.getLong(at + 48);
    load = events.getLong(at + 56);
    request = events.getLong(at + 64);
    response = events.getLong(at + 72);
    source = events.getInt(at + 80);
    flags = events.getInt(at + 84);
    if (bytes != 0 && (status != Constants.COHORT_OK || kind == Constants.COHORT_EVENT_LOG)) {
      message = new String(Native.cohort_java_take(bytes), StandardCharsets.UTF_8);
      value = 0;
    } else {
      message = null;
      value = bytes;
    }
  }

  /** The exception that this event stands for, as a future is completed with it; null if the operation went well. */
  public Throwable exception() {
    if (status == Constants.COHORT_OK) return null;
    if (failure != null) return failure;
    return Errors.of(Status.of(status), message == null ? "" : message);
  }

  /** Frees what nobody wants. An open load is abandoned, a request fails. */
  public void release() {
    if (value != 0) Native.cohort_value_free(value);
    if (load != 0) Native.cohort_load_free(load);
    if (request != 0) Native.cohort_request_free(request);
    if (response != 0) Native.cohort_response_free(response);
  }
}
