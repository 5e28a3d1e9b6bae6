package io.github.cohortcache.cohort.protobuf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.StringValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.github.cohortcache.cohort.Codec;
import io.github.cohortcache.cohort.Cohort;
import io.github.cohortcache.cohort.Group;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Messages go in and come out, small and large. */
@Timeout(120)
class ProtobufCodecTest {
  @Test
  void messagesAreValues() {
    try (Cohort cohort = Cohort.builder().build()) {
      Group<String, Struct> group = cohort.group("structs", ProtobufCodec.of(Struct.parser())).loader(key -> Struct.newBuilder()
          .putFields("text", Value.newBuilder().setStringValue(key.repeat(Integer.parseInt(key))).build()).build()).build();
      for (String key : new String[] {"0", "1", "100000"}) {
        Struct loaded = group.get(key);
        assertEquals(loaded, group.get(key));
        assertEquals(key.repeat(Integer.parseInt(key)), group.getAsync(key).join().getFieldsOrThrow("text").getStringValue());
      }
    }
  }

  @Test
  void bytesThatAreNoMessageAreTold() {
    try (Cohort cohort = Cohort.builder().build()) {
      cohort.group("raw", Codec.bytes()).build();
      assertThrows(IllegalArgumentException.class, () -> ProtobufCodec.of(StringValue.parser()).decode(new byte[] {9, 9}));
    }
  }
}
