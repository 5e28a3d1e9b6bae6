#include "transport/http/http_stream.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <algorithm>

namespace cohort {

namespace {

constexpr size_t kReadBytes = 16 * 1024;
constexpr size_t kTrustedBytes = 1024 * 1024;
constexpr size_t kPieceBytes = 64 * 1024;
constexpr size_t kCoalesceBytes = 32 * 1024;        // Up to here a head and its body leave in one packet train.
constexpr size_t kRecordBytes = 16 * 1024;          // The most that TLS seals at a time.
constexpr size_t kMaxRequestLineBytes = 64 * 1024;  // The library refuses lines above 8192 itself, with 414.
constexpr size_t kMaxStatusLineBytes = 1024;        // The library matches it by a recursive regular expression.
constexpr size_t kMaxHeaderLineBytes = 8192;
constexpr size_t kMaxHeadersBytes = 256 * 1024;

bool IsTokenChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

bool ParseHeader(const std::string& line, Headers* headers) {
  const size_t colon = line.find(':');
  if (colon == std::string::npos || colon == 0) return false;
  std::string name = line.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), IsTokenChar)) return false;
  const size_t begin = line.find_first_not_of(" \t", colon + 1);
  if (begin == std::string::npos) {
    headers->emplace_back(std::move(name), "");
    return true;
  }
  std::string value = line.substr(begin, line.find_last_not_of(" \t") - begin + 1);
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f) return false;
  }
  headers->emplace_back(std::move(name), std::move(value));
  return true;
}

// The answer has a body of a size that its head says, in one way only.
bool SaysSize(const Head& head, size_t* size) {
  const bool without = head.line.compare(0, 12, "HTTP/1.1 204") == 0 || head.line.compare(0, 12, "HTTP/1.1 304") == 0;
  if (without || head.line.compare(0, 9, "HTTP/1.1 ") != 0) return false;
  const std::string* length = nullptr;
  for (const auto& [name, value] : head.headers) {
    if (strcasecmp(name.c_str(), "Transfer-Encoding") == 0) return false;
    if (strcasecmp(name.c_str(), "Content-Length") != 0) continue;
    if (length != nullptr) return false;
    length = &value;
  }
  constexpr size_t kMostDigits = 18;
  if (length == nullptr || length->empty() || length->size() > kMostDigits) return false;
  if (length->find_first_not_of("0123456789") != std::string::npos) return false;
  *size = static_cast<size_t>(std::stoull(*length));
  return true;
}

}  // namespace

// ---- heads

HeadOutcome HttpStream::Ended(bool begun) const {
  return !begun && error_ == 0 ? HeadOutcome::kEnd : HeadOutcome::kBroken;
}

HeadOutcome HttpStream::ReadHead(size_t max_headers, Head* head) {
  head->line.clear();
  head->headers.clear();
  const size_t max_line = expect_headers_ != 0 ? kMaxStatusLineBytes : kMaxRequestLineBytes;
  size_t header_bytes = 0;
  bool first = true;
  bool begun = false;
  std::string line;
  for (;;) {
    line.clear();
    const size_t max_bytes = first ? max_line : kMaxHeaderLineBytes;
    for (;;) {
      if (in_begin_ == in_end_ && !Fill()) return Ended(begun);
      begun = true;
      const char* data = in_.get() + in_begin_;
      const size_t size = in_end_ - in_begin_;
      const void* end = memchr(data, '\n', size);
      const size_t count = end == nullptr ? size : static_cast<size_t>(static_cast<const char*>(end) - data) + 1;
      if (line.size() + count > max_bytes + 2) return first ? HeadOutcome::kLineTooLong : HeadOutcome::kTooManyHeaders;
      line.append(data, count);
      in_begin_ += count;
      if (end != nullptr) break;
    }
    if (line.size() < 2 || line[line.size() - 2] != '\r') return HeadOutcome::kMalformed;
    line.resize(line.size() - 2);
    if (first) {
      if (line.empty()) continue;  // RFC 9112 2.2: empty lines before a message are ignored.
      for (const char c : line) {
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return HeadOutcome::kMalformed;
      }
      head->line = line;
      first = false;
      continue;
    }
    if (line.empty()) return HeadOutcome::kOk;
    header_bytes += line.size();
    if (head->headers.size() >= max_headers || header_bytes > kMaxHeadersBytes) return HeadOutcome::kTooManyHeaders;
    if (!ParseHeader(line, &head->headers)) return HeadOutcome::kMalformed;
  }
}

