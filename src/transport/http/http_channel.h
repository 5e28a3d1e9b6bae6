// HttpChannel sends requests to one peer: calls queue up, and a few senders, made on demand, take them in order, each
// over a connection of its own. There are never more connections than calls are open at a time. A sender has a thread;
// a thread of the program that would only wait for its call borrows the connection and does the work itself.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/condition.h"
#include "runtime/runtime.h"
#include "runtime/thread_pool.h"
#include "transport/calls.h"
#include "transport/http/client_connection.h"
#include "transport/http/http_options.h"
#include "transport/http/tls.h"
#include "transport/transport.h"

namespace cohort {

// What the channels of one transport share. Stopped by the transport's destructor; a channel may outlive that.
struct HttpClientShared {
  HttpClientShared(HttpOptions http_options, std::shared_ptr<Tls> http_tls);
  const HttpOptions options;
  const std::shared_ptr<Tls> tls;  // nullptr: plain HTTP.
  ThreadPool senders;
};

// The queue and the senders. The senders hold it too, so it ends with the last of them.
class HttpSenders : public std::enable_shared_from_this<HttpSenders> {
 public:
  static std::shared_ptr<HttpSenders> New(std::shared_ptr<HttpClientShared> shared, Runtime& runtime,
                                          std::string address, HostPort host_port);

  uint64_t Send(Request request, ResponseDone done);
  void Cancel(uint64_t id);
  void Close();

 private:
  struct Queued {
    Request request;
    int64_t deadline_monotonic_ns;
  };
  struct Sender {
    Sender(const std::string& address, const HostPort& host_port, const HttpClientShared& shared)
        : connection(address, host_port, shared.options, shared.tls.get()) {}
    ClientConnection connection;
    // Lives on with who wakes it, which is best done without the lock: else it wakes only to wait for that.
    std::shared_ptr<Condition> wake = std::make_shared<Condition>();
    // Of its thread: another has taken its place. It may outlive the sender.
    std::shared_ptr<bool> replaced = std::make_shared<bool>(false);
    bool called = false;     // It will look at the queue: new, or taken from idle_.
    bool finishing = false;  // Completing a call, after which it is free.
    bool lent = false;       // Its connection is in use by a thread that is not its own.
    uint64_t running = 0;    // The call being sent.
    int64_t used_ns = 0;     // When the last one ended.
  };
  using Senders = std::list<Sender>;

  HttpSenders(std::shared_ptr<HttpClientShared> shared, Runtime& runtime, std::string address, HostPort host_port);
  // One sender's life, on its thread.
  void Run(Senders::iterator self);
  // Sends the first call of the queue and completes it. False: the sender has another thread now.
  bool SendNext(Sender& self, std::unique_lock<std::mutex>& lock);
  // Sends the call over the sender's connection; the sender is running it.
  Result<Response> Perform(Sender& self, uint64_t id, const Queued& queued, std::unique_lock<std::mutex>& lock);
  // Waits until the sender is called: true. False: it has been idle for long.
  bool AwaitCall(Sender& self, std::unique_lock<std::mutex>& lock);
  // Hands the call to this thread, if it is lent and a connection is free.
  bool LeaveToCaller(uint64_t id, Queued* queued);
  void PerformForCaller(Sender& self, uint64_t id, const Queued& queued);
  // Has a free sender, or a new one, look at the queue; false if there can be none. REQUIRES, as all below: mutex_
  // held.
  bool Employ();
  bool Start(Senders::iterator self);
  // Whoever calls wakes it.
  void Call(Sender& sender);
  // While calls wait for a sender that is finishing, makes sure that they do not wait long.
  void WatchFinishing();
  // Spends nothing more on a call that has been completed.
  void Abandon(uint64_t id);

  const std::shared_ptr<HttpClientShared> shared_;
  Runtime& runtime_;
  const std::string address_;
  const HostPort host_port_;
  std::shared_ptr<Calls> calls_;
  std::mutex mutex_;
  std::map<uint64_t, Queued> queue_;  // Ids grow, so this is the order of arrival.
  Senders senders_;
  std::vector<Sender*> idle_;  // Idle or finishing. Last in, first called: those below grow old and leave.
  size_t called_ = 0;          // Those that will look at the queue, each for one call.
  bool watching_ = false;      // A timer looks after calls that wait for a finishing sender.
  bool closed_ = false;
};

class HttpChannel final : public PeerChannel {
 public:
  explicit HttpChannel(std::shared_ptr<HttpSenders> senders) : senders_(std::move(senders)) {}
  ~HttpChannel() override { Close(); }
  CallId Send(Request request, ResponseDone done) override {
    return senders_->Send(std::move(request), std::move(done));
  }
  void Cancel(CallId id) override { senders_->Cancel(id); }
  void Close() override { senders_->Close(); }

 private:
  const std::shared_ptr<HttpSenders> senders_;
};

}  // namespace cohort
