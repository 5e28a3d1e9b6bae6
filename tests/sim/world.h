// World is virtual time: one list of what will happen, in order, on one thread. Nothing takes time but what is said to.
//
// Whatever happens has an owner (a member's incarnation, or nobody) and a cause: the request of a peer on whose behalf
// it happens, or none. What is planned meanwhile inherits the cause, which is how a forwarded request is recognised
// (P3).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/unique_function.h"
#include "sim/trace.h"

namespace cohort::sim {

inline constexpr int64_t kUs = 1'000;
inline constexpr int64_t kMs = 1'000'000;
inline constexpr int64_t kS = 1'000'000'000;

inline constexpr int kNoOwner = 0;
inline constexpr uint64_t kNoCause = 0;

class World {
 public:
  using EventId = uint64_t;

  // `replay` is what to tell whoever wants to see a failure again.
  explicit World(std::string replay) : replay_(std::move(replay)) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  int64_t now_ns() const { return now_ns_; }
  // Numbers all that happens: of two things at one moment, the later has the greater number.
  uint64_t Tick() { return ++ticks_; }
  Trace& trace() { return trace_; }
  void Note(int node, const char* what, int key = kNoKey, int64_t a = 0, int64_t b = 0) {
    trace_.Add({now_ns_, node, what, key, a, b});
  }

  // Plans `task` for `delay_ns` from now.
  EventId After(int64_t delay_ns, int owner, Task task) { return After(delay_ns, owner, cause_, std::move(task)); }
  EventId After(int64_t delay_ns, int owner, uint64_t cause, Task task);
  // False: it has happened, or happens now.
  bool Cancel(EventId id);
  // Takes out a planned task, so that it may run at once or never.
  Task Take(EventId id);

  // Lets the next thing happen if it is due by then. False: nothing is; the time is then that point.
  bool Step(int64_t until_ns);
  void RunUntil(int64_t until_ns) {
    while (Step(until_ns)) {
    }
  }
  // Lets everything that is planned happen, and what follows from it. It must come to an end.
  void RunOut() {
    while (!events_.empty()) RunUntil(events_.begin()->first.first);
  }
  // Lets things happen until `ready()`, or until that point of time (negative: for ever, which ends the program when it
  // gets too long). Returns what `ready()` says then. May be called from within something that happens.
  bool Await(int64_t until_ns, const std::function<bool()>& ready);

  // Called after each thing that has an owner.
  void set_after_event(std::function<void(int owner)> after) { after_event_ = std::move(after); }

  uint64_t cause() const { return cause_; }
  // Sets the cause while it stands: a new request of a peer, or none, as for code of the host.
  class CauseScope {
   public:
    CauseScope(World& world, uint64_t cause) : world_(world), before_(std::exchange(world.cause_, cause)) {}
    ~CauseScope() { world_.cause_ = before_; }
    CauseScope(const CauseScope&) = delete;
    CauseScope& operator=(const CauseScope&) = delete;

   private:
    World& world_;
    const uint64_t before_;
  };

  int64_t events() const { return events_run_; }

 private:
  struct Event {
    int owner;
    uint64_t cause;
    Task task;
  };

  [[noreturn]] void Stuck() const;

  const std::string replay_;
  int64_t now_ns_ = 0;
  uint64_t ticks_ = 0;
  uint64_t last_id_ = 0;
  uint64_t cause_ = kNoCause;
  int64_t events_run_ = 0;
  std::map<std::pair<int64_t, EventId>, Event> events_;
  std::unordered_map<EventId, int64_t> times_;
  std::function<void(int)> after_event_;
  Trace trace_;
};

}  // namespace cohort::sim
