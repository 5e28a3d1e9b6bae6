// Changing: set, remove and remove_keys, each in forms that differ only in where the end goes.
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "capi/callback.h"
#include "capi/check.h"
#include "capi/fence.h"
#include "capi/handles.h"
#include "capi/keys.h"
#include "runtime/condition.h"

using cohort::Code;
using cohort::EventKind;
using cohort::EventNode;
using cohort::EventQueue;
using cohort::Group;
using cohort::Status;
using cohort::Value;
using cohort::ValueRef;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace cohort::capi {
namespace {

// Where a blocked caller waits for the end of its change.
class Ending {
 public:
  void Set(Status status) {
    std::lock_guard lock(mutex_);
    if (set_) return;
    status_ = std::move(status);
    set_ = true;
    ready_.NotifyOne();
  }
  Status Await() {
    std::unique_lock lock(mutex_);
    ready_.WaitUntil(lock, -1, [this] { return set_; });
    return std::move(status_);
  }

 private:
  std::mutex mutex_;
  Condition ready_;
  bool set_ = false;
  Status status_;
};

// The end of a change whose caller is blocked; dropped, it wakes it all the same.
class WakeCaller {
 public:
  explicit WakeCaller(std::shared_ptr<Ending> ending) : ending_(std::move(ending)) {}
  WakeCaller(WakeCaller&&) noexcept = default;
  WakeCaller& operator=(WakeCaller&&) = delete;
  ~WakeCaller() {
    if (ending_ != nullptr) ending_->Set({Code::kClosed, "the instance is closed"});
  }
  void operator()(const Status& status) { ending_->Set(status); }

 private:
  std::shared_ptr<Ending> ending_;
};

// A change: given the end to call, it begins.
using Change = UniqueFunction<void(Group& group, Group::ChangeDone done)>;

Status AndWait(const cohort_group_t* group, Change change) {
  const auto ending = std::make_shared<Ending>();
  change(*group->group, WakeCaller(ending));
  return ending->Await();
}

Status ToQueue(const cohort_group_t* group, cohort_queue_t* queue, uint64_t tag, Change change) {
  auto node = std::make_unique<EventNode>(EventKind::kDone, tag);
  if (!queue->queue->Enter()) return {Code::kClosed, "the queue is closed"};
  const std::shared_ptr<Group> own = group->group;
  change(*own, Announced(queue->queue, std::move(node)));
  return {};
}

// The end of a change that may come before its beginning has returned: then whoever began it is told, and not the
// queue.
//
//   1. the change ends, and says so       1. beginning it returns, and says that nobody waits here
//   2. beginning it returns and sees it   2. the change ends, sees it, and delivers its event
class EarlyEnd {
 public:
  // REQUIRES: the queue has been entered.
  void Expect(const std::shared_ptr<EventQueue>& queue, std::unique_ptr<EventNode> node) {
    event_.emplace(queue, std::move(node));
  }
  void End(const Status& status) {
    status_ = status;
    if (state_.exchange(State::kEnded, std::memory_order_acq_rel) == State::kReturned) (*event_)(status);
  }
  // Once, by whoever began. True: it has ended, with that status.
  bool Returned(Status* status) {
    if (state_.exchange(State::kReturned, std::memory_order_acq_rel) == State::kOpen) return false;
    event_->Dismiss();
    *status = std::move(status_);
    return true;
  }

 private:
  enum class State { kOpen, kEnded, kReturned };
  std::atomic<State> state_ = State::kOpen;
  Status status_;
  std::optional<Announced> event_;
};

// Ends an EarlyEnd; dropped, it ends it all the same.
class EndEarly {
 public:
  explicit EndEarly(std::shared_ptr<EarlyEnd> end) : end_(std::move(end)) {}
  EndEarly(EndEarly&&) noexcept = default;
  EndEarly& operator=(EndEarly&&) = delete;
  ~EndEarly() {
    if (end_ != nullptr) end_->End({Code::kClosed, "the instance is closed"});
  }
  void operator()(const Status& status) { std::exchange(end_, nullptr)->End(status); }

 private:
  std::shared_ptr<EarlyEnd> end_;
};

// As ToQueue, unless it ends at once. `begun` is COHORT_BEGIN_DONE or COHORT_BEGIN_PENDING.
Status AtOnceOrToQueue(const cohort_group_t* group, cohort_queue_t* queue, uint64_t tag, Change change,
                       int32_t* begun) {
  const auto end = std::make_shared<EarlyEnd>();
  auto node = std::make_unique<EventNode>(EventKind::kDone, tag);
  if (!queue->queue->Enter()) return {Code::kClosed, "the queue is closed"};
  end->Expect(queue->queue, std::move(node));
  const std::shared_ptr<Group> own = group->group;
  Status failure;
  try {
    change(*own, EndEarly(end));
  } catch (...) {
    failure = Caught();
  }
  Status status;
  *begun = end->Returned(&status) ? COHORT_BEGIN_DONE : COHORT_BEGIN_PENDING;
  return *begun == COHORT_BEGIN_DONE && !failure.ok() ? failure : status;
}

Status ToCall(const cohort_group_t* group, cohort_done_fn done, void* user, Change change) {
  const std::shared_ptr<Group> own = group->group;  // The callback may free the handle.
  change(*own, DoneCall(done, user, group->instance_id));
  return {};
}

void CheckOpen(Check* check, const cohort_group_t* group) {
  check->Handle(group, "group");
  if (check->ok() && group->group->refusing()) {
    check->Also({Code::kClosed, "group '" + group->group->name() + "' is closed"});
  }
}

Check CheckSet(const cohort_group_t* group, const char* key, size_t key_size, const void* value, size_t value_size) {
  Check check;
  CheckOpen(&check, group);
  check.Key(key, key_size).That(key_size != 0, "key is empty").Bytes(value, value_size, kMaxValueBytes, "value");
  return check;
}

Check CheckRemove(const cohort_group_t* group, const char* key, size_t key_size) {
  Check check;
  CheckOpen(&check, group);
  check.Key(key, key_size);
  return check;
}

Check CheckRemoveKeys(const cohort_group_t* group, const char* keys, size_t keys_size, const int64_t* key_sizes,
                      size_t count) {
  Check check;
  CheckOpen(&check, group);
  if (check.ok()) check.Also(CheckKeys(keys, keys_size, key_sizes, count));
  return check;
}

ValueRef Held(const char* key, size_t key_size, const void* value, size_t value_size, int64_t expire_unix_ns) {
  return Value::Copy({key, key_size}, {static_cast<const char*>(value), value_size}, expire_unix_ns);
}

Change Set(ValueRef held, int64_t timeout_ms) {
  return [held = std::move(held), timeout_ms](Group& group, Group::ChangeDone done) {
    group.Set(held->key(), held, ClampTimeout(timeout_ms), std::move(done));
  };
}

Change Remove(std::string_view key, int64_t timeout_ms) {
  return [key, timeout_ms](Group& group, Group::ChangeDone done) {
    group.Remove(key, ClampTimeout(timeout_ms), std::move(done));
  };
}

Change RemoveKeys(const char* keys, const int64_t* key_sizes, size_t count, int64_t timeout_ms) {
  std::vector<std::string> split;
  split.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    split.emplace_back(keys, static_cast<size_t>(key_sizes[i]));
    keys += key_sizes[i];
  }
  return [split = std::move(split), timeout_ms](Group& group, Group::ChangeDone done) mutable {
    group.RemoveKeys(std::move(split), ClampTimeout(timeout_ms), std::move(done));
  };
}

}  // namespace
}  // namespace cohort::capi

