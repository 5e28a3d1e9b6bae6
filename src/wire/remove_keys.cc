// The JSON of remove-keys, read as Go's encoding/json reads it into {Group *string; Keys []string}.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "wire/messages.h"
#include "wire/utf8.h"

namespace cohort::wire {
namespace {

using Json = nlohmann::json;

constexpr char kReplacement[] = "\xEF\xBF\xBD";  // U+FFFD
constexpr char kEarlyEnd[] = "unexpected end of JSON input";
constexpr size_t kMaxDepth = 10'000;  // Go's.
constexpr size_t kMaxDigits = 18;     // Enough to stay a number; the value of none is looked at.

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The value of "\uXXXX" at `at`, or -1.
int EscapedUnit(std::string_view text, size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  for (size_t i = at + 2; i < at + 6; ++i) {
    const char c = text[i];
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!IsDigit(c) && !letter) return -1;
    unit = unit * 16 + (letter ? (c | 0x20) - 'a' + 10 : c - '0');
  }
  return unit;
}

bool IsHighSurrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool IsLowSurrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// Copies the string whose first byte is at `at` up to and with its closing quote; returns where it ends. What is not
// UTF-8, and surrogates without their other half, become U+FFFD.
size_t CopyString(std::string_view text, size_t at, std::string* out) {
  while (at < text.size() && text[at] != '"') {
    if (text[at] == '\\') {
      const int unit = EscapedUnit(text, at);
      const bool pair = IsHighSurrogate(unit) && IsLowSurrogate(EscapedUnit(text, at + 6));
      if (!pair && (IsHighSurrogate(unit) || IsLowSurrogate(unit))) {
        out->append(kReplacement);
        at += 6;
      } else {
        const size_t length = pair ? 12 : unit >= 0 ? 6 : 2;
        out->append(text.substr(at, length));
        at += length;
      }
      continue;
    }
    const size_t length = Utf8Length(text, at);
    if (length == 0) {
      out->append(kReplacement);
      ++at;
    } else {
      out->append(text.substr(at, length));
      at += length;
    }
  }
  if (at >= text.size()) return text.size();
  out->push_back('"');
  return at + 1;
}

// Copies the digits at `at`, no more than `most` of them, and skips the rest: numbers beyond a double's range are fine
// in Go when nobody asks for them.
size_t CopyDigits(std::string_view text, size_t at, size_t most, std::string* out) {
  for (size_t taken = 0; at < text.size() && IsDigit(text[at]); ++at, ++taken) {
    if (taken < most) out->push_back(text[at]);
  }
  return at;
}

std::string AsGoReadsIt(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      out.push_back(c);
      at = CopyString(text, at + 1, &out);
    } else if (IsDigit(c)) {
      at = CopyDigits(text, at, kMaxDigits, &out);
    } else if (c == 'e' || c == 'E') {
      out.push_back(c);
      if (++at < text.size() && (text[at] == '+' || text[at] == '-')) out.push_back(text[at++]);
      at = CopyDigits(text, at, 1, &out);
    } else {
      out.push_back(c);
      ++at;
    }
  }
  return out;
}

// encoding/json compares names by simple case folding, in which the Kelvin sign is a k and the long s an s.
bool IsName(std::string_view text, std::string_view lower_case_name) {
  std::string folded;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at, 3) == "\xE2\x84\xAA") {
      folded.push_back('k');
      at += 3;
    } else if (text.substr(at, 2) == "\xC5\xBF") {
      folded.push_back('s');
      at += 2;
    } else {
      const char c = text[at++];
      folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
    }
  }
  return folded == lower_case_name;
}

// encoding/json shows a byte as the character of that number.
std::string InvalidCharacter(std::string_view text, size_t at, const char* context) {
  constexpr char kHex[] = "0123456789abcdef";
  const char c = at < text.size() ? text[at] : '\0';
  const auto byte = static_cast<unsigned char>(c);
  std::string character(1, c);
  if (c == '\'' || c == '\\') character.insert(0, 1, '\\');
  if (byte < 0x20 || byte == 0x7F) character = std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
  if (c == '\n') character = "\\n";
  if (c == '\r') character = "\\r";
  if (c == '\t') character = "\\t";
  if (byte >= 0x80) {
    character = {static_cast<char>(0xC0 | (byte >> 6)), static_cast<char>(0x80 | (byte & 0x3F))};
  }
  return "invalid character '" + character + "' " + context;
}

// How long the last token is in what the parser has read since the one before the last string or number.
size_t LengthOfLast(const std::string& read) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (read.empty() || std::string_view(",:[]{}").find(read.back()) != std::string_view::npos) return 1;
  if (!is_letter(read.back())) return read.size();
  return static_cast<size_t>(std::find_if_not(read.rbegin(), read.rend(), is_letter) - read.rbegin());
}

// Collects the keys while the text goes by; nothing is built in memory but them.
class KeysReader final : public nlohmann::json_sax<Json> {
 public:
  explicit KeysReader(std::string_view text) : text_(text) {}

