// Asked reads what a request between members asks for: which operation on which keys, with which values.
#pragma once

#include <string>
#include <vector>

#include "transport/transport.h"

namespace cohort::sim {

inline constexpr char kBasePath[] = "/_groupcache/";

struct Asked {
  enum class Op { kGet, kSet, kRemove };
  Op op = Op::kGet;
  std::string key;
  std::string value;  // kSet
};

// One for each key; empty if the request is nothing that a member sends.
std::vector<Asked> ReadAsked(const Request& request);

}  // namespace cohort::sim
