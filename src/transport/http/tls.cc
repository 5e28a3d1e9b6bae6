#include "transport/http/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>

#include <algorithm>
#include <climits>
#include <cstdio>

namespace cohort {

namespace {

// The reason of the last error in OpenSSL's queue, which is emptied.
std::string LastReason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

// Nobody is asked for a passphrase at a terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

Status CheckReadable(const char* what, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) {
    return Status(Code::kIo, std::string("cannot read ") + what + " " + path + ": " + strerror(errno));
  }
  std::fclose(file);
  return Status();
}

Status LoadInto(SSL_CTX* context, const TlsOptions& options) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_default_passwd_cb(context, NoPassphrase);
  ERR_clear_error();
  if (!options.ca_file.empty()) {
    if (Status status = CheckReadable("ca_file", options.ca_file); !status.ok()) return status;
    if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
      return Status(Code::kIo, "ca_file " + options.ca_file + " holds no certificate: " + LastReason());
    }
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  if (options.cert_file.empty()) return Status();
  if (Status status = CheckReadable("cert_file", options.cert_file); !status.ok()) return status;
  if (Status status = CheckReadable("key_file", options.key_file); !status.ok()) return status;
  if (SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1) {
    return Status(Code::kIo, "cert_file " + options.cert_file + " holds no certificate: " + LastReason());
  }
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Status(Code::kIo,
                  "key_file " + options.key_file + " cannot be used with " + options.cert_file + ": " + LastReason());
  }
  return Status();
}

// OpenSSL's own socket writes may raise SIGPIPE, and the last of them can happen on a thread of the host. So it reads
// and writes by these, which go by way of Socket.
int BioRead(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = static_cast<Socket*>(BIO_get_data(bio))->TryRead(data, static_cast<size_t>(size));
  if (count < 0 && Socket::WouldBlock(errno)) BIO_set_retry_read(bio);
  return static_cast<int>(count);
}

int BioWrite(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = static_cast<Socket*>(BIO_get_data(bio))->TryWrite(data, static_cast<size_t>(size));
  if (count < 0 && Socket::WouldBlock(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}

long BioControl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// Made once and kept: a process has one.
BIO_METHOD* SocketBioMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cohort socket");
    if (made == nullptr) return made;
    BIO_meth_set_read(made, BioRead);
    BIO_meth_set_write(made, BioWrite);
    BIO_meth_set_ctrl(made, BioControl);
    return made;
  }();
  return method;
}

SSL* NewSsl(SSL_CTX* context, Socket& socket) {
  BIO_METHOD* method = SocketBioMethod();
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  SSL* ssl = bio == nullptr ? nullptr : SSL_new(context);
  if (ssl == nullptr) {
    BIO_free(bio);
    return nullptr;
  }
  BIO_set_data(bio, &socket);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  return ssl;
}

bool IsNumeric(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
}

}  // namespace

// ---- one connection

bool TlsConnection::Retry(int result, int64_t deadline_monotonic_ns) {
  const int system_error = errno;
  const int why = SSL_get_error(ssl_, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    const int ready = WaitReady(socket_.fd(), why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline_monotonic_ns);
    if (ready > 0) return true;
    errno = ready == 0 ? ETIMEDOUT : ECANCELED;
    return false;
  }
  if (why == SSL_ERROR_SYSCALL) {
    errno = system_error != 0 ? system_error : ECONNRESET;
    return false;
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    errno = ECONNRESET;
    return false;
  }
  const long verified = SSL_get_verify_result(ssl_);
  error_ = LastReason();
  if (verified != X509_V_OK) error_ += std::string(" (") + X509_verify_cert_error_string(verified) + ")";
  errno = EPROTO;
  return false;
}

bool TlsConnection::Handshake(int64_t deadline_monotonic_ns) {
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) return true;
    if (!Retry(result, deadline_monotonic_ns)) return false;
  }
}

ssize_t TlsConnection::Read(char* data, size_t size, int64_t deadline_monotonic_ns) {
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_read(ssl_, data, static_cast<int>(std::min<size_t>(size, INT_MAX)));
    if (result > 0) return result;
    if (SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN) return 0;
    if (!Retry(result, deadline_monotonic_ns)) return -1;
  }
}

ssize_t TlsConnection::Write(const char* data, size_t size, int64_t deadline_monotonic_ns) {
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_write(ssl_, data, static_cast<int>(std::min<size_t>(size, INT_MAX)));
    if (result > 0) return result;
    if (!Retry(result, deadline_monotonic_ns)) return -1;
  }
}

void TlsConnection::SayGoodbye() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  ERR_clear_error();
}

// ---- the transport's certificates

Result<std::unique_ptr<Tls>> Tls::Load(const TlsOptions& options) {
  if (options.cert_file.empty() != options.key_file.empty()) {
    return Status(Code::kInvalidArgument, "TLS needs cert_file and key_file together");
  }
  if (options.require_client_certificate && options.ca_file.empty()) {
    return Status(Code::kInvalidArgument, "require_client_certificate needs ca_file, which signed those certificates");
  }
  std::unique_ptr<Tls> tls(new Tls);
  tls->client_ = SSL_CTX_new(TLS_client_method());
  if (tls->client_ == nullptr) return Status(Code::kNoMemory, "cannot start TLS: " + LastReason());
  if (Status status = LoadInto(tls->client_, options); !status.ok()) return status;
  SSL_CTX_set_verify(tls->client_, SSL_VERIFY_PEER, nullptr);
  if (options.cert_file.empty()) return tls;

  tls->server_ = SSL_CTX_new(TLS_server_method());
  if (tls->server_ == nullptr) return Status(Code::kNoMemory, "cannot start TLS: " + LastReason());
  if (Status status = LoadInto(tls->server_, options); !status.ok()) return status;
  if (options.require_client_certificate) {
    SSL_CTX_set_verify(tls->server_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_client_CA_list(tls->server_, SSL_load_client_CA_file(options.ca_file.c_str()));
    const unsigned char context_id[] = "cohort";
    SSL_CTX_set_session_id_context(tls->server_, context_id, sizeof context_id);
  }
  return tls;
}

Tls::~Tls() {
  SSL_CTX_free(client_);
  SSL_CTX_free(server_);
}

std::unique_ptr<TlsConnection> Tls::Connect(Socket& socket, const std::string& host) {
  SSL* ssl = NewSsl(client_, socket);
  if (ssl == nullptr) return nullptr;
  SSL_set_connect_state(ssl);
  if (IsNumeric(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, host.c_str());
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
  }
  return std::make_unique<TlsConnection>(ssl, socket);
}

std::unique_ptr<TlsConnection> Tls::Accept(Socket& socket) {
  SSL* ssl = NewSsl(server_, socket);
  if (ssl == nullptr) return nullptr;
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsConnection>(ssl, socket);
}

}  // namespace cohort