  bool null() override {
    seen_value_ = true;
    if (depth_ == 1 && field_ == Field::kKeys) keys.clear();
    if (InKeys()) keys.emplace_back();  // Go leaves the element at its zero value.
    return true;
  }
  bool boolean(bool) override { return Scalar("bool"); }
  bool number_integer(int64_t) override { return Scalar("number"); }
  bool number_unsigned(uint64_t) override { return Scalar("number"); }
  bool number_float(double, const std::string&) override { return Scalar("number"); }
  bool binary(Json::binary_t&) override { return false; }
  bool string(std::string& text) override {
    if (InKeys()) {
      keys.push_back(std::move(text));
    } else if (!(depth_ == 1 && field_ == Field::kGroup)) {
      return Scalar("string");
    }
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ == 1) {
      field_ = IsName(name, "keys") ? Field::kKeys : IsName(name, "group") ? Field::kGroup : Field::kOther;
    }
    return true;
  }
  bool start_object(size_t) override {
    if (depth_ > 0) NoteWrongType("object");
    return Enter('{');
  }
  bool start_array(size_t) override {
    in_keys_ = in_keys_ || (depth_ == 1 && field_ == Field::kKeys);
    if (depth_ == 1 && field_ == Field::kKeys) {
      keys.clear();
    } else {
      NoteWrongType("array");
    }
    return Enter('[');
  }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }

  bool parse_error(size_t position, const std::string& token, const nlohmann::detail::exception& error) override {
    if (position > text_.size()) {
      syntax_error = kEarlyEnd;
      return false;
    }
    // The reader stands behind the byte, or the token, that it did not expect.
    const std::string_view what = error.what();
    const bool whole_token = what.find(" - unexpected ") != std::string_view::npos;
    const size_t back = std::min(position, whole_token ? LengthOfLast(token) : 1);
    const auto parsing = [&](const char* part) {
      return what.find(std::string("while parsing ") + part + " - ") != std::string_view::npos;
    };
    const char* context = "looking for beginning of value";
    if (parsing("object key")) context = "looking for beginning of object key string";
    if (parsing("object separator")) context = "after object key";
    if (parsing("object")) context = "after object key:value pair";
    if (parsing("array")) context = "after array element";
    if (depth_ == 0 && seen_value_) context = "after top-level value";
    syntax_error = InvalidCharacter(text_, position - back, context);
    return false;
  }

  bool EndedEarly() const { return syntax_error == kEarlyEnd; }

  std::vector<std::string> keys;
  std::string syntax_error;  // Comes before the other, as in Go.
  std::string type_error;

 private:
  enum class Field { kOther, kGroup, kKeys };

  bool InKeys() const { return in_keys_ && depth_ == 2; }

  bool Scalar(const char* type) {
    NoteWrongType(type);
    seen_value_ = true;
    return true;
  }

  // Remembers the first value whose type does not fit where it stands.
  void NoteWrongType(const char* type) {
    if (!type_error.empty()) return;
    const char* wanted = nullptr;
    if (depth_ == 0) wanted = "Go value of type pb.RemoveKeysRequest";
    if (depth_ == 1 && field_ == Field::kKeys) wanted = "Go struct field RemoveKeysRequest.keys of type []string";
    if (depth_ == 1 && field_ == Field::kGroup) wanted = "Go struct field RemoveKeysRequest.group of type string";
    if (InKeys()) wanted = "Go struct field RemoveKeysRequest.keys of type string";
    if (wanted != nullptr) type_error = std::string("json: cannot unmarshal ") + type + " into " + wanted;
  }

  bool Enter(char bracket) {
    if (++depth_ <= kMaxDepth) return true;
    syntax_error = "invalid character '" + std::string(1, bracket) + "' exceeded max depth";
    return false;
  }
  bool Leave() {
    if (--depth_ == 1) in_keys_ = false;
    seen_value_ = true;
    return true;
  }

  std::string_view text_;
  size_t depth_ = 0;
  Field field_ = Field::kOther;  // The name that the value at depth 1 goes to.
  bool in_keys_ = false;
  bool seen_value_ = false;
};

Status Invalid(const std::string& why) { return Status(Code::kInvalidArgument, "invalid request: " + why); }

}  // namespace

std::string EncodeRemoveKeys(std::string_view group, const std::vector<std::string>& keys) {
  const auto quote = [](std::string_view text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::string out = "{\"group\":" + quote(group);
  if (!keys.empty()) out += ",\"keys\":[";
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) out += ',';
    out += quote(keys[i]);
  }
  out += keys.empty() ? "}" : "]}";
  return out;
}

Result<std::vector<std::string>> DecodeRemoveKeys(std::string_view body) {
  const std::string text = AsGoReadsIt(body);
  // The parser would take a byte order mark for white space, and a zero byte for the end.
  if (text.compare(0, 3, "\xEF\xBB\xBF") == 0) {
    return Invalid("invalid character 'ï' looking for beginning of value");
  }
  const size_t zero = std::min(text.find('\0'), text.size());
  KeysReader reader(std::string_view(text).substr(0, zero));
  const bool parsed = Json::sax_parse(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), &reader);
  if (zero < text.size() && (parsed || reader.EndedEarly())) {
    return Invalid(InvalidCharacter(text, zero, parsed ? "after top-level value" : "looking for beginning of value"));
  }
  if (!reader.syntax_error.empty()) return Invalid(reader.syntax_error);
  if (!parsed) return Invalid("not JSON");
  if (!reader.type_error.empty()) return Invalid(reader.type_error);
  return std::move(reader.keys);
}

}  // namespace cohort::wire
