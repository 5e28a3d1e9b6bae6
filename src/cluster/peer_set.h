// PeerSet is one view of the cluster: who the members are, which of them is this node, and what each owns. It never
// changes once built: a new membership is a new PeerSet.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/peer.h"
#include "cluster/ring.h"

namespace cohort {

struct PeerSet {
  std::vector<std::shared_ptr<Peer>> peers;  // Null at `self`.
  std::vector<std::string> addresses;        // Of the same indices.
  int self = -1;
  Ring ring;  // Over `addresses`.
};

}  // namespace cohort
