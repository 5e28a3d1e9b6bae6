// Replays a trace through the real cache or a reference policy, admitting on every miss, and counts hits.
#pragma once

#include <cstdint>
#include <string>

#include "bench/replay/trace.h"

namespace cohort::replay {

struct Room {
  double amount = 0;
  bool percent = false;  // Of the unique keys, or of what they are charged together.
  bool bytes = false;    // Else entries. Values then have the sizes of SizeOf, else none.
};

// "5000", "5%" or "0.1%"; throws std::runtime_error.
Room ParseRoom(const std::string& text, bool bytes);

struct Result {
  int64_t room = 0;  // In bytes or entries.
  int64_t requests = 0;
  int64_t hits = 0;
};

// Policies: "adaptive" and "lru" are the cache's own, "reference:lru" and so on those of reference.h. Throws
// std::runtime_error if there is none of that name.
Result Replay(const Trace& trace, const std::string& policy, const Room& room);

}  // namespace cohort::replay
