#include "transport/transport.h"

#include <strings.h>

namespace cohort {

const std::string* FindHeader(const Headers& headers, const char* name) {
  for (const auto& [header, value] : headers) {
    if (strcasecmp(header.c_str(), name) == 0) return &value;
  }
  return nullptr;
}

}  // namespace cohort
