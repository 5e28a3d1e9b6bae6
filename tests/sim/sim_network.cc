#include "sim/sim_network.h"

#include <utility>

namespace cohort::sim {
namespace {

constexpr int64_t kDefaultTimeoutMs = 60'000;
constexpr int64_t kSoonNs = 10 * kUs;

}  // namespace

// A question under way, from Send until its end is on its way to the asker.
struct SimNetwork::Call {
  std::string from;
  std::shared_ptr<const Question> question;
  uint64_t cause = kNoCause;  // The asker's.
  ResponseDone done;
  World::EventId timer = 0;
  std::shared_ptr<std::set<uint64_t>> channel;  // The open calls of its channel.
};

// An address that is served.
struct SimNetwork::Endpoint {
  int member = 0;
  std::shared_ptr<RequestHandler> handler;
  std::set<uint64_t> open;  // Arrivals being handled.
  bool stopped = false;
};

// A request at its receiver. It is answered once, by whoever holds its `done`.
struct SimNetwork::Arrival {
  SimNetwork* network = nullptr;
  uint64_t call = 0;  // 0: a second copy, whose answer nobody hears.
  uint64_t number = 0;
  std::shared_ptr<Endpoint> endpoint;
  std::shared_ptr<const Question> question;
  bool answered = false;

  ~Arrival() {
    if (!answered) network->Unanswered(*this);
  }
};

class SimChannel final : public PeerChannel {
 public:
  SimChannel(SimNetwork& network, SimNetwork::Asker asker, std::string to)
      : network_(network), asker_(std::move(asker)), to_(std::move(to)) {}
  ~SimChannel() override { Close(); }

  CallId Send(Request request, ResponseDone done) override {
    if (closed_) {
      done(Status(Code::kClosed, "the connection to peer " + to_ + " is closed"));
      return 0;
    }
    return network_.Send(asker_, to_, open_, std::move(request), std::move(done));
  }
  void Cancel(CallId id) override {
    if (open_->count(id) != 0) network_.End(id, kSoonNs, Status(Code::kCancelled, "the call was cancelled"));
  }
  void Close() override {
    closed_ = true;
    while (!open_->empty()) {
      network_.End(*open_->begin(), kSoonNs, Status(Code::kClosed, "the connection to peer " + to_ + " was closed"));
    }
  }

 private:
  SimNetwork& network_;
  const SimNetwork::Asker asker_;
  const std::string to_;
  const std::shared_ptr<std::set<uint64_t>> open_ = std::make_shared<std::set<uint64_t>>();
  bool closed_ = false;
};

class SimListener final : public Listener {
 public:
  SimListener(SimNetwork& network, std::string address, std::shared_ptr<SimNetwork::Endpoint> endpoint)
      : network_(network), address_(std::move(address)), endpoint_(std::move(endpoint)) {}
  ~SimListener() override { Stop(0); }

  std::string Address() const override { return address_; }
  void Stop(int64_t drain_ms) override {
    if (endpoint_->stopped) return;
    endpoint_->stopped = true;
    const auto served = network_.endpoints_.find(address_);
    if (served != network_.endpoints_.end() && served->second == endpoint_) network_.endpoints_.erase(served);
    World& world = network_.world_;
    world.Await(world.now_ns() + drain_ms * kMs, [this] { return endpoint_->open.empty(); });
    endpoint_->handler.reset();
    // What is still open is cut off: its askers hear so, and its answers go nowhere.
    for (const uint64_t call : std::exchange(endpoint_->open, {}))
      network_.Break(call, address_, "closed the connection");
  }

 private:
  SimNetwork& network_;
  const std::string address_;
  const std::shared_ptr<SimNetwork::Endpoint> endpoint_;
};

class SimTransport final : public Transport {
 public:
  SimTransport(SimNetwork& network, SimNetwork::Asker asker) : network_(network), asker_(std::move(asker)) {}
  std::shared_ptr<PeerChannel> Connect(const std::string& address) override {
    return std::make_shared<SimChannel>(network_, asker_, address);
  }
  Result<std::unique_ptr<Listener>> Listen(const std::string& address,
                                           std::shared_ptr<RequestHandler> handler) override {
    if (network_.endpoints_.count(address) != 0) return Status(Code::kIo, address + " is in use");
    auto endpoint = std::make_shared<SimNetwork::Endpoint>();
    endpoint->member = asker_.member;
    endpoint->handler = std::move(handler);
    network_.endpoints_[address] = endpoint;
    return std::unique_ptr<Listener>(std::make_unique<SimListener>(network_, address, std::move(endpoint)));
  }

