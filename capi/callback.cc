#include "capi/callback.h"

#include "capi/handles.h"

namespace cohort::capi {
namespace {

thread_local const CallbackScope* innermost = nullptr;

constexpr char kClosedMessage[] = "the instance is closed";
constexpr size_t kClosedMessageSize = sizeof kClosedMessage - 1;

}  // namespace

std::shared_ptr<User> TakeUser(cohort_destroy_fn destroy, void* user) {
  try {
    return std::make_shared<User>(destroy, user);
  } catch (...) {
    if (destroy != nullptr) destroy(user);
    throw;
  }
}

CallbackScope::CallbackScope(uint64_t instance_id) : instance_id_(instance_id), below_(innermost) { innermost = this; }
CallbackScope::~CallbackScope() { innermost = below_; }

bool CallbackScope::Inside(uint64_t instance_id) {
  for (const CallbackScope* scope = innermost; scope != nullptr; scope = scope->below_) {
    if (scope->instance_id_ == instance_id) return true;
  }
  return false;
}

GetCall::~GetCall() {
  if (done_ == nullptr) return;
  const CallbackScope scope(instance_id_);
  done_(user_, COHORT_CLOSED, nullptr, kClosedMessage, kClosedMessageSize);
}

void GetCall::operator()(const Outcome& outcome) {
  const cohort_get_fn done = std::exchange(done_, nullptr);
  if (done == nullptr) return;
  const CallbackScope scope(instance_id_);
  if (outcome.ok()) {
    done(user_, COHORT_OK, ToHandle(outcome.value), nullptr, 0);
  } else {
    const std::string_view message = outcome.message();
    done(user_, static_cast<cohort_status_t>(outcome.code), nullptr, message.data(), message.size());
  }
}

DoneCall::~DoneCall() {
  if (done_ == nullptr) return;
  const CallbackScope scope(instance_id_);
  done_(user_, COHORT_CLOSED, kClosedMessage, kClosedMessageSize);
}

void DoneCall::operator()(const Status& status) {
  const cohort_done_fn done = std::exchange(done_, nullptr);
  if (done == nullptr) return;
  const CallbackScope scope(instance_id_);
  done(user_, static_cast<cohort_status_t>(status.code()), status.message().c_str(), status.message().size());
}

Response ClosedResponse() {
  return {500, {{"Content-Type", "text/plain; charset=utf-8"}}, std::string(kClosedMessage) + "\n"};
}

Announced::~Announced() {
  if (node_ == nullptr) return;
  if (node_->kind == EventKind::kResponse) {
    (*this)(ClosedResponse());
  } else {
    (*this)(Status(Code::kClosed, kClosedMessage));
  }
}

void Announced::operator()(const Status& status) {
  if (node_ == nullptr) return;
  node_->status = static_cast<int32_t>(status.code());
  if (!status.ok()) node_->value = Value::Copy({}, status.message(), 0);
  queue_->Deliver(std::move(node_));
}

void Announced::operator()(Response response) {
  if (node_ == nullptr) return;
  node_->response = std::make_unique<Response>(std::move(response));
  queue_->Deliver(std::move(node_));
}

void Announced::Dismiss() {
  node_.reset();
  queue_->Leave(1);
}

}  // namespace cohort::capi
