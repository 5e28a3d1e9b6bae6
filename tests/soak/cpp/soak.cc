// The soak of the C++ face: a cluster of three in one process, workers that do everything at once, and a count of what
// the process holds. `soak SECONDS [SEED]` ends with 0 if nothing grows and nothing is left. README.md tells the story.
#include <atomic>
#include <cohort/cohort.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <random>
#include <thread>

#include "soak/resources.h"

namespace soak {
namespace {

using cohort::Milliseconds;
using Clock = std::chrono::steady_clock;
using Random = std::mt19937_64;

constexpr int kMembers = 3;
constexpr int kWorkers = 6;
constexpr int64_t kCacheBytes = 4 << 20;

// Loads that their getters keep for a while. A thread ends them, in its own time.
class SlowLoads {
 public:
  SlowLoads() : thread_([this] { Run(); }) {}
  ~SlowLoads() {
    stop_ = true;
    thread_.join();
  }
  void Add(cohort::Load load) {
    std::lock_guard lock(mutex_);
    loads_.push_back(std::move(load));
  }

 private:
  void Run() {
    while (!stop_) {
      std::this_thread::sleep_for(Milliseconds(5));
      std::vector<cohort::Load> ending;
      {
        std::lock_guard lock(mutex_);
        ending.swap(loads_);
      }
      for (cohort::Load& load : ending) load.complete("slow");
    }
  }
  std::mutex mutex_;
  std::vector<cohort::Load> loads_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

cohort::GroupOptions Options(SlowLoads& slow) {
  cohort::GroupOptions options;
  options.cache_bytes(kCacheBytes).load_timeout(Milliseconds(10'000));
  options.async_getter([&slow](cohort::Load load) {
    const std::string key(load.key());
    switch (key[0]) {
      case 'm':
        return load.not_found("not found: " + key);
      case 'f':
        return load.fail("load failed: " + key);
      case 'd':
        return;  // Lets go of it.
      case 's':
        return slow.Add(std::move(load));
      case 'e':
        return load.complete("expires: " + key, Milliseconds(20));
      case 'l':
        return load.complete(std::string(100'000, 'l'));
      default:
        return load.complete("value of " + key);
    }
  });
  return options;
}

struct Member {
  cohort::Instance instance;
  cohort::Group group;
  std::string address;

  explicit Member(SlowLoads& slow) : group(instance.new_group("g", Options(slow))) {
    instance.listen("127.0.0.1:0");
    address = instance.listen_address();
  }
};

// What is expected to go wrong now and then, and nothing else.
void Expect(const cohort::Status& status) {
  switch (status.code()) {
    case cohort::Code::ok:
    case cohort::Code::not_found:
    case cohort::Code::load_failed:
    case cohort::Code::remote_failed:
    case cohort::Code::timeout:
    case cohort::Code::cancelled:
    case cohort::Code::load_abandoned:
    case cohort::Code::unreachable:
      return;
    default:
      std::fprintf(stderr, "unexpected: %s: %s\n", cohort::to_string(status.code()), status.message().c_str());
      std::exit(1);
  }
}

class Soak {
 public:
  explicit Soak(uint64_t seed) : seed_(seed) {
    for (int i = 0; i < kMembers; ++i) members_.push_back(std::make_unique<Member>(slow_));
    for (const auto& member : members_) addresses_.push_back(member->address);
    for (const auto& member : members_) member->instance.set_peers(addresses_, member->address);
  }

  void Start() {
    for (uint64_t i = 0; i < kWorkers; ++i) workers_.emplace_back([this, i] { Work(Random(seed_ * 1000 + i)); });
    workers_.emplace_back([this] { Trouble(Random(seed_ * 1000 + kWorkers)); });
  }
  void Stop() {
    stop_ = true;
    for (std::thread& worker : workers_) worker.join();
  }
  // What is held while nobody does anything: the workers wait, and every load has ended.
  Resources AtRest() {
    std::unique_lock lock(rest_mutex_);
    rest_ = true;
    rest_changed_.wait(lock, [this] { return resting_ == workers_.size(); });
    for (const auto& member : members_) {
      while (member->group.stats().waiting > 0 || member->group.stats().loading > 0) {
        std::this_thread::sleep_for(Milliseconds(1));
      }
    }
    const Resources held = ResourcesNow();
    rest_ = false;
    rest_changed_.notify_all();
    return held;
  }
  uint64_t calls() const { return calls_; }

 private:
  std::string Key(Random& random) {
    static const char kKinds[] = "aaaaaaaabbbbbbbbmfdseel";
    return kKinds[random() % (sizeof kKinds - 1)] + std::to_string(random() % 3000);
  }

  // False: it is time to end.
  bool GoOn() {
    std::unique_lock lock(rest_mutex_);
    if (rest_) {
      ++resting_;
      rest_changed_.notify_all();
      rest_changed_.wait(lock, [this] { return !rest_; });
      --resting_;
    }
    return !stop_;
  }

  void Work(Random random) {
    while (GoOn()) {
      const cohort::Group& group = members_[random() % kMembers]->group;
      calls_.fetch_add(1, std::memory_order_relaxed);
      switch (random() % 16) {
        case 0:
          Expect(group.try_set(Key(random), std::string(random() % 2000, 'v'), Milliseconds(random() % 2000)));
          break;
        case 1:
          Expect(group.try_remove(Key(random)));
          break;
        case 2:
          Expect(group.try_remove_keys(std::vector<std::string>{Key(random), Key(random), Key(random)}));
          break;
        case 3: {
          std::vector<std::string> keys;
          for (int i = 0; i < 20; ++i) keys.push_back(Key(random));
          for (const auto& result : group.get_many(keys, Milliseconds(2'000))) Expect(result.status());
          break;
        }
        case 4:
          group.lookup(Key(random));
          break;
        case 5:
          Cancelled(group, Key(random));
          break;
        case 6:
          Expect(group.try_get(Key(random), Milliseconds(1 + random() % 5)).status());
          break;
        default:
          Expect(group.try_get(Key(random), Milliseconds(5'000)).status());
          break;
      }
    }
  }

  static void Cancelled(const cohort::Group& group, const std::string& key) {
    auto ended = std::make_shared<std::promise<cohort::Status>>();
    auto ticket = group.get_async(
        key, [ended](cohort::Result<cohort::Value> result) { ended->set_value(result.status()); }, Milliseconds(5'000));
    ticket.cancel();
    Expect(ended->get_future().get());
  }

  // Groups, listeners and members that come and go.
  void Trouble(Random random) {
    while (GoOn()) {
      Member& member = *members_[random() % kMembers];
      switch (random() % 4) {
        case 0: {
          const cohort::Group passing = member.instance.new_group("passing", Options(slow_));
          for (int i = 0; i < 20; ++i) Expect(passing.try_get(Key(random), Milliseconds(2'000)).status());
          member.instance.remove_group("passing");
          break;
        }
        case 1:
          member.instance.stop_listening(Milliseconds(100));
          member.instance.listen(member.address);
          break;
        case 2: {
          Member guest(slow_);
          std::vector<std::string> all = addresses_;
          all.push_back(guest.address);
          guest.instance.set_peers(all, guest.address);
          for (int i = 0; i < 50; ++i) Expect(guest.group.try_get(Key(random), Milliseconds(2'000)).status());
          break;
        }
        default:
          std::this_thread::sleep_for(Milliseconds(random() % 50));
          break;
      }
    }
  }

  const uint64_t seed_;
  SlowLoads slow_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::string> addresses_;
  std::vector<std::thread> workers_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> calls_{0};
  std::mutex rest_mutex_;
  std::condition_variable rest_changed_;
  bool rest_ = false;
  size_t resting_ = 0;
};

int Main(int64_t seconds, uint64_t seed) {
  constexpr int kSamples = 45;
  { const Soak first(seed); }  // What is made once for the process is no growth.
  const Resources before = ResourcesNow();
  std::vector<Resources> samples;
  uint64_t calls = 0;
  {
    Soak soak(seed);
    soak.Start();
    const auto begun = Clock::now();
    const auto all = std::chrono::milliseconds(seconds * 1000);
    for (int i = 1; i <= kSamples; ++i) {
      std::this_thread::sleep_until(begun + all / 10 + all * 9 / 10 * i / kSamples);
      samples.push_back(soak.AtRest());
    }
    soak.Stop();
    calls = soak.calls();
  }
  // What runs its last instructions is given time, and no more than it needs.
  Resources after = ResourcesNow();
  const auto end = Clock::now() + std::chrono::seconds(30);
  while ((after.threads > before.threads || after.descriptors > before.descriptors) && Clock::now() < end) {
    std::this_thread::sleep_for(Milliseconds(10));
    after = ResourcesNow();
  }

  for (size_t i = 0; i < samples.size(); i += 4) {
    const auto mib = [](int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
    std::printf("sample %2zu: %6.1f MiB, %5.1f of them in use, %lld threads, %lld descriptors\n", i + 1,
                mib(samples[i].memory_bytes), mib(samples[i].heap_bytes), static_cast<long long>(samples[i].threads),
                static_cast<long long>(samples[i].descriptors));
  }
  std::printf("%llu calls in %lld s with seed %llu; left: %lld threads and %lld descriptors more than before\n",
              static_cast<unsigned long long>(calls), static_cast<long long>(seconds),
              static_cast<unsigned long long>(seed), static_cast<long long>(after.threads - before.threads),
              static_cast<long long>(after.descriptors - before.descriptors));
  // In a short run the caches are still filling up and pools still grow.
  constexpr int64_t kLongSeconds = 300;
  const Limits limits =
      seconds >= kLongSeconds ? Limits{24 << 20, 2 << 20, 100, 100} : Limits{256 << 20, 64 << 20, 300, 300};
  std::vector<std::string> wrong = Growth(samples, limits);
  if (after.threads > before.threads) wrong.push_back("threads are left");
  if (after.descriptors > before.descriptors) wrong.push_back("descriptors are left");
  if (calls < static_cast<uint64_t>(seconds)) wrong.push_back("hardly anything was done");
  for (const std::string& line : wrong) std::printf("%s\n", line.c_str());
  return wrong.empty() ? 0 : 1;
}

}  // namespace
}  // namespace soak

int main(int argc, char** argv) {
  const int64_t seconds = argc > 1 ? std::atoll(argv[1]) : 0;
  if (seconds <= 0 || argc > 3) {
    std::fprintf(stderr, "usage: soak SECONDS [SEED]\n");
    return 2;
  }
  return soak::Main(seconds, argc > 2 ? static_cast<uint64_t>(std::atoll(argv[2])) : std::random_device()());
}
