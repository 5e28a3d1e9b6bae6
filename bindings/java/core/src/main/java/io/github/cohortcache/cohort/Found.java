package io.github.cohortcache.cohort;

import java.util.AbstractCollection;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * What many keys got, in the keys' order: two arrays and a table of places in them, instead of an object for each key. The caller
 * may not change it.
 */
final class Found<K, V> extends AbstractMap<K, V> {
  private K[] keys;
  private V[] values;
  private int[] table; // of open addressing: a key's place and one, or 0
  private int size;

  /** With room for so many keys; there may be more. */
  @SuppressWarnings("unchecked") // nobody else sees the arrays
  Found(int expected) {
    int room = Math.max(4, expected);
    keys = (K[]) new Object[room];
    values = (V[]) new Object[room];
    table = new int[tableFor(room)];
  }

  private static int tableFor(int room) {
    return Integer.highestOneBit(Math.min(1 << 28, room)) << 2; // at least twice the room, at most four times
  }

  /** Adds a key, unless it is there. */
  void add(K key) {
    int slot = slot(Objects.requireNonNull(key));
    if (table[slot] != 0) return;
    if (size == keys.length) {
      grow();
      slot = slot(key);
    }
    keys[size] = key;
    table[slot] = ++size;
  }

  private void grow() {
    keys = Arrays.copyOf(keys, 2 * size);
    values = Arrays.copyOf(values, 2 * size);
    index();
  }

  private void index() {
    table = new int[tableFor(keys.length)];
    for (int i = 0; i < size; i++) table[slot(keys[i])] = i + 1;
  }

  /** Where the key is in the table, or would be. */
  private int slot(Object key) {
    int hash = key.hashCode() * 0x9e3779b9; // spreads it, as Knuth's multiplicative hashing does
    int mask = table.length - 1;
    for (int at = hash >>> Integer.numberOfLeadingZeros(mask);; at = at + 1 & mask) {
      if (table[at] == 0 || keys[table[at] - 1].equals(key)) return at;
    }
  }

  K key(int i) {
    return keys[i];
  }

  void set(int i, V value) {
    values[i] = value;
  }

  /** Takes out the keys that got nothing. */
  void compact() {
    int all = size;
    size = 0;
    for (int i = 0; i < all; i++) {
      if (values[i] == null) continue;
      keys[size] = keys[i];
      values[size++] = values[i];
    }
    Arrays.fill(keys, size, all, null);
    Arrays.fill(values, size, all, null);
    index();
  }

  // ---- the map

  @Override
  public int size() {
    return size;
  }

  @Override
  public V get(Object key) {
    int place = key == null ? 0 : table[slot(key)];
    return place == 0 ? null : values[place - 1];
  }

  @Override
  public boolean containsKey(Object key) {
    return key != null && table[slot(key)] != 0;
  }

  @Override
  public Collection<V> values() {
    return new AbstractCollection<>() {
      @Override
      public Iterator<V> iterator() {
        return each(i -> values[i]);
      }

      @Override
      public int size() {
        return size;
      }
    };
  }

  @Override
  public Set<Map.Entry<K, V>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public Iterator<Map.Entry<K, V>> iterator() {
        return each(i -> Map.entry(keys[i], values[i]));
      }

      @Override
      public int size() {
        return size;
      }
    };
  }

  private <T> Iterator<T> each(IntFunction<T> at) {
    return new Iterator<>() {
      private int next;

      @Override
      public boolean hasNext() {
        return next < size;
      }

      @Override
      public T next() {
        if (next >= size) throw new NoSuchElementException();
        return at.apply(next++);
      }
    };
  }
}
