// node-cpp is the conformance node in C++: it joins a cluster through libcohort and is driven over HTTP.
#include <cstdio>
#include <exception>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "cache.h"
#include "control.h"
#include "loader.h"

namespace {

// A Go duration such as "1m30s" or "250ms".
int64_t ParseDurationNs(const std::string& text) {
  static const std::map<std::string, double> kUnits = {{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                                                       {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  double total = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t unit = text.find_first_not_of("0123456789.", at);
    if (unit == at || (unit == std::string::npos && text != "0")) {
      throw std::invalid_argument("-expire: not a duration: " + text);
    }
    if (unit == std::string::npos) {
      return 0;
    }
    const size_t next = text.find_first_of("0123456789.", unit);
    total += std::stod(text.substr(at, unit - at)) * kUnits.at(text.substr(unit, next - unit));
    at = next == std::string::npos ? text.size() : next;
  }
  return static_cast<int64_t>(total);
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    parts.push_back(part);
  }
  return parts;
}

// Flags are "-name value", "--name value" or "-name=value"; unknown ones are errors, a later one wins.
std::map<std::string, std::string> ParseFlags(int argc, char** argv) {
  std::map<std::string, std::string> flags = {
      {"listen", "127.0.0.1:0"}, {"ctl", "127.0.0.1:0"}, {"peers", ""},  {"name", "n"}, {"group", "g"},
      {"bytes", "67108864"},     {"replicas", "50"},     {"expire", "0"}};
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i];
    name.erase(0, name.find_first_not_of('-'));
    std::string value;
    if (const size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (++i < argc) {
      value = argv[i];
    }
    flags.at(name) = value;
  }
  return flags;
}

void Run(int argc, char** argv) {
  const auto flags = ParseFlags(argc, argv);
  Loader loader(flags.at("name"), ParseDurationNs(flags.at("expire")));
  const Cache::Options options = {flags.at("listen"), flags.at("name"), flags.at("group"),
                                  std::stoll(flags.at("bytes")), std::stoi(flags.at("replicas"))};
  Cache cache(options, &loader);
  if (!flags.at("peers").empty()) {
    cache.instance().set_peers(Split(flags.at("peers")), options.listen);
  }
  ServeControl(flags.at("ctl"), options, &cache, &loader);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Run(argc, argv);
    return 0;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "node-cpp: %s\n", problem.what());
    return 1;
  }
}
