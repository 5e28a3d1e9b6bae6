// memcached and redis, each asked over a connection per caller by a client that does no more than it must.
//
//   server -kind memcached|redis -address HOST:PORT -owner-pid P      asked: "get|many N SECONDS"; many: 100 keys a
//   call
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "keys.h"
#include "measure.h"
#include "subjects.h"

namespace bench {
namespace {

constexpr int kMany = 100;

// A connection that speaks one of the two protocols.
class Client {
 public:
  Client(bool redis, const std::string& address) : redis_(redis), fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(PortOf(address)));
    inet_pton(AF_INET, address.substr(0, address.rfind(':')).c_str(), &to.sin_addr);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) Die("the server cannot be reached");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(fd_); }

  void Set(const std::string& key, const std::string& value) {
    if (redis_) {
      request_ = "*3\r\n$3\r\nSET\r\n" + Bulk(key) + Bulk(value);
    } else {
      request_ = "set " + key + " 0 0 " + std::to_string(value.size()) + "\r\n" + value + "\r\n";
    }
    Send();
    if (Line() != (redis_ ? "+OK" : "STORED")) Die("the server did not store a value");
  }

  // Gets all of them, which must be there.
  void Get(const std::vector<const std::string*>& keys) {
    if (redis_) {
      request_ =
          keys.size() == 1 ? "*2\r\n$3\r\nGET\r\n" : "*" + std::to_string(keys.size() + 1) + "\r\n$4\r\nMGET\r\n";
      for (const std::string* key : keys) request_ += Bulk(*key);
    } else {
      request_ = "get";
      for (const std::string* key : keys) (request_ += " ") += *key;
      request_ += "\r\n";
    }
    Send();
    if (redis_ && keys.size() > 1) Line();  // "*100"
    for (size_t i = 0; i < keys.size(); ++i) {
      const std::string_view line = Line();  // "$1024", or "VALUE key flags 1024"
      const size_t at = line.rfind(redis_ ? '$' : ' ');
      if (at == std::string_view::npos || line.front() == '-') Die("the server has no such key");
      const auto size = static_cast<size_t>(std::atoi(line.data() + at + 1));
      if (size != kValueBytes) Die("the server lost a value");
      Skip(size + 2);
    }
    if (!redis_ && Line() != "END") Die("the server said more than was asked");
  }

 private:
  static std::string Bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }

  void Send() {
    for (size_t sent = 0; sent < request_.size();) {
      const ssize_t n = send(fd_, request_.data() + sent, request_.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) Die("the server closed a connection");
      sent += static_cast<size_t>(n);
    }
    begin_ = end_ = 0;
  }

  void Receive() {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const ssize_t n = recv(fd_, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (n <= 0) Die("the server closed a connection");
    end_ += static_cast<size_t>(n);
  }

  // The next line without its end; valid until the next call.
  std::string_view Line() {
    for (;;) {
      const std::string_view have(buffer_.data() + begin_, end_ - begin_);
      const size_t end = have.find("\r\n");
      if (end != std::string_view::npos) {
        begin_ += end + 2;
        return have.substr(0, end);
      }
      Receive();
    }
  }

  void Skip(size_t size) {
    while (end_ - begin_ < size) Receive();
    begin_ += size;
  }

  const bool redis_;
  const int fd_;
  std::string request_;
  std::vector<char> buffer_ = std::vector<char>(256 << 10);
  size_t begin_ = 0, end_ = 0;
};

}  // namespace

void ServeCacheServer(const Flags& flags) {
  const bool redis = flags.Text("-kind") == "redis";
  const std::string& address = flags.Text("-address");
  const Watched watched{flags.Number("-owner-pid", 0), PortOf(address)};
  const std::vector<std::string> keys = Keys(10'000);
  {
    Client client(redis, address);
    for (size_t i = 0; i < keys.size(); ++i) client.Set(keys[i], Value(static_cast<int64_t>(i), kValueBytes));
  }
  Serve({}, [&](const Words& words) {
    const int n = words.Int(1), at_once = words[0] == "many" ? kMany : 1;
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<Random> randoms;
    for (int i = 0; i < n; ++i) {
      clients.push_back(std::make_unique<Client>(redis, address));
      randoms.emplace_back(i);
    }
    return Measure<true>(n, words.Double(2), watched, 1, [&](int thread, int64_t) {
      thread_local std::vector<const std::string*> asked;
      asked.clear();
      for (int i = 0; i < at_once; ++i) {
        asked.push_back(&keys[randoms[static_cast<size_t>(thread)].Next() % keys.size()]);
      }
      clients[static_cast<size_t>(thread)]->Get(asked);
      return at_once;
    });
  });
}

}  // namespace bench
