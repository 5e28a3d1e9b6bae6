// Bytes and expectations as the list of behaviours writes them.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "behaviours/cpp/face.h"

namespace behaviours {

// What a case has named: keys that were picked, addresses of members. Throws std::runtime_error for what it does not
// know.
struct Names {
  std::function<std::string(const std::string& name)> var;
  std::function<std::string(int node)> address;
};

std::string BytesOf(const nlohmann::json& bytes, const Names& names);

// Empty if the answer is as expected, else what is wrong with it, in a line.
std::string Mismatch(const nlohmann::json& expected, const Answer& answer, const Names& names);

}  // namespace behaviours
