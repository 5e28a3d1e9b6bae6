// Utf8Length reads one character as Go does: what is no character is one wrong byte.
#pragma once

#include <cstddef>
#include <string_view>

namespace cohort::wire {

// The bytes of the character that starts at `at`, or 0 if none is well formed there. REQUIRES: at < text.size().
size_t Utf8Length(std::string_view text, size_t at);

}  // namespace cohort::wire
