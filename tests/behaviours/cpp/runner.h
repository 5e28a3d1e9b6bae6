// Runs the cases of tests/behaviours on a face: makes the members, does the steps, compares, and cleans up whatever
// happened.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "behaviours/cpp/face.h"

namespace behaviours {

// The step (from 1; 0: none) that found something else than expected, and what.
struct Failure {
  size_t step = 0;
  std::string what;
};

// Why the face leaves the case out; nothing when it does not.
std::optional<std::string> Skipped(const Face& face, const nlohmann::json& a_case);

// `patience` ends waits for what does not come true.
std::optional<Failure> RunCase(const Face& face, const nlohmann::json& a_case, std::chrono::milliseconds patience);

}  // namespace behaviours
