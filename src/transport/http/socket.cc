#include "transport/http/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/system_clock.h"
#include "transport/http/exit_gate.h"

namespace cohort {

namespace {

constexpr int64_t kNsPerMs = 1'000'000;

#if defined(MSG_NOSIGNAL)
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;
#endif

void Prepare(int fd) {
  const int one = 1;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
#if defined(SO_NOSIGPIPE)
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#endif
}

}  // namespace

int64_t NowMonotonicNs() { return SystemClock().MonotonicNs(); }

int WaitReady(int fd, short events, int64_t deadline_monotonic_ns) {
  ExitGate::Leave();
  pollfd entry = {fd, events, 0};
  int ready = 0;
  for (;;) {
    // A deadline that has passed still takes what is ready.
    const int64_t left_ns = std::max<int64_t>(deadline_monotonic_ns - NowMonotonicNs(), 0);
    const int64_t left_ms = std::min<int64_t>((left_ns + kNsPerMs - 1) / kNsPerMs, 3'600'000);
    ready = poll(&entry, 1, static_cast<int>(left_ms));
    if (ready > 0 || left_ns == 0) break;
  }
  if (!ExitGate::Enter()) return -1;
  return ready > 0 ? 1 : 0;
}

void Socket::Publish(int fd) {
  std::lock_guard<std::mutex> lock(mutex_);
  fd_ = fd;
  if (aborted_) shutdown(fd_, SHUT_RDWR);
}

void Socket::Adopt(int fd) {
  Prepare(fd);
  Publish(fd);
}

bool Socket::Connect(const SocketAddress& address, int64_t deadline_monotonic_ns, std::string* error) {
  const int fd = ::socket(address.family(), SOCK_STREAM, 0);
  if (fd < 0) {
    *error = strerror(errno);
    return false;
  }
  Prepare(fd);
  Publish(fd);
  int outcome = aborted() ? ECANCELED : 0;
  if (outcome == 0 && ::connect(fd, address.get(), address.length) != 0) {
    outcome = errno;
    if (outcome == EINPROGRESS || outcome == EINTR) {
      const int ready = WaitReady(fd, POLLOUT, deadline_monotonic_ns);
      socklen_t size = sizeof outcome;
      if (ready <= 0) {
        outcome = ready == 0 ? ETIMEDOUT : ECANCELED;
      } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &size) != 0) {
        outcome = errno;
      }
    }
  }
  if (outcome == 0) return true;
  *error = outcome == ECONNREFUSED ? "refused" : outcome == ETIMEDOUT ? "timeout" : strerror(outcome);
  std::lock_guard<std::mutex> lock(mutex_);
  ::close(fd_);
  fd_ = -1;
  return false;
}

bool Socket::WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

ssize_t Socket::TryRead(char* data, size_t size) const {
  ssize_t count;
  do {
    count = recv(fd_, data, size, 0);
  } while (count < 0 && errno == EINTR);
  return count;
}

ssize_t Socket::TryWrite(const char* data, size_t size) const {
  ssize_t count;
  do {
    count = send(fd_, data, size, kSendFlags);
  } while (count < 0 && errno == EINTR);
  return count;
}

bool Socket::WaitFor(short events, int64_t deadline_monotonic_ns) const {
  const int ready = WaitReady(fd_, events, deadline_monotonic_ns);
  if (ready <= 0) errno = ready == 0 ? ETIMEDOUT : ECANCELED;
  return ready > 0;
}

ssize_t Socket::Read(char* data, size_t size, int64_t deadline_monotonic_ns) {
  for (;;) {
    const ssize_t count = TryRead(data, size);
    if (count >= 0 || !WouldBlock(errno) || !WaitFor(POLLIN, deadline_monotonic_ns)) return count;
  }
}

ssize_t Socket::Write(const char* data, size_t size, int64_t deadline_monotonic_ns) {
  for (;;) {
    const ssize_t count = TryWrite(data, size);
    if (count >= 0 || !WouldBlock(errno) || !WaitFor(POLLOUT, deadline_monotonic_ns)) return count;
  }
}

ssize_t Socket::WritePieces(const std::string_view* pieces, size_t count, int64_t deadline_monotonic_ns) {
  iovec parts[kMostPieces];
  msghdr message = {};
  message.msg_iov = parts;
  for (size_t i = 0; i < std::min(count, kMostPieces); i++) {
    parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    message.msg_iovlen++;
  }
  for (;;) {
    const ssize_t sent = sendmsg(fd_, &message, kSendFlags);
    if (sent >= 0) return sent;
    if (errno != EINTR && (!WouldBlock(errno) || !WaitFor(POLLOUT, deadline_monotonic_ns))) return sent;
  }
}

bool Socket::Stale() const {
  pollfd entry = {fd_, POLLIN, 0};
  return poll(&entry, 1, 0) != 0;
}

void Socket::Linger(int64_t deadline_monotonic_ns) {
  constexpr int kMaxReads = 1024;
  char ignored[4096];
  shutdown(fd_, SHUT_WR);
  for (int i = 0; i < kMaxReads; i++) {
    if (Read(ignored, sizeof ignored, deadline_monotonic_ns) <= 0) return;
  }
}

void Socket::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Socket::Abort() {
  std::lock_guard<std::mutex> lock(mutex_);
  aborted_ = true;
  if (fd_ >= 0) shutdown(fd_, SHUT_RDWR);
}

void Socket::ClearAbort() {
  std::lock_guard<std::mutex> lock(mutex_);
  aborted_ = false;
}

bool Socket::aborted() {
  std::lock_guard<std::mutex> lock(mutex_);
  return aborted_;
}

}  // namespace cohort
