// Socket is a connected, non-blocking TCP socket whose reads and writes end by a deadline, and which any thread may cut
// off. TlsConnection (tls.h) puts TLS on it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "transport/http/address.h"

namespace cohort {

// Waits outside the exit gate until `fd` is ready for `events` (POLLIN, POLLOUT): 1, or 0 when the deadline has passed.
// -1: the process is exiting.
int WaitReady(int fd, short events, int64_t deadline_monotonic_ns);

int64_t NowMonotonicNs();

class Socket {
 public:
  Socket() = default;
  ~Socket() { Close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Takes over an accepted connection.
  void Adopt(int fd);
  // Connects; false says why in `error` and has no socket open. REQUIRES: not open.
  bool Connect(const SocketAddress& address, int64_t deadline_monotonic_ns, std::string* error);
  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // Bytes, 0 at the end, -1 with errno (ETIMEDOUT by the deadline).
  ssize_t Read(char* data, size_t size, int64_t deadline_monotonic_ns);
  ssize_t Write(const char* data, size_t size, int64_t deadline_monotonic_ns);
  // Up to kMostPieces of them at once; how many bytes of them, from the first on.
  static constexpr size_t kMostPieces = 256;
  ssize_t WritePieces(const std::string_view* pieces, size_t count, int64_t deadline_monotonic_ns);
  // The same without waiting: -1 with errno, of which WouldBlock tells whether waiting would help.
  ssize_t TryRead(char* data, size_t size) const;
  ssize_t TryWrite(const char* data, size_t size) const;
  static bool WouldBlock(int error);
  // Has the peer closed, or sent something, while nothing was expected from it?
  bool Stale() const;
  // Lets the peer read our last words before the connection ends: closes our half and swallows what it still sends.
  void Linger(int64_t deadline_monotonic_ns);
  void Close();

  // Thread safe: makes what reads, writes or connects fail soon, now and on later connections, until ClearAbort.
  void Abort();
  void ClearAbort();
  bool aborted();

 private:
  void Publish(int fd);
  // Errno says why not.
  bool WaitFor(short events, int64_t deadline_monotonic_ns) const;

  int fd_ = -1;  // Changed by its user's thread only, under mutex_.
  std::mutex mutex_;
  bool aborted_ = false;
};

}  // namespace cohort
