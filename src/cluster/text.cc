#include "cluster/text.h"

namespace cohort {
namespace {

constexpr size_t kMostBytes = 200;

}  // namespace

std::string Quoted(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, kMostBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
      out.push_back(c);
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  out += text.size() > kMostBytes ? "...\"" : "\"";
  return out;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find_first_of("\r\n")).substr(0, kMostBytes));
}

std::string TrimNewlines(std::string_view text) {
  const size_t first = text.find_first_not_of('\n');
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of('\n') - first + 1));
}

}  // namespace cohort
