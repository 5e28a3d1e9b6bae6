package io.github.cohortcache.cohort;

import java.nio.ByteBuffer;

/**
 * A codec that reads and writes buffers, so that large values are not copied to Java's heap and back.
 *
 * @param <T> the type of values
 */
public interface ViewCodec<T> extends Codec<T> {
  /**
   * The bytes of a value: what remains in a buffer of either kind.
   *
   * @param value the value, never null
   * @return a buffer, of which position and limit are not changed
   */
  ByteBuffer encodeView(T value);

  /**
   * The value that the bytes stand for.
   *
   * @param view a read-only buffer in big-endian order; its bytes stay as they are for as long as it is held
   * @return the value, never null
   */
  T decodeView(ByteBuffer view);

  @Override
  default byte[] encode(T value) {
    ByteBuffer view = encodeView(value);
    byte[] bytes = new byte[view.remaining()];
    view.get(view.position(), bytes);
    return bytes;
  }

  @Override
  default T decode(byte[] bytes) {
    return decodeView(ByteBuffer.wrap(bytes).asReadOnlyBuffer());
  }
}
