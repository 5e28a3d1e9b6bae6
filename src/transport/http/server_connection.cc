#include "transport/http/server_connection.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "runtime/system_clock.h"
#include "transport/calls.h"
#include "transport/http/exit_gate.h"

namespace cohort {

namespace {

constexpr int64_t kHeadTimeoutMs = 10'000;  // From the first byte of a request to the end of its head.
constexpr int64_t kLastWordsMs = 500;
constexpr size_t kLibraryLineBytes = 8192;
constexpr size_t kMaxChunkLineBytes = 256;
constexpr size_t kMaxTrailers = 64;

// The connection that this thread serves: the library's callbacks carry no context.
thread_local ServerConnection* current = nullptr;

bool Is(std::string_view name, std::string_view other) {
  return name.size() == other.size() && strncasecmp(name.data(), other.data(), name.size()) == 0;
}

bool HasToken(const Headers& headers, const char* name, const char* token) {
  const size_t size = strlen(token);
  for (const auto& [header, value] : headers) {
    if (!Is(header, name)) continue;
    for (size_t i = 0; i + size <= value.size(); i++) {
      if (strncasecmp(value.c_str() + i, token, size) == 0) return true;
    }
  }
  return false;
}

// What the transport itself takes care of, and does not pass on.
bool IsTransportHeader(const std::string& name) {
  for (const std::string_view own :
       {"Host", "Content-Length", "Connection", "Keep-Alive", "Transfer-Encoding", "Expect", "Date"}) {
    if (Is(name, own)) return true;
  }
  return false;
}

bool ParseSize(const std::string& text, int base, uint64_t* size) {
  if (text.empty() || text.size() > 16) return false;
  *size = 0;
  for (const char c : text) {
    int digit = c >= '0' && c <= '9' ? c - '0' : 99;
    if (base == 16 && c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (base == 16 && c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit >= base) return false;
    *size = *size * static_cast<unsigned>(base) + static_cast<unsigned>(digit);
  }
  return true;
}

// "Sat, 21 Nov 2026 03:38:15 GMT", whatever the locale.
std::string HttpDate(time_t now) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  tm utc;
  gmtime_r(&now, &utc);
  char text[64];
  snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday], utc.tm_mday,
           kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

const char* Reason(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    default:
      return "Error";
  }
}

bool IsLibraryMethod(const std::string& method) {
  for (const char* known : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    if (method == known) return true;
  }
  return false;
}

Response PlainText(int status, const std::string& text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, text + "\n"};
}

}  // namespace

const std::string& DateHeader::Now() {
  const int64_t now_s = SystemClock().UnixNs() / 1'000'000'000;
  if (std::exchange(of_s_, now_s) != now_s) text_ = HttpDate(static_cast<time_t>(now_s));
  return text_;
}

// ---- the library's server

ServerCodec::ServerCodec() {
  // Every request is answered before routing: the library's own routes match paths by recursive regular expressions,
  // which a long path would run out of a small stack.
  set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    if (current != nullptr) current->Route(request, response);
    return HandlerResponse::Handled;
  });
  set_post_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    if (current != nullptr) current->Complete(request, response);
  });
}

// ---- one exchange with the handler

// Shared with the handler's completion, which may come late, or after the connection's end.
struct ServerConnection::Exchange {
  std::mutex mutex;
  Condition changed;
  bool answered = false;
  bool given_up = false;
  ServedResponse response;
};

ServedResponse ServerConnection::Ask(Request request) {
  auto exchange = std::make_shared<Exchange>();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    exchange_ = exchange;
    exchange->given_up = cut_off_;
  }
  // Neither a handler nor the wait for it happens inside the gate.
  ExitGate::Leave();
  handler_.Handle(std::move(request), [exchange](ServedResponse response) {
    std::lock_guard<std::mutex> lock(exchange->mutex);
    if (exchange->answered || exchange->given_up) return;
    exchange->answered = true;
    exchange->response = std::move(response);
    exchange->changed.NotifyOne();
  });
  ServedResponse response;
  {
    std::unique_lock<std::mutex> lock(exchange->mutex);
    exchange->changed.WaitUntil(lock, deadline_ns_, [&] { return exchange->answered || exchange->given_up; });
    if (exchange->answered) {
      response = std::move(exchange->response);
    } else {
      exchange->given_up = true;
      response =
          PlainText(500, "the request was not answered within " + std::to_string(options_.request_timeout_ms) + " ms");
      keep_alive_ = false;
    }
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    exchange_ = nullptr;
  }
  if (!ExitGate::Enter()) keep_alive_ = false;
  return response;
}

// ---- the connection

ServerConnection::ServerConnection(int fd, RequestHandler& handler, const HttpOptions& options, Tls* tls)
    : handler_(handler), options_(options), tls_(tls) {
  socket_.Adopt(fd);
}

