#include "transport/calls.h"

#include <utility>
#include <vector>

#include "transport/completion.h"

namespace cohort {

Calls::Calls(Runtime& runtime, std::string peer, std::function<void(uint64_t)> abandoned)
    : runtime_(runtime), peer_(std::move(peer)), abandoned_(std::move(abandoned)) {}

uint64_t Calls::Open(ResponseDone done, int64_t timeout_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) {
    lock.unlock();
    done(Status(Code::kClosed, "the connection to peer " + peer_ + " is closed"));
    return 0;
  }
  const uint64_t id = next_id_++;
  auto late = [weak = weak_from_this(), id, timeout_ms] {
    auto self = weak.lock();
    if (self == nullptr) return;
    self->Finish(id, Status(Code::kTimeout,
                            "peer " + self->peer_ + " did not answer within " + std::to_string(timeout_ms) + " ms"));
    if (self->abandoned_) self->abandoned_(id);
  };
  open_.emplace(id, Call{std::move(done), runtime_.timers().After(MsToNs(timeout_ms), std::move(late))});
  return id;
}

bool Calls::IsOpen(uint64_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  return open_.count(id) != 0;
}

ResponseDone Calls::Take(uint64_t id) {
  const auto call = open_.find(id);
  if (call == open_.end()) return nullptr;
  runtime_.timers().Cancel(call->second.timer);
  ResponseDone done = std::move(call->second.done);
  open_.erase(call);
  return done;
}

void Calls::Finish(uint64_t id, Result<Response> result) {
  std::shared_ptr<Completion> completion;  // Let go of without the lock.
  std::lock_guard<std::mutex> lock(mutex_);
  ResponseDone done = Take(id);
  if (done) completion = Completion::Post(runtime_.executor(), std::move(done), std::move(result));
}

void Calls::FinishHere(uint64_t id, Result<Response> result) {
  ResponseDone done;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    done = Take(id);
  }
  if (done) done(std::move(result));
}

void Calls::Close() {
  std::vector<std::shared_ptr<Completion>> completions;  // Let go of without the lock.
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  for (auto& [id, call] : open_) {
    runtime_.timers().Cancel(call.timer);
    completions.push_back(Completion::Post(runtime_.executor(), std::move(call.done),
                                           Status(Code::kClosed, "the connection to peer " + peer_ + " was closed")));
  }
  open_.clear();
}

}  // namespace cohort
