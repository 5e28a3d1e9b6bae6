// Base64 (standard alphabet, padded), because the control protocol carries keys of any bytes.
#ifndef COHORT_TESTS_INTEROP_NODE_CPP_BASE64_H_
#define COHORT_TESTS_INTEROP_NODE_CPP_BASE64_H_

#include <string>
#include <string_view>

std::string Base64Encode(std::string_view bytes);
// Throws std::invalid_argument when `text` is not base64.
std::string Base64Decode(std::string_view text);

#endif  // COHORT_TESTS_INTEROP_NODE_CPP_BASE64_H_
