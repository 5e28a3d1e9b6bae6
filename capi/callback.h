// What the C ABI keeps of the host: its user pointers, each destroyed once, and the mark on threads that are inside one
// of its callbacks.
#pragma once

#include <cohort/cohort.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "engine/event_queue.h"
#include "engine/outcome.h"

namespace cohort::capi {

// A user pointer with its destroy function, which runs when the last holder goes.
class User {
 public:
  User(cohort_destroy_fn destroy, void* user) : destroy_(destroy), user_(user) {}
  ~User() {
    if (destroy_ != nullptr) destroy_(user_);
  }
  User(const User&) = delete;
  User& operator=(const User&) = delete;
  void* get() const { return user_; }

 private:
  const cohort_destroy_fn destroy_;
  void* const user_;
};

// Takes over `user` whatever happens: it is destroyed here when memory is exhausted.
std::shared_ptr<User> TakeUser(cohort_destroy_fn destroy, void* user);

// Lives while a callback of one instance runs on this thread. That is how closing an instance from one of its own
// callbacks is noticed: it would wait for itself.
class CallbackScope {
 public:
  explicit CallbackScope(uint64_t instance_id);
  ~CallbackScope();
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;
  static bool Inside(uint64_t instance_id);

 private:
  const uint64_t instance_id_;
  const CallbackScope* const below_;
};

// The three ends below are called once. One that is dropped instead, because the engine stopped on the way, calls
// itself with COHORT_CLOSED.

// The end of a get, as a call.
class GetCall {
 public:
  GetCall(cohort_get_fn done, void* user, uint64_t instance_id) : done_(done), user_(user), instance_id_(instance_id) {}
  GetCall(GetCall&& other) noexcept
      : done_(std::exchange(other.done_, nullptr)), user_(other.user_), instance_id_(other.instance_id_) {}
  GetCall& operator=(GetCall&&) = delete;
  ~GetCall();
  void operator()(const Outcome& outcome);
  // It will not be called.
  void Dismiss() { done_ = nullptr; }

 private:
  cohort_get_fn done_;
  void* const user_;
  const uint64_t instance_id_;
};

// The end of a change, as a call.
class DoneCall {
 public:
  DoneCall(cohort_done_fn done, void* user, uint64_t instance_id)
      : done_(done), user_(user), instance_id_(instance_id) {}
  DoneCall(DoneCall&& other) noexcept
      : done_(std::exchange(other.done_, nullptr)), user_(other.user_), instance_id_(other.instance_id_) {}
  DoneCall& operator=(DoneCall&&) = delete;
  ~DoneCall();
  void operator()(const Status& status);

 private:
  cohort_done_fn done_;
  void* const user_;
  const uint64_t instance_id_;
};

// The answer to a request that the engine dropped. 500: the asker loads for itself; 503 would be a getter's last word.
Response ClosedResponse();

// The end of a change or of a request, as an event that was announced to its queue.
class Announced {
 public:
  // REQUIRES: queue->Enter() was true.
  Announced(std::shared_ptr<EventQueue> queue, std::unique_ptr<EventNode> node)
      : queue_(std::move(queue)), node_(std::move(node)) {}
  Announced(Announced&&) noexcept = default;
  Announced& operator=(Announced&&) = delete;
  ~Announced();
  void operator()(const Status& status);
  void operator()(Response response);
  // It will not come: whoever it is for knows already.
  void Dismiss();

 private:
  std::shared_ptr<EventQueue> queue_;
  std::unique_ptr<EventNode> node_;
};

}  // namespace cohort::capi
