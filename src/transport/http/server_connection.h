// ServerConnection reads the requests of one peer's connection, one after the other, has the handler answer them, and
// writes the answers.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/condition.h"
#include "transport/http/http_options.h"
#include "transport/http/http_stream.h"
#include "transport/http/socket.h"
#include "transport/http/tls.h"
#include "transport/transport.h"

namespace cohort {

class ServerConnection;

// The library's server without its sockets and threads: it answers what it reads from a stream. One serves every
// connection of a listener.
class ServerCodec : public httplib::Server {
 public:
  ServerCodec();
  using Server::process_request;
};

// The time of day as HTTP says it, written once a second.
class DateHeader {
 public:
  const std::string& Now();

 private:
  int64_t of_s_ = -1;
  std::string text_;
};

class ServerConnection {
 public:
  enum class Next {
    kClose,
    kAgain,  // The next request may come.
  };

  ServerConnection(int fd, RequestHandler& handler, const HttpOptions& options, Tls* tls);
  ~ServerConnection();

  int fd() const { return socket_.fd(); }
  // Waits until a request begins to come: true. False by the deadline, at the end, or when cut off.
  bool AwaitRequest(int64_t deadline_monotonic_ns);
  // Gives memory back before a long wait. REQUIRES: silent().
  void Rest() {
    if (stream_ != nullptr) stream_->Rest();
  }
  // Whether AwaitRequest may be left to poll.
  bool silent() const { return stream_ == nullptr || !stream_->HasBuffered(); }
  // Serves one request, of which the first byte has come.
  Next ServeOne(ServerCodec& codec);
  // False once the connection has been cut off or told to close.
  bool usable() { return !socket_.aborted(); }

  // Thread safe. Ends the connection unless a request is being served: then it ends after that.
  void CloseWhenIdle();
  // Thread safe. Ends the connection now; a handler's answer is no longer waited for.
  void CutOff();

  // For the codec: routes a request that the library has read; completes a response that it is about to write.
  void Route(const httplib::Request& request, httplib::Response& response);
  void Complete(const httplib::Request& request, httplib::Response& response);
  // Makes the library's tables, for ExitGate.
  static void WarmUp();

 private:
  struct Exchange;

  bool Handshake();
  // Reads the request's body; 0, or the status to refuse with.
  int ReadBody(std::string* body);
  int ReadChunks(std::string* body);
  ServedResponse Ask(Request request);
  // Behind the status line, which has been written.
  bool SendAnswer(Body* body);
  void Refuse(int status);

  RequestHandler& handler_;
  const HttpOptions& options_;
  Tls* const tls_;
  Socket socket_;
  std::unique_ptr<TlsConnection> tls_connection_;
  std::unique_ptr<HttpStream> stream_;

  // The request being served.
  Head head_;
  std::string method_;
  std::string target_;
  Headers answer_headers_;
  Body answer_body_;  // Of which the library sees nothing.
  size_t answer_bytes_ = 0;
  bool bodiless_ = false;  // Whatever was asked for.
  bool routed_ = false;
  bool keep_alive_ = false;
  int64_t deadline_ns_ = 0;
  DateHeader date_;

  std::mutex mutex_;
  std::shared_ptr<Exchange> exchange_;
  bool serving_ = false;
  bool closing_ = false;
  bool cut_off_ = false;
};

}  // namespace cohort
