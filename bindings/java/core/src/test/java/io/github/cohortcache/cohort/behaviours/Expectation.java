package io.github.cohortcache.cohort.behaviours;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** What the list's forms of bytes stand for, and whether an answer is as expected. */
record Expectation(Map<String, byte[]> vars, List<String> addresses) {
  byte[] bytes(JsonElement form) {
    if (form.isJsonPrimitive()) return form.getAsString().getBytes(StandardCharsets.UTF_8);
    JsonObject object = form.getAsJsonObject();
    if (object.has("base64")) return Base64.getDecoder().decode(object.get("base64").getAsString());
    if (object.has("var")) return vars.get(object.get("var").getAsString());
    if (object.has("address")) return addresses.get(object.get("address").getAsInt()).getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    if (object.has("repeat")) {
      byte[] piece = bytes(object.get("repeat"));
      int count = object.get("count").getAsInt();
      byte[] repeated = new byte[piece.length * count];
      for (int i = 0; i < count; i++) System.arraycopy(piece, 0, repeated, i * piece.length, piece.length);
      return repeated;
    }
    for (JsonElement piece : object.getAsJsonArray("concat")) all.writeBytes(bytes(piece));
    return all.toByteArray();
  }

  /** A key, as text of a character for each byte. */
  String key(JsonElement form) {
    return new String(bytes(form), StandardCharsets.ISO_8859_1);
  }

  /** What is wrong with an answer; null: nothing. */
  String mismatch(JsonObject expected, Answer answer) {
    if (expected.has("any_of")) {
      for (JsonElement each : expected.getAsJsonArray("any_of")) {
        if (mismatch(each.getAsJsonObject(), answer) == null) return null;
      }
      return answer + " is none of " + expected;
    }
    if (expected.has("error")) {
      if (!answer.failed() || !answer.error().equals(expected.get("error").getAsString())) return answer + " instead of " + expected;
      byte[] message = answer.message().getBytes(StandardCharsets.UTF_8);
      if (expected.has("message") && !Arrays.equals(message, bytes(expected.get("message")))) return answer + " instead of " + expected;
      if (expected.has("message_contains")) {
        String part = new String(bytes(expected.get("message_contains")), StandardCharsets.UTF_8);
        if (!answer.message().contains(part)) return answer + " instead of " + expected;
      }
      return null;
    }
    if (answer.failed()) return answer + " instead of " + expected;
    if (expected.has("ok")) return null;
    if (expected.has("miss")) return "miss".equals(answer.error()) ? null : answer + " instead of a miss";
    if (answer.value() == null) return answer + " instead of " + expected;
    if (expected.has("value") && !Arrays.equals(answer.value(), bytes(expected.get("value")))) {
      return answer + " instead of " + Answer.of(bytes(expected.get("value")));
    }
    if (expected.has("value_size") && answer.value().length != expected.get("value_size").getAsInt()) {
      return answer + " instead of " + expected;
    }
    if (expected.has("source") && answer.source() != null && !answer.source().equals(expected.get("source").getAsString())) {
      return "it comes from " + answer.source() + " instead of " + expected.get("source");
    }
    if (expected.has("expires_in_ms") && answer.expiresAt() != null) {
      long ms = expected.get("expires_in_ms").getAsLong();
      long left = answer.expiresAt().map(at -> Duration.between(Instant.now(), at).toMillis()).orElse(0L);
      boolean right = ms == 0 ? answer.expiresAt().isEmpty() : left >= ms / 2 && left <= ms;
      if (!right) return "it expires in " + left + " ms instead of " + ms;
    }
    return null;
  }
}