extern "C" {

int32_t cohort_group_begin_set(cohort_group_t* group, const char* key, size_t key_size, const void* value,
                               size_t value_size, int64_t expire_unix_ns, int64_t timeout_ms, cohort_queue_t* queue,
                               uint64_t tag, cohort_error_t* error) {
  int32_t begun = 0;
  const cohort_status_t status = Fence(error, [&] {
    Check check = CheckSet(group, key, key_size, value, value_size);
    if (!check.Handle(queue, "queue").ok()) return check.status();
    ValueRef held = Held(key, key_size, value, value_size, expire_unix_ns);
    if (!queue->queue->closed() && group->group->SetAlone({key, key_size}, &held)) {
      begun = COHORT_BEGIN_DONE;
      return Status();
    }
    return AtOnceOrToQueue(group, queue, tag, Set(std::move(held), timeout_ms), &begun);
  });
  return status == COHORT_OK ? begun : -status;
}

int32_t cohort_group_begin_remove(cohort_group_t* group, const char* key, size_t key_size, int64_t timeout_ms,
                                  cohort_queue_t* queue, uint64_t tag, cohort_error_t* error) {
  int32_t begun = 0;
  const cohort_status_t status = Fence(error, [&] {
    Check check = CheckRemove(group, key, key_size);
    if (!check.Handle(queue, "queue").ok()) return check.status();
    if (!queue->queue->closed() && group->group->RemoveAlone({key, key_size})) {
      begun = COHORT_BEGIN_DONE;
      return Status();
    }
    return AtOnceOrToQueue(group, queue, tag, Remove({key, key_size}, timeout_ms), &begun);
  });
  return status == COHORT_OK ? begun : -status;
}

cohort_status_t cohort_group_set(cohort_group_t* group, const char* key, size_t key_size, const void* value,
                                 size_t value_size, int64_t expire_unix_ns, int64_t timeout_ms, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckSet(group, key, key_size, value, value_size);
    if (!check.ok()) return check.status();
    ValueRef held = Held(key, key_size, value, value_size, expire_unix_ns);
    if (group->group->SetAlone({key, key_size}, &held)) return Status();
    return AndWait(group, Set(std::move(held), timeout_ms));
  });
}

