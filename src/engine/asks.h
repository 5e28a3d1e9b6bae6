// Asks is what the gets of one call for many keys have in common: one look at the members and at the clock, and the
// questions to their owners, which go to each of them together.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cluster/peer_set.h"
#include "engine/context.h"
#include "engine/flight.h"

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
  // The calendar's time, of some keys ago at most.
  LazyTime unix_time() {
    if (unix_uses_ == 0) unix_ns_ = 0;
    unix_uses_ = (unix_uses_ + 1) % kUses;
    return {this, [](const void* self) {
              const Asks& asks = *static_cast<const Asks*>(self);
              if (asks.unix_ns_ == 0) asks.unix_ns_ = asks.context_.NowUnixNs();
              return asks.unix_ns_;
            }};
  }
  // owner: its index in peers(). After that, one Add needs no memory. Returns where those who ask that owner keep what
  // they share.
  std::shared_ptr<const AskedOf>& Reserve(int owner);
  void Add(int owner, std::shared_ptr<PeerGet> get);
  // As Context::Begin, for many at a time.
  void BeginOne(Context& context) {
    if (begun_ == 0) context.Begin(begun_ = kBegunAtOnce);
    begun_of_ = &context;
    --begun_;
  }
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
  int64_t now_ns_ = -1;  // Not looked yet.
  struct OfOwner {
    std::vector<std::shared_ptr<PeerGet>> gets;
    std::shared_ptr<const AskedOf> shared;
  };
  std::vector<OfOwner> of_owner_;  // By index.
  std::vector<int> owners_;        // Those that something is for.
  size_t count_ = 0;
  static constexpr int64_t kBegunAtOnce = 64;
  int64_t begun_ = 0;  // Of which nothing has begun yet.
  Context* begun_of_ = nullptr;
  static constexpr unsigned kUses = 100;
  unsigned unix_uses_ = 0;
  mutable int64_t unix_ns_ = 0;  // 0: not read.
};

}  // namespace cohort
