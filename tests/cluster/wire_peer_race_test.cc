// The wire peer under many threads at once: every call ends once, whoever cancels, refuses or loses the connection.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "cluster/fakes.h"
#include "cluster/wire_peer.h"
#include "wire/messages.h"

namespace cohort {
namespace {

// Answers on threads of its own, in turn: values, refusals, errors; cancelled calls end as such if they are still open.
class ThreadedChannel final : public PeerChannel {
 public:
  explicit ThreadedChannel(int threads) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }
  // Ends all that is open, and what that sends in turn.
  void Stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  CallId Send(Request request, ResponseDone done) override {
    std::lock_guard lock(mutex_);
    open_.push_back({++last_id_, std::move(request), std::move(done)});
    changed_.notify_one();
    return last_id_;
  }
  void Cancel(CallId id) override {
    ResponseDone done;
    {
      std::lock_guard lock(mutex_);
      for (auto at = open_.begin(); at != open_.end(); ++at) {
        if (at->id != id) continue;
        done = std::move(at->done);
        open_.erase(at);
        break;
      }
    }
    if (done) done(Status(Code::kCancelled, "cancelled"));
  }
  void Close() override {}

 private:
  struct Sent {
    CallId id;
    Request request;
    ResponseDone done;
  };

  void Work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !open_.empty(); });
      if (open_.empty()) return;
      Sent sent = std::move(open_.front());
      open_.pop_front();
      const int turn = ++turns_ % 7;
      lock.unlock();
      if (turn == 0) {
        sent.done(Status(Code::kTimeout, "late"));
      } else if (sent.request.method == "POST") {
        sent.done(Response{turn % 2 == 0 ? 404 : 405, {}, "no such path\n"});
      } else if (sent.request.method == "GET") {
        sent.done(Response{200, {{"Cohort", "1"}}, wire::EncodeGetResponse("v", 0)});
      } else {
        sent.done(Response{200, {{"Cohort", "1"}}, ""});
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Sent> open_;
  CallId last_id_ = 0;
  int turns_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

TEST(WirePeerRaces, P4EveryCallEndsOnce) {
  FakeRuntime runtime;
  constexpr int kCallers = 4;
  constexpr int kCalls = 2'000;
  std::vector<std::atomic<int>> ended(kCallers * kCalls);
  auto channel = std::make_shared<ThreadedChannel>(3);
  {
    WirePeerOptions options;
    options.base_path = "/_groupcache/";
    const auto peer = NewWirePeer("a:1", channel, options, runtime);
    const std::string long_key(3000, '\xff');
    std::vector<std::thread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; i < kCalls; ++i) {
          std::atomic<int>& count = ended[static_cast<size_t>(caller * kCalls + i)];
          if (i % 5 == 4) {
            peer->RemoveKeys("g", {"a", "\xff", "\xfe"}, 1000, [&count](const Status&) { ++count; });
            continue;
          }
          const auto id = peer->Get("g", i % 2 == 0 ? long_key : "k", 1000, [&count](const PeerAnswer&) -> int64_t {
            ++count;
            return 0;
          });
          if (i % 3 == 0) peer->Cancel(id);
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  channel->Stop();
  for (size_t i = 0; i < ended.size(); ++i) ASSERT_EQ(ended[i], 1) << "call " << i;
}

}  // namespace
}  // namespace cohort