 private:
  SimNetwork& network_;
  const SimNetwork::Asker asker_;
};

SimNetwork::SimNetwork(World& world, Rng rng, NetworkOptions options, NetworkObserver& observer)
    : world_(world), rng_(rng), options_(options), observer_(observer) {}
SimNetwork::~SimNetwork() = default;

std::shared_ptr<Transport> SimNetwork::Attach(int member, const std::string& address) {
  return std::make_shared<SimTransport>(*this, Asker{member, address});
}

void SimNetwork::Cut(int member) {
  cut_.insert(member);
  for (auto served = endpoints_.begin(); served != endpoints_.end();) {
    served = served->second->member == member ? endpoints_.erase(served) : std::next(served);
  }
}

// What a member sent before it vanished still arrives.
bool SimNetwork::Hears(const std::string& from, const std::string& to) const {
  const auto here = sides_.find(from);
  const auto there = sides_.find(to);
  return here == sides_.end() || there == sides_.end() || here->second == there->second;
}

int64_t SimNetwork::Delay() {
  if (rng_.Chance(options_.long_delay)) return rng_.Between(0, options_.long_delay_ns);
  return rng_.Chance(200) ? rng_.Between(50 * kUs, options_.latest_ns)
                          : rng_.Between(50 * kUs, 50 * kUs + options_.latest_ns / 10);
}

uint64_t SimNetwork::Send(const Asker& asker, const std::string& to, const std::shared_ptr<std::set<uint64_t>>& open,
                          Request request, ResponseDone done) {
  const uint64_t id = ++last_call_;
  const int64_t timeout_ms = request.timeout_ms > 0 ? request.timeout_ms : kDefaultTimeoutMs;
  auto question = std::make_shared<Question>();
  question->asked = ReadAsked(request);
  question->request = std::move(request);
  question->request.timeout_ms = kDefaultTimeoutMs;  // What the receiver's listener says.
  question->sender = asker.member;
  question->to = to;
  question->sent = observer_.OnSend(*question);
  auto call = std::make_unique<Call>(Call{asker.address, question, world_.cause(), std::move(done), 0, open});
  call->timer = world_.After(timeout_ms * kMs, asker.member, [this, id, to, timeout_ms] {
    const auto late = calls_.find(id);
    if (late == calls_.end()) return;
    late->second->timer = 0;
    End(id, 0, Status(Code::kTimeout, "peer " + to + " did not answer within " + std::to_string(timeout_ms) + " ms"));
  });
  open->insert(id);
  calls_.emplace(id, std::move(call));

  if (cut_.count(asker.member) != 0) return id;
  if (rng_.Chance(options_.lose_request)) {
    // Either nothing is ever heard of it, or the connection breaks.
    if (rng_.Chance(500)) Break(id, to, "reset the connection");
    return id;
  }
  const int copies = rng_.Chance(options_.duplicate) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    const int64_t delay_ns = copy == 0 ? Delay() : Delay() + rng_.Between(0, options_.long_delay_ns);
    world_.After(delay_ns, kNoOwner, kNoCause,
                 [this, id, from = asker.address, question, copy] { Deliver(id, from, question, copy); });
  }
  return id;
}

// The end of a call: taken out now, told in a while.
void SimNetwork::End(uint64_t id, int64_t delay_ns, Result<Response> result) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const std::shared_ptr<Call> call = std::move(found->second);
  calls_.erase(found);
  call->channel->erase(id);
  if (call->timer != 0) world_.Cancel(call->timer);
  world_.After(delay_ns, call->question->sender, call->cause, [this, call, result = std::move(result)]() mutable {
    if (result.ok()) observer_.OnAnswer(*call->question, *result);
    ResponseDone done = std::move(call->done);
    done(std::move(result));
  });
}

// The asker notices in a while; until then the call may still time out.
void SimNetwork::Break(uint64_t id, const std::string& to, const char* why) {
  world_.After(Delay(), kNoOwner, kNoCause,
               [this, id, to, why] { End(id, 0, Status(Code::kUnreachable, "peer " + to + " " + why)); });
}

void SimNetwork::Deliver(uint64_t id, const std::string& from, const std::shared_ptr<const Question>& question,
                         int copy) {
  const std::string& to = question->to;
  if (!Hears(from, to)) {
    if (copy == 0 && rng_.Chance(500)) Break(id, to, "is not reachable");
    return;  // Or nothing is heard.
  }
  const auto served = endpoints_.find(to);
  if (served == endpoints_.end()) {
    if (copy == 0) Break(id, to, "refused the connection");
    return;
  }
  const std::shared_ptr<Endpoint> endpoint = served->second;
  auto arrival = std::make_shared<Arrival>();
  arrival->network = this;
  arrival->call = copy == 0 ? id : 0;
  arrival->endpoint = endpoint;
  arrival->question = question;
  if (arrival->call != 0) endpoint->open.insert(id);
  // The receiver's own event, so that what it delivers to queues is looked at; the request is the cause of what
  // follows.
  world_.After(0, endpoint->member, kNoCause, [this, arrival, handler = endpoint->handler, copy] {
    arrival->number = observer_.OnArrival(arrival->endpoint->member, *arrival->question, copy);
    const World::CauseScope scope(world_, arrival->number);
    handler->Handle(arrival->question->request,
                    [this, arrival](ServedResponse response) { Answer(arrival, std::move(response).Whole()); });
  });
}

void SimNetwork::Answer(const std::shared_ptr<Arrival>& arrival, Response response) {
  const int receiver = arrival->endpoint->member;
  if (arrival->answered) return observer_.OnBadAnswer(receiver, *arrival->question, "answered twice");
  arrival->answered = true;
  const bool open = arrival->call == 0 || arrival->endpoint->open.erase(arrival->call) != 0;
  if (!open || cut_.count(receiver) != 0) return;  // Cut off meanwhile.
  observer_.OnAnswered(receiver, *arrival->question, arrival->number, response);
  const auto call = calls_.find(arrival->call);
  if (call == calls_.end()) return;  // Nobody waits any more.
  const std::string& to = arrival->question->to;
  if (!Hears(call->second->from, to)) return;
  if (rng_.Chance(options_.lose_answer)) {
    if (rng_.Chance(500)) Break(arrival->call, to, "reset the connection");
    return;
  }
  // Until it arrives the call may still time out, be cancelled or be closed.
  world_.After(Delay(), kNoOwner, kNoCause, [this, id = arrival->call, response = std::move(response)]() mutable {
    End(id, 0, std::move(response));
  });
}

void SimNetwork::Unanswered(Arrival& arrival) {
  if (arrival.endpoint->stopped || cut_.count(arrival.endpoint->member) != 0) return;
  observer_.OnBadAnswer(arrival.endpoint->member, *arrival.question, "let go of without an answer");
}

}  // namespace cohort::sim
