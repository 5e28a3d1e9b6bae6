// HttpOptions: the limits and keys of the HTTP transport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cohort {

struct TlsOptions {
  // PEM files. TLS is spoken when ca_file or cert_file is set. Without ca_file, peers are verified against the system's
  // certificates. cert_file (with its chain) and key_file are what we show: to clients that connect to us always, to
  // servers that ask.
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  bool require_client_certificate = false;  // Signed by ca_file, which must then be set.

  bool enabled() const { return !ca_file.empty() || !cert_file.empty() || !key_file.empty(); }
};

struct HttpOptions {
  // Asking.
  size_t max_connections_per_peer = 64;
  int64_t connect_timeout_ms = 2000;
  int64_t idle_timeout_ms = 4000;   // Shorter than the other end's keep-alive, so that we are first to close.
  int64_t sender_patience_ms = 10;  // So long a call waits for a sender that is completing another.
  // Answering.
  size_t max_server_threads = 1024;
  // Longer than Go's clients keep an idle connection (90 s), so that they are first to close: a PUT that crosses our
  // closing is lost, and they do not send it again. An idle connection costs a descriptor and no thread.
  int64_t keep_alive_ms = 120'000;
  // Both.
  int64_t request_timeout_ms = 60'000;  // Of a request that names none; and the longest that a handler may take.
  size_t max_body_bytes = 256 * 1024 * 1024;
  size_t max_headers = 100;
  TlsOptions tls;
};

}  // namespace cohort
