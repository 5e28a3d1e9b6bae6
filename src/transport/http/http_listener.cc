#include "transport/http/http_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "runtime/system_clock.h"
#include "transport/calls.h"
#include "transport/http/address.h"
#include "transport/http/server_connection.h"

namespace cohort {

namespace {

constexpr int kBacklog = 1024;
constexpr size_t kMaxConnections = 10'000;
constexpr size_t kStackBytes = 512 * 1024;  // The handlers of peers hand over or wait; they run no user code.
constexpr int64_t kLingerMs = 100;
constexpr int64_t kNoDescriptorPauseMs = 20;

// The library's server ignores SIGPIPE for the whole process when it is made. That is the host's to decide, so its
// disposition is put back; our own threads block the signal.
std::unique_ptr<ServerCodec> NewCodec() {
  struct sigaction host;
  const bool known = sigaction(SIGPIPE, nullptr, &host) == 0;
  auto codec = std::make_unique<ServerCodec>();
  if (known) sigaction(SIGPIPE, &host, nullptr);
  return codec;
}

Status CannotListen(const std::string& address, const std::string& why) {
  return Status(Code::kIo, "cannot listen on " + address + ": " + why);
}

}  // namespace

void WarmUpServerCodec() {
  struct sigaction host;
  const bool known = sigaction(SIGPIPE, nullptr, &host) == 0;
  ServerConnection::WarmUp();
  if (known) sigaction(SIGPIPE, &host, nullptr);
}

HttpListener::HttpListener(std::shared_ptr<RequestHandler> handler, const HttpOptions& options,
                           std::shared_ptr<Tls> tls)
    : options_(options),
      tls_(std::move(tls)),
      handler_(std::move(handler)),
      codec_(NewCodec()),
      pool_({"cohort-serve", std::max<size_t>(options.max_server_threads, 1), kStackBytes}) {}

HttpListener::~HttpListener() {
  Stop(0);
  if (listen_fd_ >= 0) close(listen_fd_);
}

Result<std::unique_ptr<Listener>> HttpListener::New(const std::string& address, std::shared_ptr<RequestHandler> handler,
                                                    const HttpOptions& options, std::shared_ptr<Tls> tls) {
  if (tls != nullptr && !tls->can_accept()) {
    return Status(Code::kInvalidArgument, "to listen with TLS, cert_file and key_file are needed");
  }
  std::unique_ptr<HttpListener> listener(new HttpListener(std::move(handler), options, std::move(tls)));
  if (Status status = listener->Bind(address); !status.ok()) return status;
  if (Status status = listener->Start(); !status.ok()) return status;
  return std::unique_ptr<Listener>(std::move(listener));
}

Status HttpListener::Bind(const std::string& address) {
  auto host_port = ParseHostPort(address);
  if (!host_port.ok()) return host_port.status();
  auto addresses = Resolve(*host_port, true);
  if (!addresses.ok()) return CannotListen(address, addresses.status().message());
  // Every address of the machine means both families over one IPv6 socket; a name means its IPv4 address first.
  const bool every = host_port->host.empty() || host_port->host == "::";
  std::stable_sort(addresses->begin(), addresses->end(), [every](const SocketAddress& a, const SocketAddress& b) {
    const int first = every ? AF_INET6 : AF_INET;
    return a.family() == first && b.family() != first;
  });

  Status failure;
  for (const SocketAddress& candidate : *addresses) {
    const int fd = ::socket(candidate.family(), SOCK_STREAM, 0);
    if (fd < 0) {
      failure = CannotListen(ToString(candidate), strerror(errno));
      continue;
    }
    const int one = 1, zero = 0;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
    // Not SO_REUSEPORT, with which two servers would share a port, and its traffic, in silence.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (candidate.family() == AF_INET6) {
      setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, every ? &zero : &one, sizeof one);
    }
    SocketAddress bound;
    bound.length = sizeof bound.storage;
    if (bind(fd, candidate.get(), candidate.length) == 0 && listen(fd, kBacklog) == 0 &&
        getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) == 0) {
      listen_fd_ = fd;
      address_ = ToString(bound);
      return Status();
    }
    failure = CannotListen(ToString(candidate), strerror(errno));
    close(fd);
  }
  return failure;
}

Status HttpListener::Start() {
  if (!waker_.ok()) return CannotListen(address_, "the process has no file descriptor left");
  Task body = [this] { AcceptLoop(); };
  if (!accepting_.Start("cohort-accept", kStackBytes, body)) {
    return CannotListen(address_, "the system gives no thread");
  }
  return Status();
}

// ---- the accepting thread

