// PeerLine is one peer's end of the transport: it marks each request as ours, and learns from each end whether the peer
// lives and whether it is a Cohort node. Thread safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/unique_function.h"
#include "cluster/extension.h"
#include "cluster/health.h"
#include "runtime/runtime.h"
#include "transport/transport.h"

namespace cohort {

class PeerLine : public std::enable_shared_from_this<PeerLine> {
 public:
  PeerLine(std::string address, std::string base_path, std::shared_ptr<PeerChannel> channel, HealthOptions options,
           Runtime& runtime);

  const std::string& address() const { return address_; }
  const std::string& base_path() const { return base_path_; }
  Clock& clock() const { return clock_; }
  PeerChannel& channel() const { return *channel_; }

  // May the peer be asked? kUnreachable with the reason if not.
  Result<Health::Permit> AskLeave() { return health_.Ask(); }
  // Nothing was sent under the permit after all.
  void GiveBack(Health::Permit permit) { health_.Report(permit, Status(Code::kCancelled, "")); }

  // Its last answer showed that it is a Cohort node; an answer without the sign, or none at all, ends the belief.
  bool IsCohort() const { return version_.load(std::memory_order_relaxed) > 0; }
  // It has answered since it was last unreachable, so that this is known of it.
  bool IsKnown() const { return version_.load(std::memory_order_relaxed) >= 0; }
  // It is one that answers what is not ready with tickets.
  bool TakesTickets() const { return version_.load(std::memory_order_relaxed) >= kVersionWithTickets; }

  // `done` runs once, as PeerChannel says; errors name the peer. timeout_ms > 0: the time left.
  PeerChannel::CallId Send(Health::Permit permit, Request request, int64_t timeout_ms, ResponseDone done);

  // What an answer means that no status of its own has been given to.
  Status Unexpected(const Response& response) const;
  Status Unreadable(const Status& why) const;

  // Would this request's first line be longer than every server takes?
  static bool IsTooLong(const Request& request);
  // The peer did not know the path: it is no Cohort node, or no longer.
  static bool RefusesBatches(const Response& response);
  // The peer takes no request with such a line: it is a Cohort node, for groupcache-go's take a megabyte.
  static bool RefusesLongLines(const Response& response) { return response.status == 414; }

 private:
  void Hear(Health::Permit permit, const Result<Response>& end);

  const std::string address_;
  const std::string base_path_;
  const std::shared_ptr<PeerChannel> channel_;
  Clock& clock_;
  Health health_;
  std::atomic<int> version_{-1};  // Of our words; 0: it does not speak them, -1: nothing is known.
};

}  // namespace cohort
