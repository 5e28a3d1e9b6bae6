// Peer is another member of the cluster as the engine sees it: four questions, each answered exactly once. WirePeer
// asks over a transport in groupcache's words; the C ABI brings peers that the host's own transport reaches.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/unique_function.h"
#include "cache/value.h"
#include "cluster/peer_get.h"

namespace cohort {

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
  // Asks for all of these at once, each until its own deadline: they travel together where the peer lets them. May take
  // the references over.
  virtual void GetAll(std::span<std::shared_ptr<PeerGet>> gets) = 0;
  virtual void Set(std::string_view group, std::string_view key, const ValueRef& value, bool to_owner,
                   int64_t timeout_ms, AckDone done) = 0;
  virtual void Remove(std::string_view group, std::string_view key, int64_t timeout_ms, AckDone done) = 0;
  virtual void RemoveKeys(std::string_view group, const std::vector<std::string>& keys, int64_t timeout_ms,
                          AckDone done) = 0;
  // Nobody waits for that get any more. Its end still comes.
  virtual void Cancel(CallId id) = 0;
  // The same, possibly before GetAll comes with it, or meanwhile:
  //   1. GiveUp: notes it                      1. GetAll: its number is known, nothing is noted
  //   2. GetAll: sees the note, cancels it     2. GiveUp: notes it, sees the number, cancels it
  void GiveUp(PeerGet& get) {
    get.given_up_.store(true);
    if (const CallId id = get.call_.load(); id != 0) Cancel(id);
  }
  virtual void Close() = 0;

 protected:
  // For GetAll.
  static bool IsGivenUp(const PeerGet& get) { return get.given_up_.load(); }
  static void SetCall(PeerGet& get, CallId id) { get.call_.store(id); }
};

}  // namespace cohort
