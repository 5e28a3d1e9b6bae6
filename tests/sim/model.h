// Model is told everything that the host, the getters and the network see, and says which promise was broken. It knows
// nothing of the engine's inside; the README says what exactly it checks, and why that is what the promise means.
//
// Every value tells where it comes from, its origin: the getter's run that loaded it, or the Set that brought it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cache/local_cache.h"
#include "engine/load.h"
#include "engine/outcome.h"
#include "sim/promise.h"
#include "sim/sim_network.h"
#include "sim/world.h"

namespace cohort::sim {

struct ModelOptions {
  // No faults, a stable ring, room for everything, long times, getters that succeed: then one load per key and
  // generation in the whole cluster, and every change is acknowledged.
  bool calm = false;
  bool stable_ring = false;
  int64_t load_timeout_ns = 0;
  int64_t late_ns = 10 * kMs;  // How late timers and tasks may be together.
  int64_t travel_ns = 0;       // The longest way of a message.
};

struct Violation {
  Promise promise;
  std::string text;
};

enum class RunEnd { kCompleted, kFailed, kNotFound, kAbandoned, kGaveUp };
enum class ChangeKind { kSet, kRemove, kRemoveKeys };

class Model final : public NetworkObserver {
 public:
  using Id = uint64_t;  // Of a get, a run or a change; 0 is none.

  Model(World& world, ModelOptions options, std::vector<std::string> keys);

  // ---- members: each start of a node is a member of its own
  int AddMember(int node, bool has_getter, int64_t poll_ns);
  // Its gets may end with kClosed from here on.
  void CloseMember(int member) { members_[static_cast<size_t>(member)].closing = true; }
  void CloseQueue(int member) { members_[static_cast<size_t>(member)].queue_was_closed = true; }
  int NodeOf(int member) const { return members_[static_cast<size_t>(member)].node; }

  // ---- gets
  Id BeginGet(int member, int key, bool by_queue, int64_t timeout_ms);
  void CancelGet(Id get);
  void EndGet(Id get, const Outcome& outcome, int64_t unix_now_ns);
  // It came to lead: that is its end, and a run begins.
  void LeadGet(Id get);
  void MissGet(Id get);  // A peek.
  // Gets that wait, the oldest first.
  std::vector<Id> Waiting(int member) const;

  // ---- the getters' runs. The model looks at the load until the run has ended.
  Id BeginRun(int member, int key, const Load* load, bool owned);
  void SetExpiry(Id run, int64_t world_ns) { expiries_[run] = world_ns; }
  void EndRun(Id run, RunEnd end);

  // ---- changes
  Id BeginChange(int member, ChangeKind kind, std::vector<int> keys, int64_t timeout_ms);
  void EndChange(Id change, const Status& status);

  // ---- what is left
  void CheckShutdown(int member, int64_t took_ns, int64_t drain_ms);
  void CheckBudget(int member, const TierStats& main, const TierStats& hot);
  bool quiet() const { return gets_.empty() && changes_open_ == 0 && runs_open_ == 0; }
  // REQUIRES: everything has had the time to end.
  void CheckQuiet();
  void Broken(Promise promise, int member, int key, const std::string& what);

  // "<#17>": the text by which an origin is found in bytes, and a run in a message.
  static std::string Mark(Id id) { return "<#" + std::to_string(id) + ">"; }
  static Id ReadMark(std::string_view text);

  const std::vector<Violation>& violations() const { return violations_; }
  int64_t gets() const { return gets_ended_; }
  int64_t hits() const { return hits_; }
  int64_t runs() const { return static_cast<int64_t>(runs_.size()); }
  int64_t changes() const { return static_cast<int64_t>(changes_.size()); }

  // ---- NetworkObserver
  uint64_t OnSend(const Question& question) override;
  uint64_t OnArrival(int receiver, const Question& question, int copy) override;
  void OnAnswered(int receiver, const Question& question, uint64_t arrived, const Response& response) override;
  void OnAnswer(const Question& question, const Response& response) override;
  void OnBadAnswer(int receiver, const Question& question, const char* what) override;

 private:
  struct Member {
    int node = 0;
    bool has_getter = false;
    int64_t poll_ns = 0;  // How late its host takes events.
    bool closing = false;
    bool queue_was_closed = false;
  };
  struct Get {
    int member = 0;
    int key = 0;
    bool by_queue = false;
    uint64_t begun = 0;
    int64_t begun_ns = 0;
    int64_t deadline_ns = 0;  // 0: none.
    bool cancelled = false;
  };
  struct Run {
    int member = 0;
    int key = 0;
    uint64_t begun = 0;
    int64_t begun_ns = 0;
    int64_t flight_ns = 0;       // When its flight began, at the earliest.
    const Load* load = nullptr;  // While it is open.
    RunEnd end = RunEnd::kCompleted;
    uint64_t ended = 0;
    int64_t ended_ns = 0;
  };
  struct Change {
    int member = 0;
    ChangeKind kind = ChangeKind::kRemove;
    std::vector<int> keys;
    uint64_t begun = 0;
    int64_t begun_ns = 0;
    int64_t timeout_ns = 0;
    uint64_t ended = 0;
    int64_t ended_ns = 0;
    bool ok = false;
    bool came_twice = false;  // The network brought one of its requests a second time, perhaps much later.
  };
  // A member forgot a key at some point between these two numbers.
  struct Drop {
    uint64_t from = 0;
    uint64_t until = 0;
    int64_t until_ns = 0;
  };
  // What is known of one key at one member.
  struct Seen {
    std::vector<Drop> drops;
    std::map<Id, uint64_t> acquired;  // Origin -> when the newest load, question or Set began that brought it.
    std::vector<Id> runs;
    std::vector<int64_t> flights_ns;  // When gets began, each of which may have begun a flight.
  };

  Seen& SeenAt(int member, int key) { return seen_[{member, key}]; }
  int KeyOf(const std::string& key) const;
  void Acquire(int member, int key, Id origin, uint64_t begun);
  // A get of `member` that began at `begun` was given the value of `origin`.
  void CheckValue(int member, int key, Id origin, uint64_t begun, const char* how);
  void CheckEnd(const Get& get, const Outcome& outcome);
  void CheckFailure(const Get& get, const Outcome& outcome);
  void CheckLate(const Get& get);
  bool MayHaveDropped(int member, int key, int64_t since_ns) const;

  World& world_;
  const ModelOptions options_;
  const std::vector<std::string> keys_;
  std::map<std::string, int> key_numbers_;
  std::vector<Member> members_;
  Id last_id_ = 0;
  std::map<Id, Get> gets_;  // Those that wait.
  std::set<Id> ended_gets_;
  std::map<Id, Run> runs_;
  std::map<Id, Change> changes_;
  std::vector<std::vector<Id>> changes_of_key_;
  std::vector<Id> last_run_of_key_;
  std::map<Id, int64_t> expiries_;
  std::map<std::pair<int, int>, Seen> seen_;
  // Gets that were answered with tickets: at the member that gave them, since they arrived there, and at the one that
  // asked, since it sent them. What was collected before its ticket was known.
  struct Owed {
    int key = 0;
    uint64_t since = 0;
  };
  std::map<std::pair<int, uint64_t>, Owed> owed_;
  std::map<std::pair<int, uint64_t>, Owed> awaited_;
  std::map<std::pair<int, uint64_t>, Id> early_;
  int64_t gets_ended_ = 0;
  int64_t hits_ = 0;
  int64_t changes_open_ = 0;
  int64_t runs_open_ = 0;
  std::vector<Violation> violations_;
};

}  // namespace cohort::sim
