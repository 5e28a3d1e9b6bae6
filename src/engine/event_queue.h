// EventQueue is where a host with a runtime of its own takes ends and tasks from. An event is the waiter's own node, so
// a push never fails and never allocates; limits apply when an operation begins.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "cache/value.h"
#include "engine/outcome.h"
#include "runtime/condition.h"
#include "runtime/waker.h"
#include "transport/transport.h"

namespace cohort {

class Group;
class Load;
class HostRequest;

enum class EventKind : int32_t {
  kGet = 1,
  kLead = 2,
  kLoad = 3,
  kDone = 4,
  kCancel = 5,
  kSend = 6,
  kResponse = 7,
  kLog = 8,
};

// One event, waiting or delivered. Owns what it carries: dropping it abandons a load and fails a request.
struct EventNode {
  EventNode(EventKind event_kind, uint64_t event_tag);
  virtual ~EventNode();
  EventNode(const EventNode&) = delete;
  EventNode& operator=(const EventNode&) = delete;

  EventKind kind;
  uint64_t tag;
  int32_t status = 0;  // A Code; for kLog the level.
  ValueRef value;      // kGet: value or message; kDone: message; kLog: the line.
  uint64_t error_tag = 0;
  Source source = Source::kNone;
  bool overtaken = false;  // kGet: a Remove or Set overtook the load; the value is kept nowhere.
  std::unique_ptr<Load> load;
  std::unique_ptr<HostRequest> request;
  std::unique_ptr<Response> response;

 private:
  friend class EventChain;
  EventNode* next_ = nullptr;
};

// Events in a row, first come first. Owns them.
class EventChain {
 public:
  EventChain() = default;
  EventChain(EventChain&& other) noexcept { Swap(other); }
  EventChain& operator=(EventChain&& other) noexcept {
    Swap(other);
    return *this;
  }
  ~EventChain();
  void Push(std::unique_ptr<EventNode> node);
  void Append(EventChain more);
  // Null: there is none any more.
  std::unique_ptr<EventNode> Pop();
  size_t size() const { return size_; }
  bool empty() const { return head_ == nullptr; }

 private:
  void Swap(EventChain& other) noexcept;

  EventNode* head_ = nullptr;
  EventNode* tail_ = nullptr;
  size_t size_ = 0;
};

// Lives as long as something is announced, whoever else has let go of it.
class EventQueue : public std::enable_shared_from_this<EventQueue> {
 public:
  static Result<std::shared_ptr<EventQueue>> New();
  ~EventQueue();

  // Announces `operations` whose events will come. False: closed, and none may come.
  bool Enter(int64_t operations = 1);
  // Takes announcements back.
  void Leave(int64_t operations);
  // Enter for gets of that group: those that still wait when the queue is closed end then.
  bool EnterGets(Group& group, int64_t gets = 1);
  bool closed() const { return closed_.load(); }
  // Delivers what was announced. Works on a closed queue too. Chains go in one step.
  void Deliver(std::unique_ptr<EventNode> node);
  // REQUIRES: all were announced to this queue.
  void DeliverAll(EventChain nodes);
  // Delivers what nobody waits for (a load, a request, a line of log). False: closed; the node is dropped.
  bool Offer(std::unique_ptr<EventNode> node);
  // Lines of log that have not been taken.
  size_t untaken_logs();

  // Takes up to `max` events, oldest first. timeout_ms: 0 does not wait, < 0 waits as long as it takes.
  EventChain TakeChain(size_t max, int64_t timeout_ms);
  // The same, to look at them out of order.
  std::vector<std::unique_ptr<EventNode>> Take(size_t max, int64_t timeout_ms);
  void Wake();
  // See cohort_queue_close.
  void Close();
  // Closes it, and drops what is in it and what comes later: nobody will take it.
  void Discard();
  bool drained();
  // Readable while there are events.
  Result<int> fd();

 private:
  EventQueue();
  // Who waits for the queue and does not know yet that something has come.
  struct Waiting {
    bool thread;
    bool poller;
  };
  Waiting Unaware();
  void Tell(Waiting waiting);
  void Remember(Group& group);
  void Announce(int64_t operations);
  // What it returns keeps this alive, and is to go without the lock.
  [[nodiscard]] std::shared_ptr<EventQueue> TakeBack(int64_t operations);

  std::mutex mutex_;
  Condition ready_;
  EventChain events_;
  size_t logs_ = 0;
  int64_t announced_ = 0;             // Operations whose event has not been delivered.
  std::shared_ptr<EventQueue> self_;  // While there are any.
  // Those of which gets may wait.
  struct Waited {
    const Group* group;
    std::weak_ptr<Group> alive;
  };
  std::vector<Waited> groups_;
  int sleepers_ = 0;
  bool woken_ = false;
  std::atomic<bool> closed_{false};  // Changed under the lock.
  bool discards_ = false;
  bool fd_used_ = false;
  bool poller_told_ = false;  // waker_ was signalled, or is about to be, since it was cleared.
  std::unique_ptr<Waker> waker_;
};

}  // namespace cohort
