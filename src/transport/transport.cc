#include "transport/transport.h"

#include <strings.h>

#include <string_view>

namespace cohort {

const std::string* FindHeader(const Headers& headers, const char* name) {
  const std::string_view wanted = name;
  for (const auto& [header, value] : headers) {
    if (header.size() == wanted.size() && strncasecmp(header.data(), name, wanted.size()) == 0) return &value;
  }
  return nullptr;
}

}  // namespace cohort
