// Completion hands a result to a ResponseDone exactly once, on an executor; should the executor be gone, it does so
// where that is noticed. No `done` is ever lost.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "runtime/runtime.h"
#include "transport/transport.h"

namespace cohort {

class Completion {
 public:
  Completion(ResponseDone done, Result<Response> result) : done_(std::move(done)), result_(std::move(result)) {}
  ~Completion() { Run(); }
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  void Run() {
    if (!ran_.exchange(true)) done_(std::move(result_));
  }

  // Posts the completion. The caller may hold a lock, as long as it lets go of the returned pointer without it: when
  // the executor has stopped, that is what runs `done`.
  static std::shared_ptr<Completion> Post(Executor& executor, ResponseDone done, Result<Response> result) {
    auto completion = std::make_shared<Completion>(std::move(done), std::move(result));
    executor.Post([completion] { completion->Run(); });
    return completion;
  }

 private:
  ResponseDone done_;
  Result<Response> result_;
  std::atomic<bool> ran_{false};
};

}  // namespace cohort
