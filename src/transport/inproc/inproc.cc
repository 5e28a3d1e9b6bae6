#include "transport/inproc/inproc.h"

#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "runtime/condition.h"
#include "runtime/system_clock.h"
#include "transport/calls.h"

namespace cohort {

namespace {

constexpr int64_t kDefaultTimeoutMs = 60'000;
constexpr int kFirstFreePort = 49152;

// Where the answer of one request goes. One that is dropped unused tells the asker that the peer went away.
class Reply {
 public:
  Reply(std::weak_ptr<Calls> calls, uint64_t id, std::string peer)
      : calls_(std::move(calls)), id_(id), peer_(std::move(peer)) {}
  ~Reply() { (*this)(Status(Code::kUnreachable, "peer " + peer_ + " closed the connection")); }
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = delete;

  void operator()(Result<Response> result) {
    if (auto calls = std::exchange(calls_, {}).lock()) calls->Finish(id_, std::move(result));
  }

 private:
  std::weak_ptr<Calls> calls_;
  uint64_t id_;
  std::string peer_;
};

// ---- the answering side

// One address being served. A request is open from its handler's start to its answer; `busy_` counts the threads inside
// the handler or handing an answer over.
class Service : public std::enable_shared_from_this<Service> {
 public:
  Service(Runtime& runtime, std::string address, std::shared_ptr<RequestHandler> handler)
      : runtime_(runtime), address_(std::move(address)), handler_(std::move(handler)) {}

  const std::string& address() const { return address_; }

  void Accept(Request request, Reply reply) {
    struct Arrival {
      Request request;
      Reply reply;
    };
    auto arrival = std::make_shared<Arrival>(Arrival{std::move(request), std::move(reply)});
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return arrival->reply(Refused(address_));
    // The lock is held so that Stop, and the end of the runtime after it, wait for this post.
    runtime_.executor().Post(
        [self = shared_from_this(), arrival] { self->Serve(std::move(arrival->request), std::move(arrival->reply)); });
  }

  void Stop(int64_t drain_ms) {
    std::unordered_map<uint64_t, Reply> cut;
    std::shared_ptr<RequestHandler> handler;
    std::unique_lock<std::mutex> lock(mutex_);
    stopping_ = true;
    if (drain_ms > 0) {
      const int64_t deadline_ns = DeadlineAfter(SystemClock().MonotonicNs(), MsToNs(drain_ms));
      changed_.WaitUntil(lock, deadline_ns, [this] { return open_.empty() && busy_ == 0; });
    }
    cut.swap(open_);
    while (busy_ > 0) changed_.Wait(lock);
    handler = std::move(handler_);
    lock.unlock();
  }

  static Status Refused(const std::string& address) {
    return Status(Code::kUnreachable, "peer " + address + ": connection refused");
  }

 private:
  void Serve(Request request, Reply reply) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (stopping_) {
      lock.unlock();
      return reply(Refused(address_));
    }
    const uint64_t place = next_place_++;
    open_.emplace(place, std::move(reply));
    busy_++;
    RequestHandler* handler = handler_.get();  // Stays while busy_ is not 0.
    lock.unlock();

    request.timeout_ms = kDefaultTimeoutMs;
    handler->Handle(std::move(request), [weak = weak_from_this(), place](ServedResponse response) {
      if (auto self = weak.lock()) self->Answer(place, std::move(response).Whole());
    });

    lock.lock();
    busy_--;
    changed_.NotifyAll();
  }

  void Answer(uint64_t place, Response response) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto found = open_.find(place);
    if (found == open_.end()) return;  // Cut off meanwhile.
    Reply reply = std::move(found->second);
    open_.erase(found);
    busy_++;
    lock.unlock();
    reply(std::move(response));
    lock.lock();
    busy_--;
    changed_.NotifyAll();
  }

  Runtime& runtime_;
  const std::string address_;
  std::mutex mutex_;
  Condition changed_;
  std::shared_ptr<RequestHandler> handler_;
  std::unordered_map<uint64_t, Reply> open_;
  uint64_t next_place_ = 1;
  int busy_ = 0;
  bool stopping_ = false;
};

// ---- the network between them

