// Path: how a group and a key stand in a request's target, escaped as groupcache-go escapes them.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace cohort::wire {

// Go's url.PathEscape: letters, digits and $&+=:@~-_. stay, all else is %XX in upper case. The keys "." and ".." become
// "%2E" and "%2E%2E", so that no HTTP server cleans them away.
std::string PathEscape(std::string_view text);

// Decodes %XX; '+' stays a plus. kInvalidArgument for a broken escape.
Result<std::string> PathUnescape(std::string_view text);

// base + PathEscape(group) + "/" + PathEscape(key).
std::string KeyPath(std::string_view base, std::string_view group, std::string_view key);

enum class PathKind {
  kKey,        // base + group + "/" + key: split at the first '/' of the decoded rest
  kExtension,  // base + "_cohort/" + name (in `key`): our own protocol
  kBad,        // no '/' after the group, or a broken escape
  kElsewhere,  // does not begin with base
};

struct SplitPath {
  PathKind kind = PathKind::kElsewhere;
  std::string group;
  std::string key;
};

// Splits a request target (escaped; a query is ignored). Never fails otherwise: any bytes in, one of the kinds out.
SplitPath SplitTarget(std::string_view base, std::string_view target);

}  // namespace cohort::wire
