// ServedSession is what this node owes one asker: the answers of gets that were not ready when their batch was
// answered. Each has a ticket; the asker collects them by a request that waits, as soon as the first is ready.
//
// An answer stays until the asker says that it has come, so a lost response loses nothing:
//   1. a load ends: its ticket is ready     2. the waiting request is answered with it, and the response is lost
//   3. the asker collects again, and has not named the ticket: it is answered once more
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/unique_function.h"
#include "cluster/served_answer.h"
#include "cluster/service.h"
#include "runtime/condition.h"
#include "runtime/runtime.h"
#include "wire/messages.h"

namespace cohort {

// How many answers are ready that no response has carried yet, in all sessions of a node.
class Uncollected {
 public:
  void Add(int64_t more);
  // False: there were some left at that point of the monotonic clock.
  bool AwaitNone(Runtime& runtime, int64_t deadline_ns);

 private:
  std::mutex mutex_;
  Condition none_;
  int64_t count_ = 0;
};

class ServedSession : public std::enable_shared_from_this<ServedSession> {
 public:
  using Done = UniqueFunction<void(Body body)>;

  ServedSession(Runtime& runtime, std::shared_ptr<Uncollected> uncollected);

  // Random, never 0: two sessions of one asker, before and after this node has forgotten it, are told apart by it.
  uint64_t incarnation() const { return incarnation_; }

  // The number of a ticket for that wait of the group; 0: there are too many.
  uint64_t Issue(std::shared_ptr<ServedGroup> group, uint64_t wait);
  void Ready(uint64_t number, ServedGroup::Answer answer);
  // The asker has received some and waits for others no more.
  void Note(const wire::Session& note);
  // Answers what is ready; if nothing is, as soon as something gets ready, or with nothing after wait_ms. A later call
  // takes the place of an earlier one. wait_ms <= 0: with nothing, at once.
  void Collect(int64_t wait_ms, Done done);

  // Nobody has asked for that long, and nobody waits here.
  bool IsIdle(int64_t idle_ns);
  // Ends all waits; nobody will collect.
  void Abandon();

 private:
  struct Ticket {
    std::shared_ptr<ServedGroup> group;
    uint64_t wait = 0;
    bool ready = false;
    bool sent = false;  // Once, at least.
    ServedGroup::Answer answer;
  };
  struct Reply {
    Done done;
    std::vector<ServedAnswer> answers;
  };

  // All that is ready and fits one body, for whoever waits. REQUIRES: mutex_ held.
  Reply TakeReply();
  void Send(Reply reply);
  void OnLate(uint64_t poll);

  Runtime& runtime_;
  const std::shared_ptr<Uncollected> uncollected_;
  const uint64_t incarnation_;

  std::mutex mutex_;
  uint64_t last_ticket_;  // They begin anywhere, so that no incarnation's are another's.
  std::unordered_map<uint64_t, Ticket> tickets_;
  std::deque<uint64_t> ready_;  // In the order in which they became so; those that were let go of are still in it.
  int64_t ready_bytes_ = 0;
  Done waiting_;
  uint64_t polls_ = 0;  // The number of the one that waits, or waited last.
  TimerId timer_ = 0;
  int64_t heard_ns_;  // Monotonic: of the asker's last word.
};

// The sessions of a node's askers.
class ServedSessions {
 public:
  explicit ServedSessions(Runtime& runtime) : runtime_(runtime) {}

  // A new one if the asker has none; null: there are too many.
  std::shared_ptr<ServedSession> Open(uint64_t id);
  // Null: there is none.
  std::shared_ptr<ServedSession> Find(uint64_t id);
  // Forgets those whose askers are silent.
  void Sweep();
  // What is ready has been sent to its askers; false: not all of it by then.
  bool AwaitCollected(int64_t deadline_ns) { return uncollected_->AwaitNone(runtime_, deadline_ns); }

 private:
  Runtime& runtime_;
  const std::shared_ptr<Uncollected> uncollected_ = std::make_shared<Uncollected>();
  std::mutex mutex_;
  std::unordered_map<uint64_t, std::shared_ptr<ServedSession>> sessions_;
};

}  // namespace cohort
