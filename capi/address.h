// Addresses as the C ABI takes them: "host:port", "[v6]:port", and lists of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cohort::capi {

// "host:port" of a peer; `name` is the argument's.
Status CheckAddress(std::string_view address, const char* name);
// The same to listen on: without a host it is every address of the machine, and port 0 is any free one.
Status CheckListenAddress(std::string_view address, const char* name);
// An address that means something to a custom transport only: 1 to 255 printable bytes.
Status CheckName(std::string_view address, const char* name);
// The parts between '\n'; none for an empty list.
std::vector<std::string> SplitLines(std::string_view lines);

}  // namespace cohort::capi
