// Tls holds the certificates of a transport and puts TLS on its connections; the peer must be whom its address says.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "transport/http/http_options.h"
#include "transport/http/socket.h"

namespace cohort {

// TLS on one connected socket. One thread at a time, except that the socket may be cut off by any.
class TlsConnection {
 public:
  TlsConnection(SSL* ssl, Socket& socket) : ssl_(ssl), socket_(socket) {}
  ~TlsConnection() { SSL_free(ssl_); }
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  bool Handshake(int64_t deadline_monotonic_ns);
  // As Socket's; -1 with errno EPROTO when TLS itself failed: error() tells.
  ssize_t Read(char* data, size_t size, int64_t deadline_monotonic_ns);
  ssize_t Write(const char* data, size_t size, int64_t deadline_monotonic_ns);
  // Bytes that poll does not see.
  bool HasPending() const { return SSL_pending(ssl_) > 0; }
  void SayGoodbye();
  const std::string& error() const { return error_; }

 private:
  // After `result` <= 0: true when the operation is worth another try.
  bool Retry(int result, int64_t deadline_monotonic_ns);

  SSL* const ssl_;
  Socket& socket_;
  std::string error_;
};

class Tls {
 public:
  // Reads the files; says which one is wrong and why.
  static Result<std::unique_ptr<Tls>> Load(const TlsOptions& options);
  ~Tls();

  // The asking side: `host`, a name or a numeric address, must be in the peer's certificate.
  std::unique_ptr<TlsConnection> Connect(Socket& socket, const std::string& host);
  std::unique_ptr<TlsConnection> Accept(Socket& socket);
  // Whether there is a certificate to listen with.
  bool can_accept() const { return server_ != nullptr; }

 private:
  Tls() = default;
  SSL_CTX* client_ = nullptr;
  SSL_CTX* server_ = nullptr;
};

}  // namespace cohort
