// Json is as much of it as the control protocol needs: arrays of strings without escapes in, flat objects out.

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

final class Json {
  private static final Pattern STRING = Pattern.compile("\"([^\"\\\\]*)\"");

  private Json() {}

  /** The strings of an array; none of null. */
  static List<String> strings(byte[] json) {
    String text = new String(json, StandardCharsets.UTF_8).strip();
    List<String> strings = new ArrayList<>();
    if (text.equals("null")) return strings;
    if (!text.startsWith("[") || !text.endsWith("]")) throw new IllegalArgumentException("not an array of strings");
    Matcher string = STRING.matcher(text);
    while (string.find()) strings.add(string.group(1));
    return strings;
  }

  /** The bytes of a field in base64; none if it is not there. */
  static byte[] field(byte[] json, String name) {
    Matcher field = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(new String(json, StandardCharsets.UTF_8));
    return field.find() ? Base64.getDecoder().decode(field.group(1)) : new byte[0];
  }

  static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }

  static String object(Map<String, ?> fields) {
    return fields.entrySet().stream().map(e -> quote(e.getKey()) + ":" + (e.getValue() instanceof String s ? quote(s) : e.getValue()))
        .collect(Collectors.joining(",", "{", "}"));
  }

  static String array(List<String> json) {
    return "[" + String.join(",", json) + "]";
  }
}
