// HostTransport lets the host's own transport reach the peers: each question becomes a HostRequest, handed to a
// callback or a queue, and answered once. HostPeer hands over calls (get, set, ...), HostChannel raw HTTP requests.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cluster/peer.h"
#include "engine/event_queue.h"
#include "runtime/runtime.h"
#include "transport/transport.h"

namespace cohort {

enum class HostOp : int32_t { kGet = 1, kSet = 2, kRemove = 3, kRemoveKeys = 4, kRaw = 5 };

// One question, while it is open. Shared by the host's handle, the peer's list of open calls and its timer; the first
// end wins.
struct HostCall {
  HostOp op = HostOp::kGet;
  std::string peer;
  std::string group;
  std::string key;                 // kRemoveKeys: all keys, one after the other.
  std::vector<int64_t> key_sizes;  // kRemoveKeys.
  ValueRef value;                  // kSet.
  Request raw;                     // kRaw.
  int64_t deadline_ns = 0;         // Of the runtime's monotonic clock.
  Clock* clock = nullptr;

  Peer::GetDone get_done;           // kGet
  Peer::AckDone ack_done;           // kSet, kRemove, kRemoveKeys
  ResponseDone raw_done;            // kRaw
  UniqueFunction<void()> on_ended;  // Takes it off the peer's list and stops its timer.

  std::mutex mutex;
  bool ended = false;
  std::shared_ptr<EventQueue> watch_queue;
  uint64_t watch_tag = 0;

  // True: the caller is the one to end it.
  bool TryEnd();
  void EndOk(ValueRef value_or_null);
  void EndRaw(Response response);
  // Returns how many events carry the tag.
  int64_t EndFailed(const Status& status, uint64_t error_tag);
  // Ends it with a failure of this side, then tells who watches that nobody waits any more.
  void GiveUp(Code why, const Status& status);

 private:
  int64_t Fail(const Status& status, uint64_t error_tag);
};

// The host's handle; dropping it open fails the call as not reached.
class HostRequest {
 public:
  explicit HostRequest(std::shared_ptr<HostCall> call) : call_(std::move(call)) {}
  ~HostRequest();
  HostRequest(const HostRequest&) = delete;
  HostRequest& operator=(const HostRequest&) = delete;

  const HostCall& call() const { return *call_; }
  int64_t TimeLeftMs() const;
  Status Watch(std::shared_ptr<EventQueue> queue, uint64_t tag);
  void Reply(ValueRef value) { call_->EndOk(std::move(value)); }
  void ReplyRaw(Response response) { call_->EndRaw(std::move(response)); }
  int64_t Fail(const Status& status, uint64_t error_tag) { return call_->EndFailed(status, error_tag); }

 private:
  std::shared_ptr<HostCall> call_;
};

// Hands a request to the host. False: nobody is there; the request was dropped.
using HostSend = std::function<bool(std::unique_ptr<HostRequest>)>;

// A peer that is asked by calls. One call for each question: no probe, no retry, no breaker.
std::shared_ptr<Peer> NewHostPeer(std::string address, HostSend send, Runtime& runtime, int64_t default_timeout_ms);
// A channel that carries raw requests, for a WirePeer.
std::shared_ptr<PeerChannel> NewHostChannel(std::string address, HostSend send, Runtime& runtime,
                                            int64_t default_timeout_ms);

}  // namespace cohort
