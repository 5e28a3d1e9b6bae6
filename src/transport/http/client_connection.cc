#include "transport/http/client_connection.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <algorithm>

#include "transport/calls.h"
#include "transport/http/exit_gate.h"
#include "transport/http/http_stream.h"

namespace cohort {

namespace {

constexpr char kUserAgent[] = "cohort/0.1";

bool HasControl(const std::string& text, bool spaces_allowed) {
  return std::any_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == 0x7f || byte < ' ' || (byte == ' ' && !spaces_allowed);
  });
}

bool HasToken(const Headers& headers, const char* name, const char* token) {
  const size_t size = strlen(token);
  for (const auto& [header, value] : headers) {
    if (strcasecmp(header.c_str(), name) != 0) continue;
    for (size_t i = 0; i + size <= value.size(); i++) {
      if (strncasecmp(value.c_str() + i, token, size) == 0) return true;
    }
  }
  return false;
}

}  // namespace

// The library's client without its sockets: it writes the request to our stream and reads the answer from it.
class ClientConnection::Codec : public httplib::ClientImpl {
 public:
  Codec(const std::string& host, cohort::Socket& socket, TlsConnection* tls)
      : ClientImpl(host, 80), stream(socket, tls) {
    set_url_encode(false);
    set_decompress(false);
    set_follow_location(false);
  }
  using ClientImpl::process_request;

  HttpStream stream;
};

ClientConnection::ClientConnection(std::string address, HostPort host_port, const HttpOptions& options, Tls* tls)
    : address_(std::move(address)), host_port_(std::move(host_port)), options_(options), tls_(tls) {}

ClientConnection::~ClientConnection() { Close(); }

void ClientConnection::Close() {
  if (tls_connection_ != nullptr) {
    InsideGate gate;
    if (gate.entered()) tls_connection_->SayGoodbye();
  }
  codec_ = nullptr;
  tls_connection_ = nullptr;
  socket_.Close();
}

Status ClientConnection::IsSendable(const Request& request) {
  if (request.method.empty() || HasControl(request.method, false)) {
    return Status(Code::kInvalidArgument, "the request's method is not a word");
  }
  if (request.target.empty() || request.target[0] != '/' || HasControl(request.target, false)) {
    return Status(Code::kInvalidArgument, "the request's target must begin with / and be escaped");
  }
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || HasControl(name, false) || name.find(':') != std::string::npos || HasControl(value, true)) {
      return Status(Code::kInvalidArgument, "the request's header \"" + name + "\" cannot be sent");
    }
  }
  return Status();
}

Status ClientConnection::Connect(int64_t deadline_monotonic_ns) {
  Close();
  const std::string peer = "peer " + address_;
  ExitGate::Leave();
  auto addresses = Resolve(host_port_, false);
  if (!ExitGate::Enter()) return Status(Code::kClosed, "the process is exiting");
  if (!addresses.ok()) {
    return Status(addresses.status().code(), peer + ": " + addresses.status().message());
  }
  const int64_t limit_ns =
      std::min(deadline_monotonic_ns, NowMonotonicNs() + MsToNs(std::max<int64_t>(options_.connect_timeout_ms, 1)));
  std::string error;
  bool connected = false;
  for (const SocketAddress& address : *addresses) {
    connected = socket_.Connect(address, limit_ns, &error);
    if (connected || NowMonotonicNs() >= limit_ns || socket_.aborted()) break;
  }
  if (!connected) {
    if (error == "refused") return Status(Code::kUnreachable, peer + " refused the connection");
    if (error != "timeout") return Status(Code::kUnreachable, peer + ": " + error);
    if (limit_ns == deadline_monotonic_ns) return Failure(deadline_monotonic_ns);
    return Status(Code::kUnreachable,
                  peer + " took no connection within " + std::to_string(options_.connect_timeout_ms) + " ms");
  }
  if (tls_ != nullptr) {
    tls_connection_ = tls_->Connect(socket_, host_port_.host);
    if (tls_connection_ == nullptr) return Status(Code::kNoMemory, peer + ": TLS: out of memory");
    if (!tls_connection_->Handshake(limit_ns)) {
      if (errno == EPROTO) return Status(Code::kUnreachable, peer + ": TLS: " + tls_connection_->error());
      if (errno != ETIMEDOUT) {
        return Status(Code::kUnreachable, peer + ": TLS: the connection was closed during the handshake");
      }
      if (limit_ns == deadline_monotonic_ns) return Failure(deadline_monotonic_ns);
      return Status(Code::kUnreachable,
                    peer + ": TLS: no handshake within " + std::to_string(options_.connect_timeout_ms) + " ms");
    }
  }
  codec_ = std::make_unique<Codec>(host_port_.host, socket_, tls_connection_.get());
  return Status();
}

