package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Handles;
import io.github.cohortcache.cohort.internal.Native;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** Values on their way between Java and the engine: copied as bytes, or, if they are large and the codec can, not at all. */
final class Values<V> {
  /** From this size on a view is cheaper than a copy. */
  private static final int SMALLEST_VIEW = 16 * 1024;

  private final Codec<V> codec;
  private final ViewCodec<V> views; // null: the codec reads bytes only

  Values(Codec<V> codec) {
    this.codec = codec;
    this.views = codec instanceof ViewCodec<V> view ? view : null;
  }

  /** The largest value that is copied. */
  long largestCopy() {
    return views == null ? Long.MAX_VALUE : SMALLEST_VIEW - 1;
  }

  V decode(byte[] bytes) {
    return Objects.requireNonNull(codec.decode(bytes), "a codec must not decode to null");
  }

  /** What a value's handle, which this call owns, stands for. */
  V take(long value) {
    if (views == null || Native.cohort_value_size(value) < SMALLEST_VIEW) return decode(Native.cohort_java_take(value));
    ByteBuffer whole = (ByteBuffer) Native.cohort_java_view(value);
    Handles.freeValue(whole, value); // buffers that are made of this one hold it
    return Objects.requireNonNull(views.decodeView(whole.asReadOnlyBuffer()), "a codec must not decode to null");
  }

  /** Hands a value's bytes to one of the two: an array, or, of a direct buffer, a handle for the time of the call. */
  void with(V value, long expireUnixNs, Consumer<byte[]> copy, LongConsumer held) {
    ByteBuffer view = views == null ? null : views.encodeView(value);
    if (view == null || !view.isDirect()) {
      copy.accept(view == null ? codec.encode(value) : bytes(view));
      return;
    }
    long handle = Native.cohort_java_value_of(view, view.position(), view.remaining(), expireUnixNs);
    try {
      held.accept(handle);
    } finally {
      Native.cohort_value_free(handle);
    }
  }

  private static byte[] bytes(ByteBuffer view) {
    byte[] bytes = new byte[view.remaining()];
    view.get(view.position(), bytes);
    return bytes;
  }
}
