// Any request target is split into one of the kinds; what was escaped comes back.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/path.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cohort::wire;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kBase = "/_groupcache/";

  const SplitPath split = SplitTarget(kBase, text);
  const bool named = split.kind == PathKind::kKey || split.kind == PathKind::kExtension;
  Check(named || (split.group.empty() && split.key.empty()));
  Check(split.group.find('/') == std::string::npos);
  if (named) {
    const SplitPath again = SplitTarget(kBase, KeyPath(kBase, split.group, split.key));
    Check(again.kind == split.kind && again.group == split.group && again.key == split.key);
  }

  const std::string escaped = PathEscape(text);
  for (const char c : escaped) Check(c > ' ' && c < 0x7F && c != '/' && c != '?' && c != '#');
  Check(escaped != "." && escaped != "..");
  const auto back = PathUnescape(escaped);
  Check(back.ok() && *back == text);
  const SplitPath key = SplitTarget(kBase, KeyPath(kBase, "g", text));
  Check(key.kind == PathKind::kKey && key.group == "g" && key.key == text);
  return 0;
}
