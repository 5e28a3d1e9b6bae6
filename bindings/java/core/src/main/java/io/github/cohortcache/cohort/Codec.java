package io.github.cohortcache.cohort;

import java.nio.ByteBuffer;

/**
 * Turns keys or values into bytes and back. Members in other languages see the bytes: all must agree on them.
 *
 * <p>A codec is used by many threads at once. An exception that it throws is handed to those who called or wait.
 *
 * @param <T> the type of keys or values
 */
public interface Codec<T> {
  /**
   * The bytes of a key or value. Equal keys must have equal bytes.
   *
   * @param value the key or value, never null
   * @return its bytes, not kept
   */
  byte[] encode(T value);

  /**
   * The key or value that the bytes stand for.
   *
   * @param bytes the bytes, which the codec may keep
   * @return the key or value, never null
   */
  T decode(byte[] bytes);

  /**
   * Text in UTF-8.
   *
   * @return the codec
   */
  static Codec<String> utf8() {
    return Codecs.UTF8;
  }

  /**
   * Any bytes, as text of as many characters, each at most U+00FF. For keys that are not text.
   *
   * @return the codec
   */
  static Codec<String> latin1() {
    return Codecs.LATIN1;
  }

  /**
   * Bytes as they are.
   *
   * @return the codec
   */
  static Codec<byte[]> bytes() {
    return Codecs.BYTES;
  }

  /**
   * Bytes in read-only buffers. Large values stay where the cache has them, outside of Java's heap: they are not copied,
   * and stay readable for as long as the buffer, or one that was made of it, is held, whatever happens to the cache.
   *
   * @return the codec
   */
  static ViewCodec<ByteBuffer> buffers() {
    return Codecs.BUFFERS;
  }
}