cohort_status_t cohort_group_set_queue(cohort_group_t* group, const char* key, size_t key_size, const void* value,
                                       size_t value_size, int64_t expire_unix_ns, int64_t timeout_ms,
                                       cohort_queue_t* queue, uint64_t tag, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckSet(group, key, key_size, value, value_size);
    if (!check.Handle(queue, "queue").ok()) return check.status();
    return ToQueue(group, queue, tag, Set(Held(key, key_size, value, value_size, expire_unix_ns), timeout_ms));
  });
}

cohort_status_t cohort_group_set_async(cohort_group_t* group, const char* key, size_t key_size, const void* value,
                                       size_t value_size, int64_t expire_unix_ns, int64_t timeout_ms,
                                       cohort_done_fn done, void* user, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckSet(group, key, key_size, value, value_size);
    if (!check.NotNull(done, "done").ok()) return check.status();
    return ToCall(group, done, user, Set(Held(key, key_size, value, value_size, expire_unix_ns), timeout_ms));
  });
}

cohort_status_t cohort_group_remove(cohort_group_t* group, const char* key, size_t key_size, int64_t timeout_ms,
                                    cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckRemove(group, key, key_size);
    if (!check.ok()) return check.status();
    if (group->group->RemoveAlone({key, key_size})) return Status();
    return AndWait(group, Remove({key, key_size}, timeout_ms));
  });
}

cohort_status_t cohort_group_remove_queue(cohort_group_t* group, const char* key, size_t key_size, int64_t timeout_ms,
                                          cohort_queue_t* queue, uint64_t tag, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckRemove(group, key, key_size);
    if (!check.Handle(queue, "queue").ok()) return check.status();
    return ToQueue(group, queue, tag, Remove({key, key_size}, timeout_ms));
  });
}

cohort_status_t cohort_group_remove_async(cohort_group_t* group, const char* key, size_t key_size, int64_t timeout_ms,
                                          cohort_done_fn done, void* user, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckRemove(group, key, key_size);
    if (!check.NotNull(done, "done").ok()) return check.status();
    return ToCall(group, done, user, Remove({key, key_size}, timeout_ms));
  });
}

cohort_status_t cohort_group_remove_keys(cohort_group_t* group, const char* keys, size_t keys_size,
                                         const int64_t* key_sizes, size_t count, int64_t timeout_ms,
                                         cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckRemoveKeys(group, keys, keys_size, key_sizes, count);
    if (!check.ok()) return check.status();
    return AndWait(group, RemoveKeys(keys, key_sizes, count, timeout_ms));
  });
}

cohort_status_t cohort_group_remove_keys_queue(cohort_group_t* group, const char* keys, size_t keys_size,
                                               const int64_t* key_sizes, size_t count, int64_t timeout_ms,
                                               cohort_queue_t* queue, uint64_t tag, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckRemoveKeys(group, keys, keys_size, key_sizes, count);
    if (!check.Handle(queue, "queue").ok()) return check.status();
    return ToQueue(group, queue, tag, RemoveKeys(keys, key_sizes, count, timeout_ms));
  });
}

cohort_status_t cohort_group_remove_keys_async(cohort_group_t* group, const char* keys, size_t keys_size,
                                               const int64_t* key_sizes, size_t count, int64_t timeout_ms,
                                               cohort_done_fn done, void* user, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckRemoveKeys(group, keys, keys_size, key_sizes, count);
    if (!check.NotNull(done, "done").ok()) return check.status();
    return ToCall(group, done, user, RemoveKeys(keys, key_sizes, count, timeout_ms));
  });
}

cohort_status_t cohort_group_local_set(cohort_group_t* group, const char* key, size_t key_size, const void* value,
                                       size_t value_size, int64_t expire_unix_ns, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckSet(group, key, key_size, value, value_size);
    if (!check.ok()) return check.status();
    group->group->ServeSet({key, key_size}, {static_cast<const char*>(value), value_size}, expire_unix_ns, false);
    return Status();
  });
}

cohort_status_t cohort_group_local_remove(cohort_group_t* group, const char* key, size_t key_size,
                                          cohort_error_t* error) {
  return Fence(error, [&] {
    Check check = CheckRemove(group, key, key_size);
    if (!check.ok()) return check.status();
    group->group->ServeRemove({key, key_size});
    return Status();
  });
}

}  // extern "C"
