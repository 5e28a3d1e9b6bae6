#include "behaviours/cpp/expectation.h"

#include <stdexcept>

#include "behaviours/cpp/standard_getter.h"

namespace behaviours {
namespace {

using nlohmann::json;

std::string FromBase64(const std::string& text) {
  static const std::string kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    const size_t digit = kDigits.find(c);
    if (digit == std::string::npos) throw std::runtime_error("'" + text + "' is not base64");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes += static_cast<char>(bits >> have & 0xff);
    }
  }
  return bytes;
}

// What can be read of bytes.
std::string Shown(std::string_view bytes) {
  constexpr size_t kMost = 80;
  std::string shown = "'";
  for (const char c : bytes.substr(0, kMost)) shown += c >= ' ' && c <= '~' ? c : '?';
  return shown + (bytes.size() > kMost ? "...' of " + std::to_string(bytes.size()) + " bytes" : "'");
}

std::string Shown(const Answer& answer) {
  if (!answer.error.empty()) return answer.error + " (" + answer.message + ")";
  return answer.miss ? "a miss" : "the value " + Shown(answer.value);
}

std::string MismatchOfValue(const json& expected, const Answer& answer) {
  constexpr int64_t kNsPerMs = 1'000'000;
  if (expected.contains("expires_in_ms") && answer.expire_unix_ns) {
    const int64_t ms = expected["expires_in_ms"];
    const int64_t left = *answer.expire_unix_ns == 0 ? 0 : *answer.expire_unix_ns - NowUnixNs();
    if (ms == 0 ? *answer.expire_unix_ns != 0 : left < ms / 2 * kNsPerMs || left > ms * kNsPerMs) {
      return "it expires in " + std::to_string(left / kNsPerMs) + " ms instead of " + std::to_string(ms);
    }
  }
  if (expected.contains("source") && !answer.source.empty() && expected["source"] != answer.source) {
    return "it comes from " + answer.source + " instead of " + expected["source"].get<std::string>();
  }
  return "";
}

}  // namespace

std::string BytesOf(const json& bytes, const Names& names) {
  if (bytes.is_string()) return bytes.get<std::string>();
  if (bytes.contains("base64")) return FromBase64(bytes["base64"]);
  if (bytes.contains("var")) return names.var(bytes["var"]);
  if (bytes.contains("address")) return names.address(bytes["address"]);
  std::string all;
  if (bytes.contains("repeat")) {
    const std::string piece = BytesOf(bytes["repeat"], names);
    const size_t count = bytes["count"];
    all.reserve(piece.size() * count);
    for (size_t i = 0; i < count; ++i) all += piece;
    return all;
  }
  for (const json& piece : bytes.at("concat")) all += BytesOf(piece, names);
  return all;
}

std::string Mismatch(const json& expected, const Answer& answer, const Names& names) {
  if (expected.contains("any_of")) {
    for (const json& each : expected["any_of"]) {
      if (Mismatch(each, answer, names).empty()) return "";
    }
    return "none of " + expected["any_of"].dump() + " but " + Shown(answer);
  }
  if (expected.contains("error")) {
    if (expected["error"] != answer.error) return Shown(answer) + " instead of " + expected.dump();
    if (expected.contains("message") && answer.message != BytesOf(expected["message"], names)) {
      return "the message is " + Shown(answer.message) + " instead of " + expected["message"].dump();
    }
    if (expected.contains("message_contains") &&
        answer.message.find(BytesOf(expected["message_contains"], names)) == std::string::npos) {
      return Shown(answer.message) + " does not contain " + expected["message_contains"].dump();
    }
    return "";
  }
  if (!answer.error.empty()) return Shown(answer) + " instead of " + expected.dump().substr(0, 200);
  if (expected.contains("ok")) return "";
  if (expected.contains("miss")) return answer.miss ? "" : Shown(answer) + " instead of a miss";
  if (answer.miss) return "a miss instead of " + expected.dump();
  if (expected.contains("value")) {
    if (const std::string value = BytesOf(expected["value"], names); value != answer.value) {
      return Shown(answer) + " instead of " + Shown(value);
    }
    return MismatchOfValue(expected, answer);
  }
  if (expected.at("value_size") != answer.value.size()) {
    return "a value of " + std::to_string(answer.value.size()) + " bytes instead of " + expected["value_size"].dump();
  }
  return MismatchOfValue(expected, answer);
}

}  // namespace behaviours
