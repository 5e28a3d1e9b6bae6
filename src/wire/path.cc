#include "wire/path.h"

namespace cohort::wire {
namespace {

constexpr std::string_view kExtensionGroup = "_cohort";

bool StaysAsItIs(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  constexpr std::string_view kMarks = "$&+=:@~-_.";
  return kMarks.find(c) != std::string_view::npos;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void AppendEscaped(std::string_view text, std::string* out) {
  if (text == "." || text == "..") {
    for (size_t i = 0; i < text.size(); ++i) out->append("%2E");
    return;
  }
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (StaysAsItIs(c)) {
      out->push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out->push_back('%');
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    }
  }
}

}  // namespace

std::string PathEscape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  AppendEscaped(text, &out);
  return out;
}

Result<std::string> PathUnescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Status(Code::kInvalidArgument, "invalid URL escape \"" + std::string(text.substr(i, 3)) + "\"");
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::string KeyPath(std::string_view base, std::string_view group, std::string_view key) {
  std::string out;
  out.reserve(base.size() + group.size() + key.size() + 17);
  out.append(base);
  AppendEscaped(group, &out);
  out.push_back('/');
  AppendEscaped(key, &out);
  return out;
}

SplitPath SplitTarget(std::string_view base, std::string_view target) {
  SplitPath split;
  const Result<std::string> path = PathUnescape(target.substr(0, target.find('?')));
  if (!path.ok()) {
    split.kind = PathKind::kBad;
    return split;
  }
  std::string_view rest = *path;
  if (rest.substr(0, base.size()) != base) return split;
  rest.remove_prefix(base.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) {
    split.kind = PathKind::kBad;
    return split;
  }
  split.group = rest.substr(0, slash);
  split.key = rest.substr(slash + 1);
  split.kind = split.group == kExtensionGroup ? PathKind::kExtension : PathKind::kKey;
  return split;
}

}  // namespace cohort::wire