Status ClientConnection::Failure(int64_t deadline_monotonic_ns) const {
  const std::string peer = "peer " + address_;
  if (NowMonotonicNs() >= deadline_monotonic_ns) {
    return Status(Code::kTimeout, peer + " did not answer within " + std::to_string(budget_ms_) + " ms");
  }
  if (codec_ != nullptr) {
    const HttpStream& stream = codec_->stream;
    switch (stream.head_outcome()) {
      case HeadOutcome::kMalformed:
      case HeadOutcome::kLineTooLong:
        return Status(Code::kUnreachable, peer + " did not answer in HTTP");
      case HeadOutcome::kTooManyHeaders:
        return Status(Code::kTooLarge, peer + " answered with too many headers");
      default:
        break;
    }
    if (stream.error() == EPROTO) return Status(Code::kUnreachable, peer + ": TLS: " + tls_connection_->error());
    if (stream.error() != 0 && stream.error() != ECONNRESET && stream.error() != EPIPE) {
      return Status(Code::kUnreachable, peer + ": " + strerror(stream.error()));
    }
    const std::string& line = stream.head().line;
    if (!line.empty() && line.compare(0, 7, "HTTP/1.") != 0) {
      return Status(Code::kUnreachable, peer + " did not answer in HTTP");
    }
  }
  return Status(Code::kUnreachable, peer + " closed the connection before it had answered");
}

Result<Response> ClientConnection::Exchange(const Request& request, int64_t deadline_monotonic_ns) {
  HttpStream& stream = codec_->stream;
  stream.set_deadline(deadline_monotonic_ns);
  stream.ResetCounts();
  stream.ExpectAnswer(options_.max_headers, request.method == "HEAD");

  httplib::Request out;
  out.method = request.method;
  out.path = request.target;
  for (const auto& [name, value] : request.headers) out.headers.emplace(name, value);
  out.set_header("Host", address_);
  if (!out.has_header("User-Agent")) out.set_header("User-Agent", kUserAgent);
  if (!request.body.empty()) {
    // Handed over in place: neither copied, nor given a Content-Type that nobody asked for.
    out.content_length_ = request.body.size();
    out.content_provider_ = [&request](size_t offset, size_t length, httplib::DataSink& sink) {
      return sink.write(request.body.data() + offset, length);
    };
  }
  bool too_large = false;
  std::string body;
  out.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t total) {
    too_large = body.size() + size > options_.max_body_bytes || total > options_.max_body_bytes;
    if (too_large) return false;
    if (body.empty()) body.reserve(std::min<uint64_t>(total, 1024 * 1024));
    body.append(data, size);
    return true;
  };

  httplib::Response in;
  httplib::Error error = httplib::Error::Success;
  bool ok = codec_->process_request(stream, out, in, false, error) && stream.Flush();
  if (ok && stream.body_left() > 0) {
    too_large = stream.body_left() > options_.max_body_bytes;
    body.reserve(std::min<size_t>(stream.body_left(), 1024 * 1024));
    ok = too_large || stream.ReadExactly(stream.body_left(), &body);
  }
  if (too_large) {
    return Status(Code::kTooLarge, "peer " + address_ + " answered with more than " +
                                       std::to_string(options_.max_body_bytes) + " bytes");
  }
  if (!ok) return Failure(deadline_monotonic_ns);

  const Head& head = stream.head();
  const bool framed = FindHeader(head.headers, "Content-Length") != nullptr ||
                      HasToken(head.headers, "Transfer-Encoding", "chunked") || in.status == 204 ||
                      request.method == "HEAD";
  Response response{in.status, head.headers, std::move(body)};
  if (!framed || in.version != "HTTP/1.1" || HasToken(head.headers, "Connection", "close") || stream.HasBuffered()) {
    Close();
  }
  return response;
}

Result<Response> ClientConnection::Perform(const Request& request, int64_t deadline_monotonic_ns) {
  InsideGate gate;
  if (!gate.entered()) return Status(Code::kClosed, "the process is exiting");
  budget_ms_ = request.timeout_ms > 0 ? request.timeout_ms : options_.request_timeout_ms;
  // A kept connection may have been closed by the peer a moment ago, which only using it shows:
  //
  //   1. The peer's keep-alive ends: it closes.
  //   2. We send, not having seen that: the request was never read, and what comes is an end without any answer.
  //
  // So a request that failed so, on a connection that was used before, is sent once more on a new one; a PUT, or a
  // batch with a set, only when not a byte of it had left, because a newer value might have come in between.
  if (codec_ != nullptr && !socket_.Stale() && !codec_->stream.HasBuffered()) {
    Result<Response> result = Exchange(request, deadline_monotonic_ns);
    if (result.ok()) return result;
    const bool nothing_came = codec_->stream.bytes_received() == 0;
    const bool nothing_left = codec_->stream.bytes_sent() == 0;
    const bool again = result.status().code() == Code::kUnreachable && nothing_came && !socket_.aborted() &&
                       (nothing_left || request.method == "GET" || request.method == "DELETE" ||
                        request.method == "HEAD" || (request.method == "POST" && !request.once));
    if (!again) {
      Close();
      return result;
    }
  }
  if (Status status = Connect(deadline_monotonic_ns); !status.ok()) return status;
  Result<Response> result = Exchange(request, deadline_monotonic_ns);
  if (!result.ok()) Close();
  return result;
}

void ClientConnection::WarmUp() {
  // An answer that is fed from memory runs the library's parser without a connection.
  Socket socket;
  Codec codec("localhost", socket, nullptr);
  codec.stream.Feed("HTTP/1.1 204 No Content\r\n\r\n");
  httplib::Request request;
  request.method = "GET";
  request.path = "/";
  httplib::Response response;
  httplib::Error error = httplib::Error::Success;
  codec.process_request(codec.stream, request, response, false, error);
}

}  // namespace cohort
