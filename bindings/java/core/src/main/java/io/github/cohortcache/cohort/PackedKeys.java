package io.github.cohortcache.cohort;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Many keys for one call: their bytes one after the other, and their sizes. */
record PackedKeys(byte[] bytes, long[] sizes) {
  static <K> PackedKeys of(Codec<K> codec, Iterable<? extends K> keys) {
    List<byte[]> each = new ArrayList<>();
    long size = 0;
    for (K key : keys) {
      byte[] bytes = codec.encode(Objects.requireNonNull(key));
      size += bytes.length;
      each.add(bytes);
    }
    if (size > Integer.MAX_VALUE - 8) {
      throw new CohortException(Status.TOO_LARGE, "the keys of one call have " + size + " bytes; split them");
    }
    byte[] packed = new byte[(int) size];
    long[] sizes = new long[each.size()];
    int at = 0;
    for (int i = 0; i < sizes.length; i++) {
      byte[] bytes = each.get(i);
      System.arraycopy(bytes, 0, packed, at, bytes.length);
      at += bytes.length;
      sizes[i] = bytes.length;
    }
    return new PackedKeys(packed, sizes);
  }

  int count() {
    return sizes.length;
  }
}
