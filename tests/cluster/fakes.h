// Fakes for the cluster's tests: time that stands until it is moved, chance that repeats, a channel that answers when
// told.
#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/runtime.h"
#include "transport/transport.h"

namespace cohort {

inline constexpr int64_t kSecondNs = 1'000'000'000;
inline constexpr int64_t kStartUnixNs = 1'700'000'000 * kSecondNs;

class FakeClock final : public Clock {
 public:
  int64_t UnixNs() const override { return unix_ns; }
  int64_t MonotonicNs() const override { return monotonic_ns; }
  void Advance(int64_t ms) {
    unix_ns += ms * 1'000'000;
    monotonic_ns += ms * 1'000'000;
  }
  int64_t unix_ns = kStartUnixNs;
  int64_t monotonic_ns = 5'000;
};

class FakeRandom final : public Random {
 public:
  uint64_t Next() override { return next; }
  std::atomic<uint64_t> next{0};
};

// Timers run when the test lets time pass, posted tasks at once.
class FakeRuntime final : public Runtime, private Timers, private Executor {
 public:
  FakeClock& clock() override { return clock_; }
  Timers& timers() override { return *this; }
  Executor& executor() override { return *this; }
  FakeRandom& random() override { return random_; }
  void Stop() override {}

  // Lets time pass, and runs what is due on the way.
  void Pass(int64_t ms) {
    const int64_t until_ns = clock_.monotonic_ns + ms * 1'000'000;
    for (;;) {
      Task task;
      {
        std::lock_guard lock(mutex_);
        const auto first = waiting_.begin();
        if (first == waiting_.end() || first->first.first > until_ns) break;
        const int64_t step_ns = std::max<int64_t>(0, first->first.first - clock_.monotonic_ns);
        clock_.unix_ns += step_ns;
        clock_.monotonic_ns += step_ns;
        task = std::move(first->second);
        waiting_.erase(first);
      }
      task();
    }
    clock_.unix_ns += until_ns - clock_.monotonic_ns;
    clock_.monotonic_ns = until_ns;
  }
  size_t timers_armed() {
    std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  TimerId After(int64_t delay_ns, Task task) override {
    std::lock_guard lock(mutex_);
    waiting_.emplace(std::make_pair(clock_.monotonic_ns + delay_ns, ++last_timer_), std::move(task));
    return last_timer_;
  }
  bool Cancel(TimerId id) override {
    Task dropped;
    std::lock_guard lock(mutex_);
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      if (at->first.second != id) continue;
      dropped = std::move(at->second);
      waiting_.erase(at);
      return true;
    }
    return false;
  }
  void Post(Task task) override { task(); }
  void PostBlocking(Task task) override { task(); }

  FakeClock clock_;
  FakeRandom random_;
  std::mutex mutex_;
  std::map<std::pair<int64_t, TimerId>, Task> waiting_;
  TimerId last_timer_ = 0;
};

// Keeps what is sent until the test answers it.
class FakeChannel final : public PeerChannel {
 public:
  struct Sent {
    CallId id;
    Request request;
    ResponseDone done;
  };

  CallId Send(Request request, ResponseDone done) override {
    const CallId id = ++last_id;
    requests.push_back(request);
    if (fail_at_once) {
      done(*fail_at_once);
      return id;
    }
    open.push_back({id, std::move(request), std::move(done)});
    if (while_sending) std::exchange(while_sending, nullptr)();
    return id;
  }
  void Cancel(CallId id) override { cancelled.push_back(id); }
  void Close() override { closed = true; }

  // Ends the oldest open call.
  void Answer(Result<Response> end) {
    if (open.empty()) throw std::logic_error("nothing is open");
    Sent sent = std::move(open.front());
    open.pop_front();
    sent.done(std::move(end));
  }
  void Answer(int status, std::string body = "", Headers headers = {}) {
    Answer(Response{status, std::move(headers), std::move(body)});
  }

  CallId last_id = 100;
  std::vector<Request> requests;  // All, in order.
  std::deque<Sent> open;
  std::vector<CallId> cancelled;
  std::optional<Status> fail_at_once;
  std::function<void()> while_sending;  // Runs once, before Send returns.
  bool closed = false;
};

inline std::string HeaderOf(const Headers& headers, const char* name) {
  const std::string* value = FindHeader(headers, name);
  return value != nullptr ? *value : "(none)";
}

}  // namespace cohort
