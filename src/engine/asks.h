// Asks is what the gets of one call for many keys have in common: one look at the members and at the clock, and the
// questions to their owners, which go to each of them together.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cluster/peer_set.h"
#include "engine/context.h"

namespace cohort {

class Asks {
 public:
  explicit Asks(const Context& context) : context_(context) {}
  ~Asks() { Send(); }
  Asks(const Asks&) = delete;
  Asks& operator=(const Asks&) = delete;

  // Null: local only.
  const std::shared_ptr<const PeerSet>& peers() {
    Look();
    return peers_;
  }
  int64_t now_ns() {
    Look();
    return now_ns_;
  }
  // owner: its index in peers(). After that, one Add needs no memory.
  void Reserve(int owner);
  void Add(int owner, std::shared_ptr<PeerGet> get);
  // What has been added goes now; what comes after that has a look of its own.
  void Send();

 private:
  void Look() {
    if (now_ns_ >= 0) return;
    peers_ = context_.peers();
    now_ns_ = context_.NowNs();
  }

  const Context& context_;
  std::shared_ptr<const PeerSet> peers_;
  int64_t now_ns_ = -1;                                          // Not looked yet.
  std::vector<std::vector<std::shared_ptr<PeerGet>>> of_owner_;  // By index.
  std::vector<int> owners_;                                      // Those that something is for.
  size_t count_ = 0;
};

}  // namespace cohort
