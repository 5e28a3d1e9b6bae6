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
  explicit ThreadedChannel(int threads, bool tickets = false) : tickets_(tickets) {
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
      if (tickets_ && sent.request.method == "POST") {
        sent.done(turn == 0 ? Result<Response>(Status(Code::kTimeout, "late")) : AnswerWithTickets(sent.request, turn));
      } else if (turn == 0) {
        sent.done(Status(Code::kTimeout, "late"));
      } else if (sent.request.method == "POST") {
        sent.done(Response{turn % 2 == 0 ? 404 : 405, {}, "no such path\n"});
      } else if (sent.request.method == "GET") {
        sent.done(Response{200, {{"Cohort", tickets_ ? "2" : "1"}}, wire::EncodeGetResponse("v", 0)});
      } else {
        sent.done(Response{200, {{"Cohort", tickets_ ? "2" : "1"}}, ""});
      }
    }
  }

  // Of a batch every third entry gets a ticket. A collect brings what is owed, all of it, and now and then what was
  // brought before; the owner restarts once in a while, and sometimes answers as another program.
  Result<Response> AnswerWithTickets(const Request& request, int turn) {
    const bool batch = request.target.find("batch") != std::string::npos;
    std::lock_guard lock(mutex_);
    if (++posts_ % 97 == 0) return Response{404, {}, "no such path\n"};
    if (posts_ % 61 == 0) {
      ++incarnation_;
      owed_.clear();
    }
    std::vector<wire::BatchAnswer> answers;
    if (batch) {
      const size_t entries = wire::DecodeBatch(request.body)->size();
      for (size_t i = 0; i < entries; ++i) {
        wire::BatchAnswer& answer = answers.emplace_back();
        answer.value = "v";
        if (++entries_ % 3 != 0) continue;
        answer.value.clear();
        answer.ticket = ++last_ticket_;
        owed_.push_back(answer.ticket);
      }
    } else {
      for (const uint64_t ticket : owed_) {
        wire::BatchAnswer& answer = answers.emplace_back();
        answer.value = "v";
        answer.ticket = ticket;
      }
      if (turn % 2 == 0) owed_.clear();
    }
    return Response{200, {{"Cohort", "2"}}, wire::EncodeBatchAnswers(answers, incarnation_)};
  }

  const bool tickets_;
  int posts_ = 0;
  uint64_t entries_ = 0;
  uint64_t last_ticket_ = 0;
  uint64_t incarnation_ = 1;
  std::vector<uint64_t> owed_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Sent> open_;
  CallId last_id_ = 0;
  int turns_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

struct Counted final : PeerGet {
  Counted(std::atomic<int>& its_count, std::string asked_key) : own_key(std::move(asked_key)), count(its_count) {
    group = "g";
    key = own_key;
    deadline_ns = int64_t{1} << 60;
  }
  int64_t End(PeerAnswer&& /*answer*/) override {
    ++count;
    return 0;
  }
  const std::string own_key;
  std::atomic<int>& count;
};

void EveryCallEndsOnce(bool tickets) {
  FakeRuntime runtime;
  constexpr int kCallers = 4;
  constexpr int kCalls = 2'000;
  std::vector<std::atomic<int>> ended(kCallers * kCalls);
  auto channel = std::make_shared<ThreadedChannel>(3, tickets);
  {
    WirePeerOptions options;
    options.base_path = "/_groupcache/";
    const auto peer = NewWirePeer("a:1", channel, options, runtime);
    const std::string long_key(3000, '\xff');
    std::vector<std::thread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        std::vector<std::shared_ptr<PeerGet>> together;
        for (int i = 0; i < kCalls; ++i) {
          std::atomic<int>& count = ended[static_cast<size_t>(caller * kCalls + i)];
          if (i % 50 < 20) {
            together.push_back(std::make_shared<Counted>(count, i % 2 == 0 ? long_key : "k"));
            if (i % 50 < 19) continue;
            // Some are given up before they are asked for, some meanwhile, some afterwards.
            peer->GiveUp(*together[3]);
            std::thread other([&] {
              for (size_t j = 0; j < together.size(); j += 4) peer->GiveUp(*together[j]);
            });
            std::vector<std::shared_ptr<PeerGet>> asked = together;  // The peer may take them over.
            peer->GetAll(asked);
            peer->GiveUp(*together[7]);
            other.join();
            together.clear();
            continue;
          }
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
TEST(WirePeerRaces, P4EveryCallEndsOnce) { EveryCallEndsOnce(false); }
TEST(WirePeerRaces, P4EveryCallEndsOnceWhereThereAreTickets) { EveryCallEndsOnce(true); }

}  // namespace
}  // namespace cohort
