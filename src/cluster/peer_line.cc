#include "cluster/peer_line.h"

#include <algorithm>
#include <utility>

#include "cluster/life.h"
#include "cluster/text.h"

namespace cohort {
namespace {

constexpr size_t kMaxLineBytes = 8'000;  // cpp-httplib's servers take 8,192.

// A caller that gives the peer less time than this and gets no answer has learned nothing about the peer: perhaps only
// its getter is slow, and a breaker that opened for that would make every other caller load the peer's keys for itself.
constexpr int64_t kPatienceMs = 5'000;

// Whatever else it says, a peer with the header is a Cohort node.
int VersionOf(const std::string& header) {
  const int64_t version = ParseDecimal(header).value_or(1);
  return static_cast<int>(std::clamp<int64_t>(version, 1, 1'000'000));
}

}  // namespace

PeerLine::PeerLine(std::string address, std::string base_path, std::shared_ptr<PeerChannel> channel,
                   HealthOptions options, Runtime& runtime)
    : address_(std::move(address)),
      base_path_(std::move(base_path)),
      channel_(std::move(channel)),
      clock_(runtime.clock()),
      health_(address_, options, runtime.clock(), runtime.random()) {}

PeerChannel::CallId PeerLine::Send(Health::Permit permit, Request request, int64_t timeout_ms, ResponseDone done) {
  request.timeout_ms = timeout_ms;
  request.headers.emplace_back(kCohortHeader, kCohortVersion);
  request.headers.emplace_back(kTimeoutHeader, std::to_string(timeout_ms));
  return channel_->Send(std::move(request), [self = shared_from_this(), permit, timeout_ms,
                                             done = std::move(done)](Result<Response> end) mutable {
    if (!end.ok() && end.status().message().find(self->address_) == std::string::npos) {
      end = Status(end.status().code(), "peer " + self->address_ + ": " + end.status().message());
    }
    if (!end.ok() && end.status().code() == Code::kTimeout && timeout_ms < kPatienceMs) {
      self->GiveBack(permit);
    } else {
      self->Hear(permit, end);
    }
    done(std::move(end));
  });
}

void PeerLine::Hear(Health::Permit permit, const Result<Response>& end) {
  health_.Report(permit, end.status());
  if (end.ok()) {
    const std::string* header = FindHeader(end->headers, kCohortHeader);
    version_.store(header != nullptr ? VersionOf(*header) : 0, std::memory_order_relaxed);
  } else if (end.status().code() == Code::kUnreachable) {
    // Whoever answers there next may be another program; groupcache-go cuts the connection when it gets a batch.
    version_.store(-1, std::memory_order_relaxed);
  }
}

Status PeerLine::Unexpected(const Response& response) const {
  std::string message = "peer " + address_ + " answered " + std::to_string(response.status);
  if (const std::string line = FirstLine(response.body); !line.empty()) message += ": " + line;
  return Status(Code::kUnreachable, std::move(message));
}

Status PeerLine::Unreadable(const Status& why) const {
  return Status(Code::kUnreachable, "peer " + address_ + " answered something unreadable: " + why.message());
}

bool PeerLine::IsTooLong(const Request& request) {
  constexpr size_t kRest = sizeof("  HTTP/1.1\r\n") - 1;
  return request.method.size() + request.target.size() + kRest > kMaxLineBytes;
}

bool PeerLine::RefusesBatches(const Response& response) {
  return (response.status == 404 || response.status == 405) && FindHeader(response.headers, kCohortHeader) == nullptr;
}

}  // namespace cohort