void HttpListener::AcceptLoop() {
  std::list<Parked> parked;  // Those that came first end first.
  std::vector<pollfd> entries;
  int64_t pause_until_ns = 0;
  for (;;) {
    waker_.Clear();
    bool full;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) break;
      parked.splice(parked.end(), to_park_);
      full = connections_.size() >= kMaxConnections;
    }
    const int64_t now_ns = NowMonotonicNs();
    if (full) pause_until_ns = now_ns + MsToNs(kNoDescriptorPauseMs);
    const bool paused = now_ns < pause_until_ns;
    // When there is no room for a new connection, the one that has been silent for longest makes some.
    while (!parked.empty() && (parked.front().until_monotonic_ns <= now_ns || paused)) {
      const bool expired = parked.front().until_monotonic_ns <= now_ns;
      Forget(parked.front().connection);
      parked.pop_front();
      if (expired) continue;
      pause_until_ns = 0;
      break;
    }
    const bool accepting = now_ns >= pause_until_ns;

    entries.clear();
    entries.push_back({waker_.fd(), POLLIN, 0});
    entries.push_back({accepting ? listen_fd_ : -1, POLLIN, 0});
    for (const Parked& entry : parked) entries.push_back({entry.connection->fd(), POLLIN, 0});
    int64_t wake_ns = parked.empty() ? INT64_MAX : parked.front().until_monotonic_ns;
    if (!accepting) wake_ns = std::min(wake_ns, pause_until_ns);
    const int64_t left_ms = wake_ns == INT64_MAX ? -1 : (wake_ns - now_ns) / kNsPerMs + 1;
    if (poll(entries.data(), static_cast<nfds_t>(entries.size()),
             static_cast<int>(std::min<int64_t>(left_ms, 60'000))) <= 0) {
      continue;
    }

    size_t index = 2;
    for (auto entry = parked.begin(); entry != parked.end(); index++) {
      if (entries[index].revents == 0) {
        ++entry;
        continue;
      }
      Employ(std::move(entry->connection));
      entry = parked.erase(entry);
    }
    if (entries[1].revents != 0 && !Accept()) pause_until_ns = NowMonotonicNs() + MsToNs(kNoDescriptorPauseMs);
  }
  for (const Parked& entry : parked) Forget(entry.connection);
}

bool HttpListener::Accept() {
  constexpr int kAtOnce = 64;
  for (int i = 0; i < kAtOnce; i++) {
    const int fd = accept(listen_fd_, nullptr, nullptr);
    if (fd < 0) {
      return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    }
    auto connection = std::make_shared<ServerConnection>(fd, *handler_, options_, tls_.get());
    {
      std::lock_guard<std::mutex> lock(mutex_);
      connections_.insert(connection);
      if (connections_.size() >= kMaxConnections) i = kAtOnce;
    }
    Employ(std::move(connection));
  }
  return true;
}

void HttpListener::Employ(ConnectionPtr connection) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    employed_++;
  }
  pool_.Post([this, connection = std::move(connection)]() mutable { Serve(std::move(connection)); });
}

// ---- the serving threads

int64_t HttpListener::LingerMs() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return employed_ * 2 > options_.max_server_threads ? 0 : kLingerMs;
}

void HttpListener::Serve(ConnectionPtr connection) {
  bool open = true;
  while (open && connection->AwaitRequest(NowMonotonicNs() + MsToNs(LingerMs()))) {
    open = connection->ServeOne(*codec_) == ServerConnection::Next::kAgain;
  }
  if (!open || !connection->usable()) {
    Forget(connection);
    connection = nullptr;
  }
  if (connection != nullptr) connection->Rest();
  std::lock_guard<std::mutex> lock(mutex_);
  employed_--;
  if (connection == nullptr) return;
  // Silent. The accepting thread watches it from here on, or drops it if it has stopped.
  if (stopping_) {
    connections_.erase(connection);
    connection_gone_.NotifyAll();
    return;
  }
  to_park_.push_back({std::move(connection), NowMonotonicNs() + MsToNs(options_.keep_alive_ms)});
  waker_.Signal();
}

void HttpListener::Forget(const ConnectionPtr& connection) {
  std::lock_guard<std::mutex> lock(mutex_);
  connections_.erase(connection);
  connection_gone_.NotifyAll();
}

// ---- the end

void HttpListener::Stop(int64_t drain_ms) {
  std::lock_guard<std::mutex> one_at_a_time(stop_mutex_);
  if (stopped_) return;
  stopped_ = true;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  waker_.Signal();
  accepting_.Join();
  if (listen_fd_ >= 0) close(listen_fd_);
  listen_fd_ = -1;

  std::unordered_set<ConnectionPtr> open;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    for (const Parked& entry : to_park_) connections_.erase(entry.connection);
    to_park_.clear();
    open = connections_;
  }
  for (const ConnectionPtr& connection : open) connection->CloseWhenIdle();
  open.clear();
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const int64_t deadline_ns = DeadlineAfter(NowMonotonicNs(), MsToNs(std::max<int64_t>(drain_ms, 0)));
    connection_gone_.WaitUntil(lock, deadline_ns, [this] { return connections_.empty(); });
    open = connections_;
  }
  for (const ConnectionPtr& connection : open) connection->CutOff();
  open.clear();
  pool_.Stop();
}

}  // namespace cohort
