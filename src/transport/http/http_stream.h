// HttpStream is what cpp-httplib reads from and writes to: a connection with buffers, a deadline and limits. It reads
// the head of a message itself, whole and exactly as it came, and feeds the library no more of it than it needs.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/body.h"
#include "transport/http/socket.h"
#include "transport/http/tls.h"
#include "transport/transport.h"

namespace cohort {

// The head of one message: its first line, and its headers in their order.
struct Head {
  std::string line;
  Headers headers;
};

enum class HeadOutcome {
  kOk,
  kEnd,        // The connection ended before the first byte.
  kBroken,     // The connection failed, or its deadline passed, on the way.
  kMalformed,  // Not HTTP: a bare line feed, a folded or nameless header, a control character.
  kLineTooLong,
  kTooManyHeaders,  // Or too many bytes of them.
};

class HttpStream final : public httplib::Stream {
 public:
  // `socket` and `tls`, which may be nullptr, outlive the stream.
  HttpStream(Socket& socket, TlsConnection* tls) : socket_(socket), tls_(tls) {}

  void set_deadline(int64_t monotonic_ns) { deadline_ns_ = monotonic_ns; }

  // Reads the next head. What the library shall see of it is up to Feed.
  HeadOutcome ReadHead(size_t max_headers, Head* head);
  // What the library reads before the connection itself.
  void Feed(std::string text);
  // On the asking side: reads an answer's head once the library wants it, keeps it in head(), and feeds it. Answers of
  // the 1xx kind are skipped. A body whose size the head says stays for ReadExactly, if `bodiless` is false: the
  // library, which would copy it piece by piece, is told that there is none.
  void ExpectAnswer(size_t max_headers, bool bodiless);
  // The size of the body that was left so.
  size_t body_left() const { return body_left_; }
  const Head& head() const { return head_; }
  HeadOutcome head_outcome() const { return head_outcome_; }

  // Appends exactly `size` bytes of body to `out`.
  bool ReadExactly(size_t size, std::string* out);
  // A line without its CRLF, at most `max_bytes` long.
  bool ReadLine(size_t max_bytes, std::string* line);
  // Puts lines into a head that has been written without any, and not been sent; false: there is no such head.
  bool AddHeaders(std::string_view lines);
  // Sends what has been written.
  bool Flush();
  // Sends what has been written, and the body behind it. What the body lends is held as long as the body is there.
  bool FlushWith(Body* body);

  // Gives its buffers back while the connection is silent. REQUIRES: nothing buffered.
  void Rest();
  // Bytes that have come but were not read.
  bool HasBuffered() const { return in_begin_ < in_end_ || (tls_ != nullptr && tls_->HasPending()); }
  uint64_t bytes_sent() const { return bytes_sent_; }
  uint64_t bytes_received() const { return bytes_received_; }
  void ResetCounts() { bytes_sent_ = bytes_received_ = 0; }
  // errno of the last failure: ETIMEDOUT by the deadline, EPROTO for TLS, 0 for a connection that ended.
  int error() const { return error_; }

  // What the library calls.
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* ptr, size_t size) override;
  ssize_t write(const char* ptr, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // The library refuses descriptors from FD_SETSIZE on, because it waits by select. We do not, so it sees none.
  socket_t socket() const override { return 0; }

 private:
  bool Fill();
  ssize_t ReadWire(char* data, size_t size);
  bool WriteWire(const char* data, size_t size);
  // Counts what has been written; false if nothing was.
  bool Wrote(ssize_t count);
  bool FlushSealed(Body* body);
  HeadOutcome Ended(bool begun) const;

  Socket& socket_;
  TlsConnection* const tls_;
  int64_t deadline_ns_ = 0;
  std::unique_ptr<char[]> in_;  // What has come lies from in_begin_ to in_end_.
  size_t in_begin_ = 0;
  size_t in_end_ = 0;
  std::string fed_;
  size_t fed_begin_ = 0;
  std::string out_;
  size_t expect_headers_ = 0;  // Not 0: an answer's head is still to be read.
  bool bodiless_ = false;
  size_t body_left_ = 0;
  Head head_;
  HeadOutcome head_outcome_ = HeadOutcome::kOk;
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  int error_ = 0;
};

}  // namespace cohort
