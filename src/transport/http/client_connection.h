// ClientConnection asks one peer, one request at a time, over a connection that it opens when needed and keeps while it
// can.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "transport/http/http_options.h"
#include "transport/http/socket.h"
#include "transport/http/tls.h"
#include "transport/transport.h"

namespace cohort {

class ClientConnection {
 public:
  // `tls` may be nullptr; it and `options` outlive the connection.
  ClientConnection(std::string address, HostPort host_port, const HttpOptions& options, Tls* tls);
  ~ClientConnection();

  // One request, one answer, by that deadline. REQUIRES: IsSendable(request) says OK.
  Result<Response> Perform(const Request& request, int64_t deadline_monotonic_ns);
  void Close();
  // Thread safe: makes the request that is being performed fail soon, and later ones, until ClearAbort.
  void Abort() { socket_.Abort(); }
  void ClearAbort() { socket_.ClearAbort(); }
  bool aborted() { return socket_.aborted(); }

  // Whether the request can be written as HTTP at all.
  static Status IsSendable(const Request& request);
  // Makes the library's tables, for ExitGate.
  static void WarmUp();

 private:
  class Codec;

  Status Connect(int64_t deadline_monotonic_ns);
  Result<Response> Exchange(const Request& request, int64_t deadline_monotonic_ns);
  Status Failure(int64_t deadline_monotonic_ns) const;

  const std::string address_;
  const HostPort host_port_;
  const HttpOptions& options_;
  Tls* const tls_;
  Socket socket_;
  std::unique_ptr<TlsConnection> tls_connection_;
  std::unique_ptr<Codec> codec_;
  int64_t budget_ms_ = 0;  // What the running call was given, for its messages.
};

}  // namespace cohort
