package io.github.cohortcache.cohort;

import io.github.cohortcache.cohort.internal.Batch;
import io.github.cohortcache.cohort.internal.Handles;
import io.github.cohortcache.cohort.internal.Native;
import io.github.cohortcache.cohort.internal.Scratch;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.util.Objects;
import java.util.function.LongToIntFunction;
import java.util.function.ToIntFunction;

/** Values on their way between Java and the engine: copied as bytes, or, if they are large and the codec can, not at all. */
final class Values<V> {
  /** From this size on a view is cheaper than a copy. */
  private static final int SMALLEST_VIEW = 16 * 1024;

  private final Codec<V> codec;
  private final ViewCodec<V> views; // null: the codec reads bytes only
  private final Charset charset; // null: values are not text

  Values(Codec<V> codec) {
    this.codec = codec;
    this.views = codec instanceof ViewCodec<V> view ? view : null;
    this.charset = Codecs.charset(codec);
  }

  /** The value of a hit, for which C has answered in the scratch. Gives that back. */
  V take(Scratch scratch) {
    if (!scratch.hasCopy()) {
      long value = scratch.value();
      scratch.giveBack();
      return take(value);
    }
    if (charset != null) {
      String text = scratch.text(charset);
      scratch.giveBack();
      return cast(text);
    }
    byte[] bytes = scratch.copy();
    scratch.giveBack();
    return decode(bytes);
  }

  /** The bytes of the value of a hit. Gives the scratch back. */
  static byte[] bytes(Scratch scratch) {
    long value = scratch.value();
    byte[] copy = value == 0 ? scratch.copy() : null;
    scratch.giveBack();
    return value == 0 ? copy : Native.cohort_java_take(value);
  }

  /** The value of a hit of many. */
  V take(Batch batch, int i) {
    long value = batch.value(i);
    if (value != 0) return take(value);
    return charset != null ? cast(batch.text(i, charset)) : decode(batch.copy(i));
  }

  @SuppressWarnings("unchecked") // V is String where there is a charset
  private V cast(String text) {
    return (V) text;
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

  /** Hands a value's bytes to one of the two: an array, or, of a direct buffer, a handle for the time of the call. Returns what that returned. */
  int with(V value, long expireUnixNs, ToIntFunction<byte[]> copy, LongToIntFunction held) {
    ByteBuffer view = views == null ? null : views.encodeView(value);
    if (view == null || !view.isDirect()) return copy.applyAsInt(view == null ? codec.encode(value) : bytes(view));
    long handle = Native.cohort_java_value_of(view, view.position(), view.remaining(), expireUnixNs);
    try {
      return held.applyAsInt(handle);
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
