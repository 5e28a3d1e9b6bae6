// Waker is a file descriptor that becomes readable when signalled, for hosts that wait in poll, epoll or an event loop.
#pragma once

namespace cohort {

class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  // False: the process has no file descriptor left; fd() is -1, Signal and Clear do nothing.
  bool ok() const { return read_fd_ >= 0; }
  // Readable from a Signal until the next Clear. Owned by the waker; never read or write it.
  int fd() const { return read_fd_; }
  // Thread safe, never blocks; several signals are one.
  void Signal();
  void Clear();

 private:
  int read_fd_ = -1;
  int write_fd_ = -1;  // The same descriptor where the system has eventfd.
};

}  // namespace cohort
