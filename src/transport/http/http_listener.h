// HttpListener serves one address: an accepting thread, which also watches connections that are silent, and a pool of
// threads that serve those on which something has come. So a kept connection costs a thread only while it is used.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "runtime/condition.h"
#include "runtime/thread.h"
#include "runtime/thread_pool.h"
#include "runtime/waker.h"
#include "transport/http/http_options.h"
#include "transport/http/tls.h"
#include "transport/transport.h"

namespace cohort {

class ServerConnection;
class ServerCodec;

class HttpListener final : public Listener {
 public:
  static Result<std::unique_ptr<Listener>> New(const std::string& address, std::shared_ptr<RequestHandler> handler,
                                               const HttpOptions& options, std::shared_ptr<Tls> tls);
  ~HttpListener() override;

  std::string Address() const override { return address_; }
  void Stop(int64_t drain_ms) override;

 private:
  using ConnectionPtr = std::shared_ptr<ServerConnection>;
  struct Parked {
    ConnectionPtr connection;
    int64_t until_monotonic_ns;
  };

  HttpListener(std::shared_ptr<RequestHandler> handler, const HttpOptions& options, std::shared_ptr<Tls> tls);
  Status Bind(const std::string& address);
  Status Start();

  void AcceptLoop();
  // Accepts what waits; false when the process has no descriptor left.
  bool Accept();
  void Serve(ConnectionPtr connection);
  // Hands the connection to a thread of the pool.
  void Employ(ConnectionPtr connection);
  void Forget(const ConnectionPtr& connection);
  // How long a thread waits on its connection for the next request before it parks it.
  int64_t LingerMs() const;

  const HttpOptions options_;
  const std::shared_ptr<Tls> tls_;
  const std::shared_ptr<RequestHandler> handler_;
  const std::unique_ptr<ServerCodec> codec_;
  std::string address_;
  int listen_fd_ = -1;
  Waker waker_;
  Thread accepting_;
  ThreadPool pool_;

  mutable std::mutex mutex_;
  Condition connection_gone_;
  std::unordered_set<ConnectionPtr> connections_;
  std::list<Parked> to_park_;  // On their way to the accepting thread.
  size_t employed_ = 0;        // Connections that have a thread, or wait for one.
  bool stopping_ = false;
  std::mutex stop_mutex_;  // One Stop at a time.
  bool stopped_ = false;
};

// Makes the library's tables, for ExitGate.
void WarmUpServerCodec();

}  // namespace cohort
