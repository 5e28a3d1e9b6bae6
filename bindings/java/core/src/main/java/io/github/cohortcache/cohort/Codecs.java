package io.github.cohortcache.cohort;

import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** The codecs that come with Cohort. */
final class Codecs {
  private Codecs() {}

  /** The charset of a codec for text that came with Cohort, which both have the ASCII of; else null. */
  static Charset charset(Codec<?> codec) {
    return codec == UTF8 ? StandardCharsets.UTF_8 : codec == LATIN1 ? StandardCharsets.ISO_8859_1 : null;
  }

  static final Codec<String> UTF8 = new Codec<>() {
    @Override
    public byte[] encode(String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String decode(byte[] bytes) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  };

  static final Codec<String> LATIN1 = new Codec<>() {
    @Override
    public byte[] encode(String text) {
      for (int i = 0; i < text.length(); i++) {
        if (text.charAt(i) > 0xff) {
          throw new IllegalArgumentException("the character at index " + i + " is beyond U+00FF");
        }
      }
      return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Override
    public String decode(byte[] bytes) {
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
  };

  static final Codec<byte[]> BYTES = new Codec<>() {
    @Override
    public byte[] encode(byte[] bytes) {
      return bytes;
    }

    @Override
    public byte[] decode(byte[] bytes) {
      return bytes;
    }
  };

  static final ViewCodec<ByteBuffer> BUFFERS = new ViewCodec<>() {
    @Override
    public ByteBuffer encodeView(ByteBuffer buffer) {
      return buffer;
    }

    @Override
    public ByteBuffer decodeView(ByteBuffer view) {
      return view;
    }
  };
}
