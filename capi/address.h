// Addresses as the C ABI takes them: "host:port", "[v6]:port", and lists of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cohort::capi {

// "host:port" with a port of at least `lowest_port`; `name` is the argument's.
Status CheckAddress(std::string_view address, int lowest_port, const char* name);
// An address that means something to a custom transport only: 1 to 255 printable bytes.
Status CheckName(std::string_view address, const char* name);
// The parts between '\n'; none for an empty list.
std::vector<std::string> SplitLines(std::string_view lines);

}  // namespace cohort::capi
