// Member is one node's program: it starts an instance and its group, gets, sets and removes as the schedule says, runs
// getters that take their time, and tells the model all that it does and is told. It may crash and start again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/instance.h"
#include "sim/model.h"
#include "sim/rng.h"
#include "sim/sim_network.h"
#include "sim/sim_runtime.h"
#include "sim/world.h"

namespace cohort::sim {

enum class GetterKind { kNone, kCallback, kQueue };

// Chances are out of 1000, each for one run of a getter.
struct MemberOptions {
  GetterKind getter = GetterKind::kCallback;
  RingOptions ring;
  int64_t cache_bytes = int64_t{1} << 20;
  int64_t load_timeout_ms = 60'000;
  int64_t latest_load_ns = 300 * kMs;
  int64_t poll_ns = 0;  // The host takes its events this late at most; 0: at once.
  int64_t unix_ahead_ns = 0;
  int64_t longest_life_ms = 0;  // Of values; 0: they never expire.
  int most_bytes = 64;
  int fail = 0;
  int find_nothing = 0;
  int abandon = 0;
  int late = 0;   // Answers only when the load's longest time has passed.
  int watch = 0;  // Gives up when nobody waits any more.
  int leave = 0;  // The caller who leads goes away.
};

// What all members of a schedule count together: at its end nothing may be left.
struct Census {
  int64_t callbacks_made = 0;
  int64_t callbacks_gone = 0;
  int64_t values_made = 0;
  int64_t values_gone = 0;
};

struct Surroundings {
  World& world;
  SimNetwork& network;
  Model& model;
  Census& census;
  const std::vector<std::string>& keys;
};

class Member {
 public:
  Member(const Surroundings& around, MemberOptions options, Rng rng, int node, std::string address);
  ~Member();

  const std::string& address() const { return address_; }
  int node() const { return node_; }
  int incarnation() const { return incarnation_; }
  bool live() const { return live_; }

  void Start(const std::vector<std::string>& peers);
  // Gone at once: nobody hears of it any more. It may wait for what ends with it, in virtual time.
  void Crash();
  void Stop(int64_t drain_ms);
  void SetPeers(const std::vector<std::string>& peers);

  // `local`: never asks a peer.
  void Get(int key, bool by_queue, bool can_lead, bool local, int64_t timeout_ms);
  // Begins all of them as one, from the queue.
  void GetMany(const std::vector<int>& keys, int64_t timeout_ms);
  void Peek(int key);
  // One of the gets that wait, if any.
  void CancelOne();
  void Change(ChangeKind kind, std::vector<int> keys, int64_t timeout_ms);
  void CloseQueue();

  // Takes the events that have come, now or as late as this host does.
  void Poll();
  void CheckBudget();
  // What the engine itself says is under way.
  void CheckIdle();

 private:
  class Token;
  struct OpenRun {
    std::unique_ptr<Load> load;
    int key = kNoKey;
    bool gives_up = false;
    RunEnd end = RunEnd::kCompleted;
  };

  int KeyOf(std::string_view key) const;
  ValueRef NewValue(int key, Model::Id origin);
  void Begin(int key, int flags, bool by_queue, int64_t timeout_ms, Asks* asks = nullptr);
  void StartRun(std::unique_ptr<Load> load, bool led);
  void FinishRun(Model::Id run);
  void GiveUp(Model::Id run);
  void TakeEvents();
  void End(Model::Id get, const Outcome& outcome, const SimRuntime& runtime);
  void ShutDown(int64_t drain_ms);
  void PollWhileLeaving();
  void Leave();

  const Surroundings around_;
  const MemberOptions options_;
  Rng rng_;
  const int node_;
  const std::string address_;

  int incarnation_ = 0;
  bool live_ = false;
  bool polling_ = false;
  bool leaving_ = false;
  std::shared_ptr<SimRuntime> runtime_;
  std::shared_ptr<Instance> instance_;
  std::shared_ptr<Group> group_;
  std::shared_ptr<EventQueue> queue_;
  std::map<Model::Id, uint64_t> tickets_;
  std::map<Model::Id, OpenRun> runs_;
};

}  // namespace cohort::sim