void HttpStream::Feed(std::string text) {
  fed_ = std::move(text);
  fed_begin_ = 0;
}

void HttpStream::ExpectAnswer(size_t max_headers, bool bodiless) {
  expect_headers_ = max_headers;
  bodiless_ = bodiless;
  body_left_ = 0;
  head_ = Head();
  head_outcome_ = HeadOutcome::kOk;
}

// ---- bytes

bool HttpStream::Fill() {
  if (!Flush()) return false;
  if (in_ == nullptr) in_.reset(new char[kReadBytes]);
  in_begin_ = in_end_ = 0;
  const ssize_t count = ReadWire(in_.get(), kReadBytes);
  if (count > 0) in_end_ = static_cast<size_t>(count);
  return count > 0;
}

void HttpStream::Rest() {
  in_ = nullptr;
  in_begin_ = in_end_ = 0;
  std::string().swap(out_);
  std::string().swap(fed_);
  fed_begin_ = 0;
}

ssize_t HttpStream::ReadWire(char* data, size_t size) {
  const ssize_t count = tls_ != nullptr ? tls_->Read(data, size, deadline_ns_) : socket_.Read(data, size, deadline_ns_);
  error_ = count < 0 ? errno : 0;
  if (count > 0) bytes_received_ += static_cast<uint64_t>(count);
  return count;
}