ServerConnection::~ServerConnection() {
  if (tls_connection_ == nullptr) return;
  InsideGate gate;
  if (gate.entered()) tls_connection_->SayGoodbye();
}

bool ServerConnection::AwaitRequest(int64_t deadline_monotonic_ns) {
  if (!silent()) return true;
  InsideGate gate;
  return gate.entered() && WaitReady(socket_.fd(), POLLIN, deadline_monotonic_ns) > 0 && !socket_.aborted();
}

void ServerConnection::CloseWhenIdle() {
  std::lock_guard<std::mutex> lock(mutex_);
  closing_ = true;
  if (!serving_) socket_.Abort();
}

void ServerConnection::CutOff() {
  socket_.Abort();
  std::shared_ptr<Exchange> exchange;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
    cut_off_ = true;
    exchange = exchange_;
  }
  if (exchange == nullptr) return;
  std::lock_guard<std::mutex> lock(exchange->mutex);
  exchange->given_up = true;
  exchange->changed.NotifyOne();
}

bool ServerConnection::Handshake() {
  if (tls_ != nullptr) {
    tls_connection_ = tls_->Accept(socket_);
    if (tls_connection_ == nullptr) return false;
    if (!tls_connection_->Handshake(NowMonotonicNs() + MsToNs(kHeadTimeoutMs))) {
      if (errno == EPROTO) socket_.Linger(NowMonotonicNs() + MsToNs(kLastWordsMs));  // So that our alert is read.
      return false;
    }
  }
  stream_ = std::make_unique<HttpStream>(socket_, tls_connection_.get());
  return true;
}

ServerConnection::Next ServerConnection::ServeOne(ServerCodec& codec) {
  // What an answer holds may be the host's to destroy, which is not done inside the gate: it goes last.
  Body body;
  InsideGate gate;
  if (!gate.entered()) return Next::kClose;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closing_) return Next::kClose;
    // After a handshake nothing may have come yet, so the connection counts as serving only from its first byte.
  }
  if (stream_ == nullptr && !Handshake()) return Next::kClose;
  if (tls_ != nullptr && silent() && !AwaitRequest(NowMonotonicNs() + MsToNs(kHeadTimeoutMs))) return Next::kClose;
  if (!ExitGate::Enter()) return Next::kClose;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closing_) return Next::kClose;
    serving_ = true;
  }
  keep_alive_ = true;
  routed_ = false;
  bodiless_ = false;
  deadline_ns_ = NowMonotonicNs() + MsToNs(options_.request_timeout_ms);
  stream_->set_deadline(std::min(deadline_ns_, NowMonotonicNs() + MsToNs(kHeadTimeoutMs)));
  switch (stream_->ReadHead(options_.max_headers, &head_)) {
    case HeadOutcome::kOk:
      break;
    case HeadOutcome::kEnd:
    case HeadOutcome::kBroken:
      return Next::kClose;
    case HeadOutcome::kMalformed:
      Refuse(400);
      return Next::kClose;
    case HeadOutcome::kLineTooLong:
      Refuse(414);
      return Next::kClose;
    case HeadOutcome::kTooManyHeaders:
      Refuse(431);
      return Next::kClose;
  }
  stream_->set_deadline(deadline_ns_);

  // The library gets the request line, or as much of it as it needs: the target is taken as it came, and of the headers
  // the library would act on some that are no business of a peer (Range, Accept-Encoding). An unknown method is passed
  // off as OPTIONS, for the handler to refuse; a line that is too long goes through whole, for the library to refuse.
  const size_t first_space = head_.line.find(' ');
  const size_t second_space = head_.line.find(' ', first_space == std::string::npos ? first_space : first_space + 1);
  if (second_space == std::string::npos || first_space == 0) {
    Refuse(400);
    return Next::kClose;
  }
  method_ = head_.line.substr(0, first_space);
  target_ = head_.line.substr(first_space + 1, second_space - first_space - 1);
  const std::string version = head_.line.substr(second_space + 1);
  std::string fed = head_.line + "\r\n";
  if (fed.size() <= kLibraryLineBytes) {
    fed = (IsLibraryMethod(method_) ? method_ : "OPTIONS") + (target_.empty() ? " " : " / ") + version + "\r\n";
  }
  if (HasToken(head_.headers, "Expect", "100-continue")) fed += "Expect: 100-continue\r\n";
  stream_->Feed(fed + "\r\n");
  if (version != "HTTP/1.1" || HasToken(head_.headers, "Connection", "close")) keep_alive_ = false;

  bool closed = false;
  current = this;
  const bool ok = codec.process_request(*stream_, false, closed, nullptr);
  current = nullptr;
  body = std::move(answer_body_);
  const bool sent = ok && SendAnswer(&body);
  bool closing;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    serving_ = false;
    closing = closing_;
  }
  if (sent && keep_alive_ && routed_ && !closing) return Next::kAgain;
  if (sent && tls_connection_ != nullptr) tls_connection_->SayGoodbye();
  if (sent) socket_.Linger(NowMonotonicNs() + MsToNs(kLastWordsMs));
  return Next::kClose;
}

