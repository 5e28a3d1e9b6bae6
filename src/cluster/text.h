// Text of strangers made fit for one line of an error message.
#pragma once

#include <string>
#include <string_view>

namespace cohort {

// In quotes, with what does not print as \xXX, cut after some bytes.
std::string Quoted(std::string_view text);

// The first line, cut after some bytes.
std::string FirstLine(std::string_view text);

// Without the newlines at both ends, as groupcache-go trims an error's text.
std::string TrimNewlines(std::string_view text);

}  // namespace cohort
