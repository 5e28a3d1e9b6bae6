package io.github.cohortcache.cohort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Found is a map like any other, in the order in which its keys came, that nobody can change. */
class FoundTest {
  /** Keys that are all in one place of the table. */
  private record Same(int number) {
    @Override
    public int hashCode() {
      return 7;
    }
  }

  private static <K> Found<K, String> of(List<K> keys, int expected) {
    Found<K, String> found = new Found<>(expected);
    keys.forEach(found::add);
    for (int i = 0; i < found.size(); i++) found.set(i, "value of " + found.key(i));
    return found;
  }

  @Test
  void isTheMapThatALinkedHashMapWouldBe() {
    Random random = new Random(1);
    for (int round = 0; round < 200; round++) {
      List<Object> keys = new ArrayList<>();
      for (int i = random.nextInt(100); i > 0; i--) {
        int number = random.nextInt(60);
        keys.add(round % 2 == 0 ? (Object) ("key-" + number) : new Same(number));
      }
      Map<Object, String> wanted = new LinkedHashMap<>();
      for (Object key : keys) wanted.put(key, "value of " + key);
      Found<Object, String> found = of(keys, round % 3 == 0 ? keys.size() : 0);
      assertEquals(wanted, found);
      assertEquals(wanted.hashCode(), found.hashCode());
      assertEquals(wanted.toString(), found.toString());
      assertEquals(List.copyOf(wanted.keySet()), List.copyOf(found.keySet()));
      assertEquals(List.copyOf(wanted.values()), List.copyOf(found.values()));
      for (Object key : keys) assertEquals(wanted.get(key), found.get(key));
      assertFalse(found.containsKey("another"));
      assertNull(found.get("another"));
      assertNull(found.get(null));
      assertFalse(found.containsKey(null));
    }
  }

  @Test
  void leavesOutWhatGotNothing() {
    Found<String, String> found = of(List.of("a", "b", "c", "d"), 4);
    found.set(0, null);
    found.set(2, null);
    found.compact();
    assertEquals(List.of("b", "d"), List.copyOf(found.keySet()));
    assertEquals("value of d", found.get("d"));
    assertFalse(found.containsKey("a"));
    assertEquals(2, found.size());
  }

  @Test
  void cannotBeChanged() {
    Found<String, String> found = of(List.of("a"), 1);
    assertThrows(UnsupportedOperationException.class, () -> found.put("b", "value"));
    assertThrows(UnsupportedOperationException.class, () -> found.remove("a"));
    assertThrows(UnsupportedOperationException.class, found::clear);
    assertThrows(UnsupportedOperationException.class, () -> found.entrySet().iterator().next().setValue("value"));
    Iterator<String> values = found.values().iterator();
    assertTrue(values.hasNext());
    values.next();
    assertThrows(UnsupportedOperationException.class, values::remove);
    assertThrows(NoSuchElementException.class, values::next);
    assertEquals(Map.of("a", "value of a"), found);
  }
}
