// Asked reads what a request between members asks for, which operation on which keys, with which values, and what its
// answer says to each.
#pragma once

#include <cstdint>
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

// One for each key; empty if the request asks for none.
std::vector<Asked> ReadAsked(const Request& request);

// What an answer says to one get: its end, or a ticket for it. Of collected answers: whose ticket's end it is.
struct Said {
  uint64_t ticket = 0;
  bool later = false;
  std::string end;
};
// One for each key that was asked for, or for each that was collected; empty if the answer says nothing.
std::vector<Said> ReadSaid(const Request& request, const Response& response);

}  // namespace cohort::sim
