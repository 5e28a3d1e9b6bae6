#include "capi/headers.h"

namespace cohort::capi {
namespace {

// A character of an HTTP token.
bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

Status Wrong(size_t line, const char* why) {
  return {Code::kInvalidArgument, "line " + std::to_string(line) + " of headers " + why};
}

}  // namespace

std::string FormatHeaders(const Headers& headers) {
  size_t size = 0;
  for (const auto& [name, value] : headers) size += name.size() + value.size() + 4;
  std::string lines;
  lines.reserve(size);
  for (const auto& [name, value] : headers) lines.append(name).append(": ").append(value).append("\r\n");
  return lines;
}

Result<Headers> ParseHeaders(std::string_view lines) {
  Headers headers;
  for (size_t number = 1; !lines.empty(); ++number) {
    const size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() && lines.empty()) break;  // The empty line that ends a head.
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return Wrong(number, "is not 'Name: value'");
    const std::string_view name = line.substr(0, colon);
    for (const char c : name) {
      if (!IsNameChar(c)) return Wrong(number, "has a name with a character that no header's name may hold");
    }
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && IsBlank(value.front())) value.remove_prefix(1);
    while (!value.empty() && IsBlank(value.back())) value.remove_suffix(1);
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < ' ' && c != '\t') || byte == 0x7f) return Wrong(number, "has a control character in its value");
    }
    headers.emplace_back(name, value);
  }
  return headers;
}

}  // namespace cohort::capi
