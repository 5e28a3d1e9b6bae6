// Fanout sends the orders of one set or remove to a peer, a few at a time, and acknowledges when all have ended: with
// Ok, or with how many keys failed and why the first did.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/peer.h"
#include "cluster/peer_line.h"
#include "wire/messages.h"

namespace cohort {

// One plain request, or a batch of entries that become requests of their own if the peer turns out to take no batches.
// A plain one may have its batch beside it, for a peer that finds its line too long.
struct Order {
  bool plain = true;
  Request request;
  std::vector<wire::BatchEntry> batch;
  size_t keys = 1;
};

// The requests that carry orders.
Request RemoveRequest(const std::string& base_path, std::string_view group, std::string_view key);
Request SetRequestFor(const std::string& base_path, std::string_view group, std::string_view key,
                      std::string_view value, int64_t expire_unix_ns, int64_t now_unix_ns);
Request RemoveKeysRequest(const std::string& base_path, std::string_view group, const std::vector<std::string>& keys);
Request BatchRequest(const std::string& base_path, std::string body);

// What becomes of an operation of so many keys, of which some failed, the first of them so: Ok if none did.
Status NotAcknowledged(const PeerLine& line, size_t failed, size_t keys, const Status& first);

class Fanout : public std::enable_shared_from_this<Fanout> {
 public:
  // `done` runs once, possibly before this returns. All of it takes no longer than timeout_ms.
  static void Run(std::shared_ptr<PeerLine> line, Health::Permit permit, std::deque<Order> orders, int64_t timeout_ms,
                  Peer::AckDone done);

 private:
  Fanout(std::shared_ptr<PeerLine> line, Health::Permit permit, std::deque<Order> orders, int64_t timeout_ms,
         Peer::AckDone done);

  void Pump();
  void Send(Order order);
  void End(Order order, const Result<Response>& end);
  Status EndOfBatch(const Order& order, const Response& response, size_t* failed) const;

  const std::shared_ptr<PeerLine> line_;
  const Health::Permit permit_;
  const int64_t deadline_ns_;  // Monotonic.
  Peer::AckDone done_;

  std::mutex mutex_;
  std::deque<Order> waiting_;
  size_t keys_ = 0;
  size_t failed_keys_ = 0;
  Status first_error_;
  int under_way_ = 0;
  bool gave_up_ = false;
  bool pumping_ = false;
};

}  // namespace cohort
