// SimNetwork carries requests between members in virtual time, and does to them what networks do: delays, losses of a
// request or of its answer, requests that arrive twice, connections that break, partitions, members that vanish.
//
// What becomes of a request is decided when it is sent and when it arrives; the asker always gets exactly one end, if
// nothing else then its timeout, as from any transport.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/asked.h"
#include "sim/rng.h"
#include "sim/world.h"
#include "transport/transport.h"

namespace cohort::sim {

// Chances are out of 1000, each for one request.
struct NetworkOptions {
  int64_t latest_ns = 5 * kMs;     // Of one way, as a rule,
  int64_t long_delay_ns = 5 * kS;  // and at most, when it is long.
  int long_delay = 0;
  int lose_request = 0;
  int lose_answer = 0;
  int duplicate = 0;
};

// A request on its way, with what it asks for.
struct Question {
  Request request;
  std::vector<Asked> asked;
  int sender = 0;  // An incarnation.
  std::string to;
  uint64_t sent = 0;  // The number of the sending.
};

// What the network sees. Calls come in the order in which things happen.
class NetworkObserver {
 public:
  virtual ~NetworkObserver() = default;
  // Returns the number of the sending.
  virtual uint64_t OnSend(const Question& question) = 0;
  // It has reached its receiver, the `copy`th time (from 0). Returns the number of the arrival.
  virtual uint64_t OnArrival(int receiver, const Question& question, int copy) = 0;
  // The receiver has answered.
  virtual void OnAnswered(int receiver, const Question& question, uint64_t arrived, const Response& response) = 0;
  // The answer has reached the asker.
  virtual void OnAnswer(const Question& question, const Response& response) = 0;
  // The receiver answered twice, or let go of a request without answering it.
  virtual void OnBadAnswer(int receiver, const Question& question, const char* what) = 0;
};

class SimNetwork {
 public:
  SimNetwork(World& world, Rng rng, NetworkOptions options, NetworkObserver& observer);
  ~SimNetwork();

  // The way into the network of the incarnation `member` of the node at `address`.
  std::shared_ptr<Transport> Attach(int member, const std::string& address);
  // That incarnation is gone: nothing comes out of it or in.
  void Cut(int member);
  // Only nodes of the same side hear each other; an empty map heals it.
  void Partition(std::map<std::string, int> side_of_address) { sides_ = std::move(side_of_address); }
  void set_options(const NetworkOptions& options) { options_ = options; }

 private:
  friend class SimChannel;
  friend class SimListener;
  friend class SimTransport;
  struct Call;
  struct Endpoint;
  struct Arrival;
  struct Asker {
    int member;
    std::string address;
  };

  uint64_t Send(const Asker& asker, const std::string& to, const std::shared_ptr<std::set<uint64_t>>& open,
                Request request, ResponseDone done);
  void End(uint64_t call, int64_t delay_ns, Result<Response> result);
  void Deliver(uint64_t call, const std::string& from, const std::shared_ptr<const Question>& question, int copy);
  void Answer(const std::shared_ptr<Arrival>& arrival, Response response);
  void Unanswered(Arrival& arrival);
  void Break(uint64_t call, const std::string& to, const char* why);
  bool Hears(const std::string& from, const std::string& to) const;
  int64_t Delay();

  World& world_;
  Rng rng_;
  NetworkOptions options_;
  NetworkObserver& observer_;
  std::map<uint64_t, std::unique_ptr<Call>> calls_;
  uint64_t last_call_ = 0;
  std::map<std::string, std::shared_ptr<Endpoint>> endpoints_;
  std::map<std::string, int> sides_;
  std::set<int> cut_;
};

}  // namespace cohort::sim