bool HttpStream::WriteWire(const char* data, size_t size) {
  while (size > 0) {
    const ssize_t count =
        tls_ != nullptr ? tls_->Write(data, size, deadline_ns_) : socket_.Write(data, size, deadline_ns_);
    if (!Wrote(count)) return false;
    data += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool HttpStream::Wrote(ssize_t count) {
  if (count > 0) {
    bytes_sent_ += static_cast<uint64_t>(count);
    return true;
  }
  error_ = count < 0 ? errno : 0;
  return false;
}

bool HttpStream::AddHeaders(std::string_view lines) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  if (out_.size() < kEnd.size() || out_.compare(out_.size() - kEnd.size(), kEnd.size(), kEnd) != 0) return false;
  out_.resize(out_.size() - 2);
  out_.append(lines).append("\r\n");
  return true;
}

bool HttpStream::Flush() {
  if (out_.empty()) return true;
  const bool ok = WriteWire(out_.data(), out_.size());
  out_.clear();
  return ok;
}

bool HttpStream::FlushWith(Body* body) {
  if (tls_ != nullptr) return FlushSealed(body);
  size_t sent = 0;  // Of out_.
  std::string_view pieces[Socket::kMostPieces];
  for (;;) {
    size_t count = 0;
    if (sent < out_.size()) pieces[count++] = std::string_view(out_).substr(sent);
    count += body->Pieces(pieces + count, Socket::kMostPieces - count);
    if (count == 0) break;
    const ssize_t written = socket_.WritePieces(pieces, count, deadline_ns_);
    if (!Wrote(written)) return false;
    const size_t of_out = std::min(static_cast<size_t>(written), out_.size() - sent);
    sent += of_out;
    body->Skip(static_cast<size_t>(written) - of_out);
  }
  out_.clear();
  return true;
}

// TLS seals a copy of what it sends, a record of 16 KiB at a time. What is smaller than that goes into one record with
// what comes before and behind it.
bool HttpStream::FlushSealed(Body* body) {
  std::string_view piece;
  while (body->Pieces(&piece, 1) == 1) {
    if (out_.size() + piece.size() <= kRecordBytes) {
      out_.append(piece);
      body->Skip(piece.size());
      continue;
    }
    // A full record of what there is, and then on with the rest of the piece.
    size_t count = 0;
    if (out_.empty()) {
      count = piece.size() - piece.size() % kRecordBytes;
      if (!WriteWire(piece.data(), count)) return false;
    } else {
      count = kRecordBytes - std::min(out_.size(), kRecordBytes);
      out_.append(piece.substr(0, count));
      if (!Flush()) return false;
    }
    body->Skip(count);
  }
  return Flush();
}

bool HttpStream::ReadExactly(size_t size, std::string* out) {
  while (size > 0) {
    if (in_begin_ == in_end_ && size >= kReadBytes) {
      // What is large goes where it stays, a bounded piece at a time: its sender may never send what it has announced.
      if (!Flush()) return false;
      const size_t before = out->size();
      // Who has sent that much of it will send the rest: no more moving from one place to a larger one.
      if (before >= kTrustedBytes && out->capacity() < before + size) out->reserve(before + size);
      const size_t piece = std::min(size, kPieceBytes);
      out->resize(before + piece);
      const ssize_t read = ReadWire(out->data() + before, piece);
      out->resize(before + static_cast<size_t>(std::max<ssize_t>(read, 0)));
      if (read <= 0) return false;
      size -= static_cast<size_t>(read);
      continue;
    }
    if (in_begin_ == in_end_ && !Fill()) return false;
    const size_t count = std::min(size, in_end_ - in_begin_);
    out->append(in_.get() + in_begin_, count);
    in_begin_ += count;
    size -= count;
  }
  return true;
}

bool HttpStream::ReadLine(size_t max_bytes, std::string* line) {
  line->clear();
  char c = 0;
  for (;;) {
    if (in_begin_ == in_end_ && !Fill()) return false;
    c = in_[in_begin_++];
    if (c == '\n') break;
    if (line->size() > max_bytes) return false;
    line->push_back(c);
  }
  if (line->empty() || line->back() != '\r') return false;
  line->pop_back();
  return true;
}

ssize_t HttpStream::read(char* ptr, size_t size) {
  if (expect_headers_ != 0) {
    do {
      head_outcome_ = ReadHead(expect_headers_, &head_);
      if (head_outcome_ != HeadOutcome::kOk) return -1;
    } while (head_.line.compare(0, 10, "HTTP/1.1 1") == 0);
    expect_headers_ = 0;
    std::string text = head_.line + "\r\n";
    if (!bodiless_ && SaysSize(head_, &body_left_)) {
      text += "Content-Length: 0\r\n";
    } else {
      for (const auto& [name, value] : head_.headers) text.append(name).append(": ").append(value).append("\r\n");
    }
    Feed(text + "\r\n");
  }
  if (fed_begin_ < fed_.size()) {
    const size_t count = std::min(size, fed_.size() - fed_begin_);
    memcpy(ptr, fed_.data() + fed_begin_, count);
    fed_begin_ += count;
    return static_cast<ssize_t>(count);
  }
  if (in_begin_ == in_end_) {
    if (!Flush()) return -1;
    if (size >= kReadBytes) return ReadWire(ptr, size);
    if (!Fill()) return error_ == 0 ? 0 : -1;
  }
  const size_t count = std::min(size, in_end_ - in_begin_);
  memcpy(ptr, in_.get() + in_begin_, count);
  in_begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t HttpStream::write(const char* ptr, size_t size) {
  if (out_.size() + size <= kCoalesceBytes) {
    out_.append(ptr, size);
    return static_cast<ssize_t>(size);
  }
  if (!Flush() || !WriteWire(ptr, size)) return -1;
  return static_cast<ssize_t>(size);
}

void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace cohort