void ServerConnection::Refuse(int status) {
  const std::string text = "HTTP/1.1 " + std::to_string(status) + " " + Reason(status) + "\r\nDate: " + date_.Now() +
                           "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  stream_->set_deadline(NowMonotonicNs() + MsToNs(kLastWordsMs));
  stream_->write(text.data(), text.size());
  if (stream_->Flush()) socket_.Linger(NowMonotonicNs() + MsToNs(kLastWordsMs));
}

// ---- what the library calls

void ServerConnection::Route(const httplib::Request&, httplib::Response& response) {
  routed_ = true;
  std::string body;
  if (const int refused = ReadBody(&body); refused != 0) {
    keep_alive_ = false;
    answer_headers_.clear();
    answer_bytes_ = 0;
    response.status = refused;
    return;
  }
  Request request{method_, target_, {}, std::move(body), options_.request_timeout_ms};
  for (auto& header : head_.headers) {
    if (!IsTransportHeader(header.first)) request.headers.push_back(std::move(header));
  }
  ServedResponse answer = Ask(std::move(request));
  response.status = answer.status >= 200 && answer.status <= 999 ? answer.status : 500;
  answer_headers_ = std::move(answer.headers);
  answer_bytes_ = answer.body.size();
  answer_body_ = std::move(answer.body);
}

void ServerConnection::Complete(const httplib::Request&, httplib::Response& response) {
  if (!routed_) {
    keep_alive_ = false;
    answer_headers_.clear();
    answer_bytes_ = 0;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closing_) keep_alive_ = false;
  }
  // The library writes the status line, and nothing else.
  response.body.clear();
  response.headers.clear();
  bodiless_ = response.status == 204 || response.status == 304;
}

bool ServerConnection::SendAnswer(Body* body) {
  std::string headers;
  const auto add = [&headers](std::string_view name, std::string_view value) {
    headers.append(name).append(": ").append(value).append("\r\n");
  };
  if (!bodiless_) add("Content-Length", std::to_string(answer_bytes_));
  for (auto& [name, value] : answer_headers_) {
    if (IsTransportHeader(name)) continue;
    std::replace_if(
        value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
    add(name, value);
  }
  answer_headers_.clear();
  add("Date", date_.Now());
  if (!keep_alive_) add("Connection", "close");
  if (!stream_->AddHeaders(headers)) return false;
  return bodiless_ || method_ == "HEAD" ? stream_->Flush() : stream_->FlushWith(body);
}

int ServerConnection::ReadBody(std::string* body) {
  const std::string* length = nullptr;
  for (const auto& [name, value] : head_.headers) {
    if (!Is(name, "Content-Length")) continue;
    if (length != nullptr && *length != value) return 400;
    length = &value;
  }
  if (const std::string* coding = FindHeader(head_.headers, "Transfer-Encoding")) {
    // Both framings at once are how requests are smuggled.
    if (length != nullptr) return 400;
    return Is(*coding, "chunked") ? ReadChunks(body) : 501;
  }
  if (length == nullptr) return 0;
  uint64_t size = 0;
  if (!ParseSize(*length, 10, &size)) return 400;
  if (size > options_.max_body_bytes) return 413;
  return stream_->ReadExactly(size, body) ? 0 : 400;
}

int ServerConnection::ReadChunks(std::string* body) {
  std::string line;
  for (;;) {
    uint64_t size = 0;
    if (!stream_->ReadLine(kMaxChunkLineBytes, &line)) return 400;
    std::string digits = line.substr(0, line.find(';'));
    digits.erase(digits.find_last_not_of(" \t") + 1);
    if (!ParseSize(digits, 16, &size)) return 400;
    if (size == 0) break;
    if (size > options_.max_body_bytes || body->size() + size > options_.max_body_bytes) return 413;
    if (!stream_->ReadExactly(size, body)) return 400;
    if (!stream_->ReadLine(0, &line) || !line.empty()) return 400;
  }
  for (size_t i = 0; i < kMaxTrailers; i++) {
    if (!stream_->ReadLine(kLibraryLineBytes, &line)) return 400;
    if (line.empty()) return 0;
  }
  return 400;
}

void ServerConnection::WarmUp() {
  Socket socket;
  HttpStream stream(socket, nullptr);
  stream.Feed("GET / HTTP/1.1\r\n\r\n");
  ServerCodec codec;
  bool closed = false;
  codec.process_request(stream, true, closed, nullptr);
}

}  // namespace cohort
