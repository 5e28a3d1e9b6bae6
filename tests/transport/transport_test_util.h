// What the transports' tests share: calls that are waited for, and handlers that echo, hold, or answer late.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/condition.h"
#include "transport/transport.h"

namespace cohort {

class Counter {
 public:
  void Add() {
    std::lock_guard<std::mutex> lock(mutex_);
    count_++;
    changed_.NotifyAll();
  }
  void WaitFor(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.WaitUntil(lock, -1, [&] { return count_ >= count; });
  }
  int count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  Condition changed_;
  int count_ = 0;
};

// One call's outcome. Must outlive the call.
class Call {
 public:
  ResponseDone Done() {
    return [this](Result<Response> result) {
      std::lock_guard<std::mutex> lock(mutex_);
      count_++;
      if (!result_) result_.emplace(std::move(result));
      changed_.NotifyAll();
    };
  }
  // Waits for it.
  Result<Response>& Get() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.WaitUntil(lock, -1, [&] { return result_.has_value(); });
    return *result_;
  }
  // How many times it has completed.
  int count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  Condition changed_;
  std::optional<Result<Response>> result_;
  int count_ = 0;
};

inline Request Get(const std::string& target, int64_t timeout_ms = 0) { return {"GET", target, {}, "", timeout_ms}; }

inline Response EchoOf(const Request& request) {
  std::string text = request.method + " " + request.target + "\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\n";
  return {200, {{"Content-Type", "text/plain"}}, text + "\n" + request.body};
}

class EchoHandler : public RequestHandler {
 public:
  void Handle(Request request, UniqueFunction<void(ServedResponse)> done) override { done(EchoOf(request)); }
};

// Keeps requests until it is told to answer them.
class HoldingHandler : public RequestHandler {
 public:
  void Handle(Request request, UniqueFunction<void(ServedResponse)> done) override {
    std::unique_lock<std::mutex> lock(mutex_);
    count_++;
    changed_.NotifyAll();
    if (answer_at_once_) {
      lock.unlock();
      return done(EchoOf(request));
    }
    held_.emplace_back(std::move(request), std::move(done));
  }
  void WaitFor(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.WaitUntil(lock, -1, [&] { return count_ >= count; });
  }
  int count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }
  void AnswerAll() {
    std::vector<std::pair<Request, UniqueFunction<void(ServedResponse)>>> held;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      held.swap(held_);
    }
    for (auto& [request, done] : held) done(EchoOf(request));
  }
  void AnswerFromNowOn() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      answer_at_once_ = true;
    }
    AnswerAll();
  }

 private:
  std::mutex mutex_;
  Condition changed_;
  std::vector<std::pair<Request, UniqueFunction<void(ServedResponse)>>> held_;
  int count_ = 0;
  bool answer_at_once_ = false;
};

}  // namespace cohort
