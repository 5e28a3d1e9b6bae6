package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Constants;
import io.github.cohortcache.cohort.internal.Errors;
import io.github.cohortcache.cohort.internal.Event;
import io.github.cohortcache.cohort.internal.Failures;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Queue;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongConsumer;

/** A transport of the program's own: the engine's requests come as events, the sender runs on the executor. */
final class CustomTransport extends Transport {
  private final int mode;
  private final LongConsumer send; // takes a request's handle

  CustomTransport(RequestSender sender) {
    Objects.requireNonNull(sender);
    mode = Constants.COHORT_SEND_RAW;
    send = request -> sendRequest(sender, request);
  }

  CustomTransport(CallSender sender) {
    Objects.requireNonNull(sender);
    mode = Constants.COHORT_SEND_CALLS;
    send = request -> sendCall(sender, request);
  }

  @Override
  void install(long options, Queue queue, Executor executor) {
    long tag = Queue.newTag();
    WeakReference<LongConsumer> sender = new WeakReference<>(send); // the instance keeps it, and may be held by it
    queue.listen(tag, event -> dispatch(event, sender.get(), executor));
    long handle = Native.cohort_transport_new_queue(mode, queue.handle(), tag);
    try {
      Native.cohort_instance_options_set_transport(options, handle);
    } finally {
      Native.cohort_transport_free(handle);
    }
  }

  private static void dispatch(Event event, LongConsumer sender, Executor executor) {
    if (sender == null) { // nobody has the instance any more
      event.release();
      return;
    }
    try {
      executor.execute(() -> sender.accept(event.request));
    } catch (RejectedExecutionException full) {
      fail(event.request, full);
    }
  }

  private static void sendRequest(RequestSender sender, long request) {
    Object[] parts = Native.cohort_java_request(request, new long[3]);
    PeerRequest message = new PeerRequest(text(parts[4]), text(parts[5]), Headers.map((byte[]) parts[6]), (byte[]) parts[3]);
    try {
      sender.send(text(parts[0]), message).whenComplete((response, failure) -> {
        if (failure != null) {
          fail(request, failure);
        } else if (response == null) {
          fail(request, new NullPointerException("the transport answered null"));
        } else {
          Native.cohort_request_reply_raw(request, response.status(), Headers.lines(response.headers()), response.body());
        }
      });
    } catch (Exception | Error failure) {
      fail(request, failure);
    }
  }

  private static void sendCall(CallSender sender, long request) {
    long[] numbers = new long[3];
    Object[] parts = Native.cohort_java_request(request, numbers);
    byte[] key = (byte[]) parts[2];
    PeerCall.Operation operation = switch ((int) numbers[0]) {
      case Constants.COHORT_REQUEST_GET -> PeerCall.Operation.GET;
      case Constants.COHORT_REQUEST_SET -> PeerCall.Operation.SET;
      case Constants.COHORT_REQUEST_REMOVE -> PeerCall.Operation.REMOVE;
      default -> PeerCall.Operation.REMOVE_KEYS;
    };
    List<byte[]> keys = operation == PeerCall.Operation.REMOVE_KEYS
        ? split(key, Native.cohort_java_request_key_sizes(request)) : List.of(key);
    PeerCall call = new PeerCall(text(parts[0]), operation, text(parts[1]), keys, (byte[]) parts[3],
        Expiry.instant(numbers[1]), Duration.ofMillis(numbers[2]));
    try {
      sender.send(call).whenComplete((answer, failure) -> {
        if (failure != null) {
          fail(request, failure);
        } else if (answer == null) {
          fail(request, new NullPointerException("the transport answered null"));
        } else {
          Native.cohort_request_reply(request, answer.value(), Expiry.unixNs(answer.expiresAt().orElse(null)));
        }
      });
    } catch (Exception | Error failure) {
      fail(request, failure);
    }
  }

  private static List<byte[]> split(byte[] packed, long[] sizes) {
    List<byte[]> keys = new ArrayList<>(sizes.length);
    int at = 0;
    for (long size : sizes) keys.add(Arrays.copyOfRange(packed, at, at += (int) size));
    return keys;
  }

  private static void fail(long request, Throwable wrapped) {
    Throwable failure = wrapped instanceof CompletionException && wrapped.getCause() != null ? wrapped.getCause() : wrapped;
    Status status = failure instanceof NotFoundException ? Status.NOT_FOUND
        : failure instanceof CohortLoadException ? Status.REMOTE_FAILED : Status.UNREACHABLE;
    Failures.fail(failure, tag -> Native.cohort_request_fail(request, status.code(), Errors.message(failure), tag));
  }

  private static String text(Object bytes) {
    return new String((byte[]) bytes, StandardCharsets.UTF_8);
  }
}