class Network final : public InprocNetwork, public std::enable_shared_from_this<Network> {
 public:
  std::shared_ptr<Transport> Attach(Runtime& runtime) override;

  Result<std::shared_ptr<Service>> Add(Runtime& runtime, const std::string& address,
                                       std::shared_ptr<RequestHandler> handler) {
    const size_t colon = address.rfind(':');
    if (colon == std::string::npos) {
      return Status(Code::kInvalidArgument, "address \"" + address + "\" is not host:port");
    }
    std::lock_guard<std::mutex> lock(mutex_);
    std::string resolved = address;
    if (address.substr(colon + 1) == "0") {
      do {
        resolved = address.substr(0, colon + 1) + std::to_string(next_port_++);
      } while (services_.count(resolved) != 0);
    }
    if (services_.count(resolved) != 0) {
      return Status(Code::kIo, "cannot listen on " + resolved + ": Address already in use");
    }
    auto service = std::make_shared<Service>(runtime, resolved, std::move(handler));
    services_.emplace(resolved, service);
    return service;
  }

  void Remove(const std::string& address) {
    std::lock_guard<std::mutex> lock(mutex_);
    services_.erase(address);
  }

  std::shared_ptr<Service> Find(const std::string& address) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = services_.find(address);
    return found == services_.end() ? nullptr : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Service>> services_;
  int next_port_ = kFirstFreePort;
};

class InprocChannel final : public PeerChannel {
 public:
  InprocChannel(std::shared_ptr<Network> network, Runtime& runtime, std::string address)
      : network_(std::move(network)),
        address_(std::move(address)),
        calls_(std::make_shared<Calls>(runtime, address_)) {}
  ~InprocChannel() override { Close(); }

  CallId Send(Request request, ResponseDone done) override {
    const int64_t timeout_ms = request.timeout_ms > 0 ? request.timeout_ms : kDefaultTimeoutMs;
    const uint64_t id = calls_->Open(std::move(done), timeout_ms);
    if (id == 0) return id;
    Reply reply(calls_, id, address_);
    if (auto service = network_->Find(address_)) {
      service->Accept(std::move(request), std::move(reply));
    } else {
      reply(Service::Refused(address_));
    }
    return id;
  }

  void Cancel(CallId id) override {
    calls_->Finish(id, Status(Code::kCancelled, "the call to peer " + address_ + " was cancelled"));
  }

  void Close() override { calls_->Close(); }

 private:
  const std::shared_ptr<Network> network_;
  const std::string address_;
  const std::shared_ptr<Calls> calls_;
};

class InprocListener final : public Listener {
 public:
  InprocListener(std::shared_ptr<Network> network, std::shared_ptr<Service> service)
      : network_(std::move(network)), service_(std::move(service)) {}
  ~InprocListener() override { Stop(0); }

  std::string Address() const override { return service_->address(); }

  void Stop(int64_t drain_ms) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!removed_) network_->Remove(service_->address());
      removed_ = true;
    }
    service_->Stop(drain_ms);
  }

 private:
  const std::shared_ptr<Network> network_;
  const std::shared_ptr<Service> service_;
  std::mutex mutex_;
  bool removed_ = false;  // Once only: the address may be somebody else's by the next time.
};

class InprocTransport final : public Transport {
 public:
  InprocTransport(std::shared_ptr<Network> network, Runtime& runtime)
      : network_(std::move(network)), runtime_(runtime) {}

  std::shared_ptr<PeerChannel> Connect(const std::string& address) override {
    return std::make_shared<InprocChannel>(network_, runtime_, address);
  }

  Result<std::unique_ptr<Listener>> Listen(const std::string& address,
                                           std::shared_ptr<RequestHandler> handler) override {
    auto service = network_->Add(runtime_, address, std::move(handler));
    if (!service.ok()) return service.status();
    return std::unique_ptr<Listener>(std::make_unique<InprocListener>(network_, *service));
  }

 private:
  const std::shared_ptr<Network> network_;
  Runtime& runtime_;
};

std::shared_ptr<Transport> Network::Attach(Runtime& runtime) {
  return std::make_shared<InprocTransport>(shared_from_this(), runtime);
}

}  // namespace

std::shared_ptr<InprocNetwork> InprocNetwork::New() { return std::make_shared<Network>(); }

}  // namespace cohort
