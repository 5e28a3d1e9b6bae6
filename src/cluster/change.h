// Change is a set, or a remove of some keys, as a peer is told of it; and the requests that tell it alone.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "cache/value.h"
#include "cluster/fanout.h"
#include "cluster/peer_line.h"

namespace cohort {

struct Change {
  std::string group;
  std::vector<std::string> keys;  // Of a set: one.
  ValueRef value;                 // Null: a remove.
  bool alone = false;             // Of a remove of one key, which groupcache has a request of its own for.
  bool to_owner = true;           // False: a Cohort node needs no copy of the value, it forgets the old one.
};

// What it adds to a request, about.
size_t BytesOf(const Change& change);
// In groupcache's words, with ours at hand for what those cannot say: one request, whatever the number of keys, as long
// as they are text and a body of some megabytes holds them.
std::deque<Order> OrdersOf(const PeerLine& line, const Change& change);

}  // namespace cohort
