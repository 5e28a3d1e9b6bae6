// The recorded vectors: lines of JSON, in whose strings the characters U+0000 to U+00FF stand for bytes.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace cohort {

inline std::vector<nlohmann::json> ReadVectors(const std::string& name) {
  std::ifstream file(std::string(COHORT_SOURCE_DIR) + "/tests/vectors/" + name);
  if (!file) throw std::runtime_error("cannot open " + name);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

inline std::string BytesOf(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      bytes.push_back(text[i]);
    } else {  // Two bytes of UTF-8 for one of the vector's.
      bytes.push_back(static_cast<char>(((c & 3) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F)));
    }
  }
  return bytes;
}

inline std::string BytesOfHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

}  // namespace cohort
