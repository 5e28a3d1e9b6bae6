// Ten thousand gets that wait through the C++ face, here and for a peer, and the threads that they need: none of their
// own.
#include <cohort/cohort.hpp>
#include <thread>

#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

constexpr int kGets = 10'000;
constexpr int kGetterThreads = 4;
constexpr int kOfTheEngine = 12;  // Its timer, its executor, its listeners.

// Keeps loads open until it is opened; answers the rest at once.
class Held {
 public:
  void Take(cohort::Load load) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++taken_;
      if (!open_) {
        loads_.push_back(std::move(load));
        return;
      }
    }
    load.complete("value");
  }
  void Open() {
    std::vector<cohort::Load> loads;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      open_ = true;
      loads.swap(loads_);
    }
    for (cohort::Load& load : loads) load.complete("value");
  }
  int taken() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return taken_;
  }

 private:
  std::mutex mutex_;
  bool open_ = false;
  int taken_ = 0;
  std::vector<cohort::Load> loads_;
};

template <typename Condition>
void WaitUntil(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "this did not come true";
    std::this_thread::yield();
  }
}

struct Node {
  explicit Node(Held& held, const cohort::Transport& transport = cohort::Transport::http())
      : instance(cohort::InstanceOptions().max_getter_threads(kGetterThreads).transport(transport)),
        group(instance.new_group("g", cohort::GroupOptions().cache_bytes(256 << 20).async_getter(
                                          [&held](cohort::Load load) { held.Take(std::move(load)); }))) {}
  cohort::Instance instance;
  cohort::Group group;
};

TEST(Waiting, P8_TenThousandCallbacksAndFuturesNeedNoThreads) {
  if (CountThreads() < 0) GTEST_SKIP() << "no /proc here";
  Held held;
  Gate ended;
  Node node(held);
  const int before = CountThreads();
  std::vector<std::future<cohort::Value>> futures;
  for (int i = 0; i < kGets / 2; ++i) {
    const std::string key = std::to_string(i);
    node.group.get_async(key, [&ended](const cohort::Result<cohort::Value>& value) {
      if (value.ok()) ended.Add();
    });
    futures.push_back(node.group.get_future(key));
  }
  WaitUntil([&] { return held.taken() == kGets / 2; });
  EXPECT_EQ(node.group.stats().waiting, kGets);
  EXPECT_LE(CountThreads(), before + kGetterThreads + kOfTheEngine);
  held.Open();
  ended.WaitFor(kGets / 2);
  for (std::future<cohort::Value>& future : futures) EXPECT_EQ(future.get().view(), "value");
}

TEST(Waiting, P8_TenThousandGetsOfAPeersKeysNeedAFewForItsConnections) {
  if (CountThreads() < 0) GTEST_SKIP() << "no /proc here";
  constexpr int kConnections = 8;
  Held held;
  Gate ended;
  cohort::HttpOptions few;
  few.max_connections_per_peer = kConnections;  // Each of which costs a thread here and one there.
  Node asker(held, cohort::Transport::http(few));
  Node owner(held);
  for (Node* node : {&asker, &owner}) node->instance.listen("127.0.0.1:0");
  const std::vector<std::string> peers = {asker.instance.listen_address(), owner.instance.listen_address()};
  for (Node* node : {&asker, &owner}) node->instance.set_peers(peers, node->instance.listen_address());
  const int before = CountThreads();
  int begun = 0;
  for (int i = 0; begun < kGets; ++i) {
    const std::string key = std::to_string(i * 7919) + "-key";
    if (asker.instance.owner(key) != peers[1]) continue;
    ++begun;
    asker.group.get_async(key, [&ended](const cohort::Result<cohort::Value>& value) {
      if (value.ok()) ended.Add();
    });
  }
  WaitUntil([&] { return held.taken() >= kConnections; });
  EXPECT_EQ(asker.group.stats().waiting, kGets);
  EXPECT_LE(CountThreads(), before + 2 * kConnections + 2 * kGetterThreads + kOfTheEngine);
  held.Open();
  ended.WaitFor(kGets);
  EXPECT_EQ(owner.group.stats().local_loads, kGets);
  EXPECT_EQ(asker.group.stats().peer_loads, kGets);
  EXPECT_LE(CountThreads(), before + 2 * kConnections + 2 * kGetterThreads + kOfTheEngine);
}

}  // namespace
}  // namespace capi_test
