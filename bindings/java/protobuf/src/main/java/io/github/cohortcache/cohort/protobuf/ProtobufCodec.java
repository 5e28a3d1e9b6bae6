package io.github.cohortcache.cohort.protobuf;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.github.cohortcache.cohort.ViewCodec;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * Values that are protobuf messages: {@code cohort.group("users", ProtobufCodec.of(User.parser()))}. Large ones are read
 * where the cache has them.
 *
 * @param <M> the type of messages
 */
public final class ProtobufCodec<M extends MessageLite> implements ViewCodec<M> {
  private final Parser<M> parser;

  private ProtobufCodec(Parser<M> parser) {
    this.parser = Objects.requireNonNull(parser);
  }

  /**
   * The codec of a kind of message.
   *
   * @param parser the message's parser
   * @param <M> the type of messages
   * @return the codec
   */
  public static <M extends MessageLite> ProtobufCodec<M> of(Parser<M> parser) {
    return new ProtobufCodec<>(parser);
  }

  @Override
  public byte[] encode(M message) {
    return message.toByteArray();
  }

  @Override
  public ByteBuffer encodeView(M message) {
    return ByteBuffer.wrap(message.toByteArray());
  }

  @Override
  public M decodeView(ByteBuffer view) {
    try {
      return parser.parseFrom(CodedInputStream.newInstance(view));
    } catch (InvalidProtocolBufferException broken) {
      throw new IllegalArgumentException("the value is not such a message: " + broken.getMessage(), broken);
    }
  }
}
