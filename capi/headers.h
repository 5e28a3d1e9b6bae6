// Headers as they cross the C ABI: "Name: value\r\n" lines, and back.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "transport/transport.h"

namespace cohort::capi {

std::string FormatHeaders(const Headers& headers);
// Lines may end in "\n" alone. Fails on a line without a name or a colon, and on control bytes.
Result<Headers> ParseHeaders(std::string_view lines);

}  // namespace cohort::capi
