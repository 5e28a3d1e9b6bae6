#include "runtime/waker.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>

#if defined(__linux__)
#include <sys/eventfd.h>
#endif

namespace cohort {

#if defined(__linux__)

Waker::Waker() : read_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), write_fd_(read_fd_) {}

Waker::~Waker() {
  if (read_fd_ >= 0) close(read_fd_);
}

#else

Waker::Waker() {
  int ends[2];
  if (pipe(ends) != 0) return;
  for (int end : ends) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, O_NONBLOCK);
  }
  read_fd_ = ends[0];
  write_fd_ = ends[1];
}

Waker::~Waker() {
  if (read_fd_ >= 0) close(read_fd_);
  if (write_fd_ >= 0) close(write_fd_);
}

#endif

// A write that would block means that the descriptor is readable already; a read that would block, that it is not.

void Waker::Signal() {
  const uint64_t one = 1;
  if (write_fd_ < 0) return;
  while (write(write_fd_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void Waker::Clear() {
  uint64_t pending[64];
  if (read_fd_ < 0) return;
  for (;;) {
    const ssize_t count = read(read_fd_, pending, sizeof pending);
    if (count > 0 && read_fd_ != write_fd_) continue;  // A pipe may hold more.
    if (count >= 0 || errno != EINTR) return;
  }
}

}  // namespace cohort
