// PeerChanges tells one peer of sets and removes, each of which is acknowledged. To a peer that answers with tickets
// they travel together: one request is on its way, and what comes meanwhile goes with the next, in the order in which
// it came. Any other peer gets each for itself, as groupcache does (fanout.h). Thread safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cluster/change.h"
#include "cluster/peer.h"
#include "cluster/peer_line.h"
#include "cluster/sending.h"
#include "runtime/alarm.h"
#include "runtime/runtime.h"

namespace cohort {

class PeerChanges : public std::enable_shared_from_this<PeerChanges> {
 public:
  PeerChanges(std::shared_ptr<PeerLine> line, Runtime& runtime) : line_(std::move(line)), alarm_(runtime) {}

  // `done` runs once, possibly before this returns. timeout_ms > 0.
  void Tell(Change change, int64_t timeout_ms, Peer::AckDone done);
  // After the channel has been closed.
  void Close();

 private:
  using Place = std::pair<int64_t, uint64_t>;  // Its deadline, on the monotonic clock; then the order of arrival.
  // One change until its end. It is open while it stands in open_; whoever takes it out ends it.
  struct Telling {
    Telling(Change told, Health::Permit of, Place at) : change(std::move(told)), permit(of), place(at) {}
    const Change change;
    const Health::Permit permit;
    const Place place;
    Peer::AckDone done;
    bool asked = false;  // Its permit went with a request.
  };
  using Shared = std::shared_ptr<Telling>;
  struct Ended {
    Peer::AckDone done;
    Status status;
  };

  // REQUIRE mutex_ held:
  Task NextWork();
  Task TakeBatch();
  std::vector<Shared> TakeQueued(size_t most);
  // Empty: it has ended already.
  Peer::AckDone Take(const Telling& telling);
  void ArmTimer();
  // Without the lock:
  void Pump();
  void OnTimer(uint64_t set);
  // Ends with requests of its own; `then` runs after it has been told.
  void SendPlainly(const Shared& telling, Task then);
  void SendBatch(const std::vector<Shared>& batch);
  void EndBatch(const std::vector<Shared>& batch, const Result<Response>& end);
  void EndFirst();
  std::vector<Status> StatusesOf(const std::vector<Shared>& batch, const Result<Response>& end) const;
  void Free();

  const std::shared_ptr<PeerLine> line_;

  std::mutex mutex_;
  std::map<Place, Shared> open_;  // Queued, or in the batch that is on its way.
  std::deque<Shared> queue_;      // Those that have ended are still in it.
  uint64_t last_number_ = 0;
  Alarm alarm_;
  bool on_its_way_ = false;
  Sending sending_;
  bool closed_ = false;
};

}  // namespace cohort
