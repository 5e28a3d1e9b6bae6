// Waiter is one get that waits for a flight: where its end goes (a queue, a callback, a blocked thread), until when it
// waits, and whether it could run the getter itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <type_traits>

#include "base/unique_function.h"
#include "cluster/deadlines.h"
#include "engine/event_queue.h"
#include "engine/outcome.h"
#include "runtime/runtime.h"
#include "runtime/turnstile.h"

namespace cohort {

class Load;
struct Flight;

inline constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

class Waiter : public Deadlines::Timed {
 public:
  explicit Waiter(bool can_lead) : Timed(kNoDeadline), can_lead_(can_lead) {}
  virtual ~Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Announces the wait before it begins, under the lock of its flight. False: it cannot wait (its queue is closed).
  virtual bool Enter(Group& /*group*/) { return true; }
  // Ends the wait; no lock held.
  virtual void End(std::unique_ptr<Waiter> self, Outcome outcome) = 0;
  // Ends the wait by handing over the getter's task. REQUIRES: can_lead().
  virtual void Lead(std::unique_ptr<Waiter> self, std::unique_ptr<Load> load);
  // Non-null: what ToNode makes, once, is to be delivered there, perhaps with many others.
  virtual EventQueue* TargetQueue() const { return nullptr; }
  virtual std::unique_ptr<EventNode> ToNode(std::unique_ptr<Waiter> self, Outcome&& outcome);

  bool can_lead() const { return can_lead_; }

  // The flight's own bookkeeping, under its shard's lock.
  Waiter* prev = nullptr;
  Waiter* next = nullptr;
  Flight* flight = nullptr;
  uint64_t ticket = 0;
  bool local = false;  // Its get never asks a peer.

 private:
  const bool can_lead_;
};

// How a get makes its waiter, should it have to wait. Refers to a callable, which outlives it.
class MakeWaiter {
 public:
  MakeWaiter(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  template <typename Make, typename = std::enable_if_t<!std::is_same_v<Make, MakeWaiter>>>
  MakeWaiter(const Make& make)  // NOLINT(google-explicit-constructor)
      : of_(&make),
        make_([](const void* of) -> std::unique_ptr<Waiter> { return (*static_cast<const Make*>(of))(); }) {}
  // REQUIRES: not null.
  std::unique_ptr<Waiter> operator()() const { return make_(of_); }

 private:
  const void* of_ = nullptr;
  std::unique_ptr<Waiter> (*make_)(const void* of) = nullptr;
};

// Ends in a queue, as the event that it is.
class QueueWaiter final : public Waiter, public EventNode {
 public:
  // announced: the queue has been entered for it, and so it lives until the event is there.
  QueueWaiter(const std::shared_ptr<EventQueue>& queue, uint64_t tag, bool can_lead, bool announced = false);
  ~QueueWaiter() override;
  static void* operator new(size_t size);
  static void operator delete(void* block);
  bool Enter(Group& group) override;
  void End(std::unique_ptr<Waiter> self, Outcome outcome) override;
  void Lead(std::unique_ptr<Waiter> self, std::unique_ptr<Load> load) override;
  EventQueue* TargetQueue() const override { return queue_; }
  std::unique_ptr<EventNode> ToNode(std::unique_ptr<Waiter> self, Outcome&& outcome) override;

 private:
  EventQueue* const queue_;
  const bool announced_;
};

// Ends in a call: at once on the thread that ends the flight, or through `executor` when that is given.
class CallbackWaiter final : public Waiter {
 public:
  using Done = UniqueFunction<void(const Outcome&)>;
  CallbackWaiter(Done done, Executor* executor) : Waiter(false), done_(std::move(done)), executor_(executor) {}
  void End(std::unique_ptr<Waiter> self, Outcome outcome) override;
  static void* operator new(size_t size);
  static void operator delete(void* block);

 private:
  Done done_;
  Executor* executor_;
};

// A thread that sleeps until its get ends or until it is to lead.
class Blocked {
 public:
  struct Woken {
    Outcome outcome;
    std::unique_ptr<Load> lead;  // Not null: run the getter with it, then Await again.
  };
  Blocked();
  ~Blocked();
  Woken Await();
  // In a burst, the thread wakes when that is over. REQUIRES: what was set before has been awaited.
  static void Set(const std::shared_ptr<Blocked>& blocked, Woken woken);

 private:
  friend class Deliveries;
  // Has this thread wake that one as soon as it wakes from that wait. False: it has woken.
  bool WakesNext(uint64_t wait, const std::shared_ptr<Blocked>& next);

  Turnstile turnstile_;
  Woken woken_;
  std::mutex mutex_;
  std::atomic<uint64_t> wait_{0};  // Counts them.
  bool awake_ = true;
  std::shared_ptr<Blocked> next_;
};

class BlockedWaiter final : public Waiter {
 public:
  BlockedWaiter(std::shared_ptr<Blocked> blocked, bool can_lead) : Waiter(can_lead), blocked_(std::move(blocked)) {}
  void End(std::unique_ptr<Waiter> self, Outcome outcome) override;
  void Lead(std::unique_ptr<Waiter> self, std::unique_ptr<Load> load) override;

 private:
  std::shared_ptr<Blocked> blocked_;
};

}  // namespace cohort
