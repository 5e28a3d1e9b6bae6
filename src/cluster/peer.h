// Peer is another member of the cluster as the engine sees it: four questions, each answered exactly once. WirePeer
// asks over a transport in groupcache's words; the C ABI brings peers that the host's own transport reaches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/unique_function.h"
#include "cache/value.h"

namespace cohort {

struct PeerAnswer {
  // kOk; kNotFound and kRemoteFailed are the owner's last word; anything else: not reached, load it here.
  Status status;
  ValueRef value;          // When ok. Its key is the key that was asked for.
  bool keep = true;        // False: hand it to those who wait, keep it nowhere (a Remove or Set overtook its load).
  uint64_t error_tag = 0;  // The host's own, from a custom transport.
};

class Peer {
 public:
  virtual ~Peer() = default;
  using CallId = uint64_t;
  // Returns how many waiters were handed the answer's error_tag.
  using GetDone = UniqueFunction<int64_t(PeerAnswer)>;
  using AckDone = UniqueFunction<void(Status)>;

  virtual const std::string& address() const = 0;
  // Each never blocks; `done` runs exactly once, on any thread, with no lock held, possibly before the call returns.
  // timeout_ms > 0: the time left.
  virtual CallId Get(std::string_view group, std::string_view key, int64_t timeout_ms, GetDone done) = 0;
  virtual void Set(std::string_view group, std::string_view key, const ValueRef& value, bool to_owner,
                   int64_t timeout_ms, AckDone done) = 0;
  virtual void Remove(std::string_view group, std::string_view key, int64_t timeout_ms, AckDone done) = 0;
  virtual void RemoveKeys(std::string_view group, const std::vector<std::string>& keys, int64_t timeout_ms,
                          AckDone done) = 0;
  // Nobody waits for that Get any more. Its done still comes.
  virtual void Cancel(CallId id) = 0;
  // Between the two, gets may wait, so that many that are begun together travel together. Calls nest.
  virtual void Hold() {}
  virtual void Release() {}
  virtual void Close() = 0;
};

// The peers that are held while many gets are begun.
class PeerHolds {
 public:
  PeerHolds() = default;
  ~PeerHolds() {
    for (const std::shared_ptr<Peer>& peer : peers_) peer->Release();
  }
  PeerHolds(const PeerHolds&) = delete;
  PeerHolds& operator=(const PeerHolds&) = delete;

  void Hold(const std::shared_ptr<Peer>& peer) {
    if (std::find(peers_.begin(), peers_.end(), peer) != peers_.end()) return;
    peers_.push_back(peer);
    peer->Hold();
  }

 private:
  std::vector<std::shared_ptr<Peer>> peers_;
};

}  // namespace cohort
