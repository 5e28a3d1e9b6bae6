#include "session.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

namespace bench {

Flags::Flags(int argc, char** argv, int first) {
  for (int i = first; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
}

const std::string& Flags::Text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) Die("the flag " + name + " is missing");
  return found->second;
}

std::string Flags::Text(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

int64_t Flags::Number(const std::string& name, int64_t otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : std::strtoll(found->second.c_str(), nullptr, 10);
}

Json& Json::Add(const std::string& name, double value) {
  char number[64];
  std::snprintf(number, sizeof(number), "%.6g", value);
  text_ += (text_.empty() ? "\"" : ", \"") + name + "\": " + number;
  return *this;
}

Words::Words(const std::string& line) {
  std::istringstream in(line);
  for (std::string word; in >> word;) words_.push_back(word);
}

const std::string& Words::operator[](size_t i) const {
  if (i >= words_.size()) Die("a question has too few words");
  return words_[i];
}

int Words::Int(size_t i) const { return std::atoi((*this)[i].c_str()); }

double Words::Double(size_t i) const { return std::atof((*this)[i].c_str()); }

void Die(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::_Exit(1);
}

void Serve(const Json& ready, const std::function<Json(const Words&)>& answer) {
  std::printf("{%s}\n", ready.Text().c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("{%s}\n", answer(Words(line)).Text().c_str());
    std::fflush(stdout);
  }
  std::_Exit(0);
}

}  // namespace bench
