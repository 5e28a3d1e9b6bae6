// Transport carries requests to peers and brings theirs: one request, one completion. It knows bytes, not caches.
// Siblings: http/ (cpp-httplib), inproc/ (tests, the simulator). Custom transports of the host come through the C ABI.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/body.h"
#include "base/status.h"
#include "base/unique_function.h"

namespace cohort {

// Names compare without case; order is kept.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The first value of that name, or nullptr.
const std::string* FindHeader(const Headers& headers, const char* name);

struct Request {
  std::string method;  // "GET", ...
  std::string target;  // Escaped path and, if any, "?query", as it stands on the wire.
  Headers headers;     // Without Host and Content-Length, which are the transport's part.
  std::string body;
  int64_t timeout_ms =
      0;              // Time left, 0 = the transport's own limit. Received: the listener's limit, not the header's.
  bool once = false;  // Something newer may come in between: not to be sent again once a byte of it has left.
};

struct Response {
  int status = 0;  // 200, ...
  Headers headers;
  std::string body;
};

// An answer on its way to the peer: what its body lends is held until it has been sent.
struct ServedResponse {
  ServedResponse() = default;
  ServedResponse(Response response)  // NOLINT(google-explicit-constructor)
      : status(response.status), headers(std::move(response.headers)), body(std::move(response.body)) {}
  // As it will come to the one who asked.
  Response Whole() && { return {status, std::move(headers), std::move(body).Whole()}; }

  int status = 0;
  Headers headers;
  Body body;
};

// Ok with a response of any status, or why there is none: kUnreachable, kTimeout, kCancelled, kTooLarge, kClosed.
using ResponseDone = UniqueFunction<void(Result<Response>)>;

// One peer. Thread safe.
class PeerChannel {
 public:
  virtual ~PeerChannel() = default;
  using CallId = uint64_t;
  // Sends; never blocks. `done` runs exactly once, on a transport thread with no lock held (before Send returns only
  // for failures that need no network).
  virtual CallId Send(Request request, ResponseDone done) = 0;
  // Gives up a call: its `done` comes soon with kCancelled unless it has already begun. Never waits.
  virtual void Cancel(CallId id) = 0;
  // Fails what is open with kClosed; later Sends fail at once. Idempotent.
  virtual void Close() = 0;
};

// Answers requests of peers. `done` must be called exactly once, on any thread.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual void Handle(Request request, UniqueFunction<void(ServedResponse)> done) = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  // The resolved "host:port".
  virtual std::string Address() const = 0;
  // Accepts nothing new, lets open requests end for up to drain_ms, then cuts them off. Returns when no thread is left.
  // Idempotent. Not from one of its own threads.
  virtual void Stop(int64_t drain_ms) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Never touches the network: a bad address fails on the first Send, with a message.
  virtual std::shared_ptr<PeerChannel> Connect(const std::string& address) = 0;
  // Serves `address` ("host:port", port 0 = a free one) by `handler`. Connections are accepted when it returns.
  virtual Result<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<RequestHandler> handler) = 0;
};

}  // namespace cohort
