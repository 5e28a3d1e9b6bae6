// WirePeer asks a peer over a transport, in groupcache's words, and in ours where the peer has shown that it speaks
// them. It keeps the peer's health: after failures in a row a breaker answers at once, until a trial succeeds.
#pragma once

#include <memory>
#include <string>

#include "cluster/peer.h"
#include "runtime/runtime.h"
#include "transport/transport.h"

namespace cohort {

struct WirePeerOptions {
  std::string base_path;
  int breaker_failures = 5;              // In a row, to open it.
  int64_t breaker_min_open_ms = 500;     // Doubles with each failed trial, with jitter,
  int64_t breaker_max_open_ms = 10'000;  // up to this.
  int64_t default_timeout_ms = 60'000;   // For calls without a deadline.
};

std::shared_ptr<Peer> NewWirePeer(std::string address, std::shared_ptr<PeerChannel> channel, WirePeerOptions options,
                                  Runtime& runtime);

}  // namespace cohort
