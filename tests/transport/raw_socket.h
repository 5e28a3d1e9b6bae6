// Bare sockets for the HTTP tests: a client that says exactly what it is told, and a server that follows a script.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/thread.h"

namespace cohort {

class RawConnection {
 public:
  explicit RawConnection(int fd) : fd_(fd) {}
  // Connects to "127.0.0.1:port".
  explicit RawConnection(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer), 0) << strerror(errno);
  }
  RawConnection(RawConnection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawConnection& operator=(RawConnection&&) = delete;
  ~RawConnection() { Close(); }

  int fd() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  bool Send(const std::string& text) {
    size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t count = send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<size_t>(count);
    }
    return true;
  }
  // One message: its head, and as much body as Content-Length says unless `bodiless`. "" at the end.
  std::string ReadMessage(bool bodiless = false) {
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) return std::exchange(buffer_, "");
    }
    size_t size = end + 4;
    const size_t length = buffer_.find("Content-Length: ");
    if (!bodiless && length < end) size += static_cast<size_t>(std::stoul(buffer_.substr(length + 16)));
    while (buffer_.size() < size) {
      if (!Fill()) return std::exchange(buffer_, "");
    }
    std::string message = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return message;
  }
  std::string ReadToEnd() {
    while (Fill()) {
    }
    return std::exchange(buffer_, "");
  }
  // Whether the peer has closed, and sent nothing before.
  bool AtEnd() { return buffer_.empty() && !Fill(); }

 private:
  bool Fill() {
    char data[4096];
    const ssize_t count = recv(fd_, data, sizeof data, 0);
    if (count <= 0) return false;
    buffer_.append(data, static_cast<size_t>(count));
    return true;
  }

  int fd_;
  std::string buffer_;
};

// Serves the connections that come, each by the next step of its script; then it listens no more.
class ScriptedServer {
 public:
  using Step = std::function<void(RawConnection&)>;
  explicit ScriptedServer(std::vector<Step> steps) : fd_(socket(AF_INET, SOCK_STREAM, 0)), steps_(std::move(steps)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&own), size), 0);
    EXPECT_EQ(listen(fd_, 64), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(own.sin_port));
    Task body = [this] {
      for (const Step& step : steps_) {
        const int connection = accept(fd_, nullptr, nullptr);
        if (connection < 0) return;
        RawConnection raw(connection);
        step(raw);
      }
    };
    EXPECT_TRUE(thread_.Start("scripted", 0, body));
  }
  ~ScriptedServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.Join();
    close(fd_);
  }
  const std::string& address() const { return address_; }

 private:
  const int fd_;
  const std::vector<Step> steps_;
  std::string address_;
  Thread thread_;
};

}  // namespace cohort
