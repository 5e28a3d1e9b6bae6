// The C++ side of the benchmarks, over the C ABI. Each run prints one line of JSON; the commands are those of
// ../go/main.go:
//
//   bench local -threads N -kind handle|copy
//   bench owner -listen A -peers A,B
//   bench remote -listen B -peers A,B -owner A -callers N -kind blocking|async
#include <cohort/cohort.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;

std::map<std::string, std::string> flags = {
    {"-threads", "1"}, {"-kind", "handle"}, {"-callers", "1"}, {"-seconds", "1"}, {"-entries", "100000"}};

int Number(const char* flag) { return std::atoi(flags.at(flag).c_str()); }

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::exit(1);
}

std::string Key(int i) {
  char text[16];
  std::snprintf(text, sizeof(text), "key-%08d", i);
  return text;
}

void Load(void*, cohort_load_t* load, const char*, size_t) {
  static const char kValue[1024] = {};
  cohort_load_complete(load, kValue, sizeof(kValue), 0, nullptr);
}

struct Member {
  cohort_instance_t* instance;
  cohort_group_t* group;
};

Member Join(int64_t cache_bytes) {
  cohort_error_t* error = cohort_error_new();
  Member member{cohort_instance_new(nullptr, error), nullptr};
  cohort_group_options_t* options = cohort_group_options_new();
  cohort_group_options_set_cache_bytes(options, cache_bytes, error);
  cohort_group_options_set_getter(options, Load, nullptr, nullptr, error);
  member.group = cohort_instance_new_group(member.instance, "bench", 5, options, error);
  cohort_group_options_free(options);
  if (flags.count("-listen") != 0) {
    const std::string& self = flags.at("-listen");
    std::string peers = flags.at("-peers");
    std::replace(peers.begin(), peers.end(), ',', '\n');
    if (cohort_instance_listen(member.instance, self.data(), self.size(), error) != COHORT_OK ||
        cohort_instance_set_peers(member.instance, peers.data(), peers.size(), self.data(), self.size(), error) !=
            COHORT_OK) {
      Die(cohort_error_message(error));
    }
  }
  if (member.group == nullptr) Die(cohort_error_message(error));
  cohort_error_free(error);
  return member;
}

// Ranks by a Zipf distribution with exponent 1, drawn by inverting its sum.
class Zipf {
 public:
  explicit Zipf(int n) : sums_(static_cast<size_t>(n)) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sums_[static_cast<size_t>(i)] = sum += 1.0 / (i + 1);
  }
  int operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<double>(0, sums_.back())(random);
    return static_cast<int>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

void Show(double ops_per_second, std::vector<int64_t> latencies_ns) {
  std::printf("{\"ops_per_s\":%.0f", ops_per_second);
  if (!latencies_ns.empty()) {
    std::sort(latencies_ns.begin(), latencies_ns.end());
    std::printf(",\"p50_us\":%.1f,\"p99_us\":%.1f", static_cast<double>(latencies_ns[latencies_ns.size() / 2]) / 1e3,
                static_cast<double>(latencies_ns[latencies_ns.size() * 99 / 100]) / 1e3);
  }
  std::printf("}\n");
}

// Runs `op` on n threads for the given time.
template <typename Op>
void Measure(int n, bool with_latencies, Op op) {
  std::atomic<bool> stop{false};
  std::atomic<int64_t> total{0};
  std::mutex mutex;
  std::vector<int64_t> all;
  std::vector<std::thread> threads;
  const auto begin = SteadyClock::now();
  for (int t = 0; t < n; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t));
      std::vector<int64_t> mine;
      int64_t count = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        if (with_latencies) {
          const auto start = SteadyClock::now();
          op(t, count, random);
          mine.push_back((SteadyClock::now() - start).count());
        } else {
          op(t, count, random);
        }
        ++count;
      }
      total += count;
      std::lock_guard lock(mutex);
      all.insert(all.end(), mine.begin(), mine.end());
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(std::atof(flags.at("-seconds").c_str())));
  stop = true;
  for (auto& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  Show(static_cast<double>(total.load()) / seconds, std::move(all));
}

void Local() {
  const Member member = Join(int64_t{512} << 20);
  const int entries = Number("-entries");
  std::vector<std::string> keys;
  for (int i = 0; i < entries; ++i) {
    keys.push_back(Key(i));
    cohort_value_free(cohort_group_get(member.group, keys.back().data(), keys.back().size(), 0, 0, nullptr));
  }
  // The keys' order is drawn before, so that drawing it is not measured.
  const int threads = Number("-threads");
  const Zipf zipf(entries);
  std::vector<std::vector<int>> orders(static_cast<size_t>(threads));
  for (size_t t = 0; t < orders.size(); ++t) {
    std::mt19937_64 random(t);
    for (int i = 0; i < 1 << 16; ++i) orders[t].push_back(zipf(random));
  }
  const bool copy = flags.at("-kind") == "copy";
  Measure(threads, false, [&](int t, int64_t count, std::mt19937_64&) {
    const std::string& key =
        keys[static_cast<size_t>(orders[static_cast<size_t>(t)][static_cast<size_t>(count & 0xffff)])];
    if (copy) {
      char buffer[1024];
      if (cohort_group_try_copy(member.group, key.data(), key.size(), buffer, sizeof(buffer)) != 1024) Die("a miss");
    } else {
      cohort_value_t* value = cohort_group_lookup(member.group, key.data(), key.size());
      if (value == nullptr) Die("a miss");
      cohort_value_free(value);
    }
  });
}

struct Flow {  // A number of gets that are always under way, on callbacks.
  const Member* member;
  const std::vector<std::string>* keys;
  std::mutex mutex;
  std::condition_variable idle;
  int under_way = 0;
  int64_t done = 0;
  bool stop = false;
  std::mt19937_64 random{1};
  std::vector<int64_t> latencies_ns;
};
struct Asked {
  Flow* flow;
  SteadyClock::time_point begin;
};

void AskOne(Flow* flow);

void OnAnswer(void* user, cohort_status_t status, cohort_value_t* value, const char* message, size_t message_size) {
  if (status != COHORT_OK) Die(std::string(message, message_size));
  cohort_value_free(value);
  auto* asked = static_cast<Asked*>(user);
  Flow* flow = asked->flow;
  const int64_t taken_ns = (SteadyClock::now() - asked->begin).count();
  delete asked;
  {
    std::lock_guard lock(flow->mutex);
    ++flow->done;
    flow->latencies_ns.push_back(taken_ns);
    if (flow->stop) {
      if (--flow->under_way == 0) flow->idle.notify_all();
      return;
    }
  }
  AskOne(flow);
}

void AskOne(Flow* flow) {
  const std::string* key = nullptr;
  {
    std::lock_guard lock(flow->mutex);
    key = &(*flow->keys)[flow->random() % flow->keys->size()];
  }
  cohort_group_get_async(flow->member->group, key->data(), key->size(), 0, 0, OnAnswer,
                         new Asked{flow, SteadyClock::now()}, nullptr);
}

void Remote() {
  const Member member = Join(0);  // Keeps nothing, so that each get asks.
  const std::string& owner = flags.at("-owner");
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 10'000; ++i) {
    std::string key = Key(i);
    cohort_value_t* owns = cohort_instance_owner(member.instance, key.data(), key.size(), nullptr);
    if (std::string(static_cast<const char*>(cohort_value_data(owns)), static_cast<size_t>(cohort_value_size(owns))) ==
        owner) {
      keys.push_back(std::move(key));
    }
    cohort_value_free(owns);
  }
  auto ask = [&](int, int64_t, std::mt19937_64& random) {
    const std::string& key = keys[random() % keys.size()];
    cohort_error_t* error = nullptr;
    cohort_value_t* value = cohort_group_get(member.group, key.data(), key.size(), 0, 0, error);
    if (value == nullptr) Die("a get failed");
    cohort_value_free(value);
  };
  std::mt19937_64 random(42);
  for (size_t i = 0; i < 2 * keys.size(); ++i) ask(0, 0, random);  // The owner loads them.
  cohort_group_stats_t before;
  cohort_group_stats(member.group, &before, sizeof(before));
  if (before.peer_errors > 0) Die("the owner was not reached");
  const int callers = Number("-callers");
  if (flags.at("-kind") != "async") {
    Measure(callers, true, ask);
    return;
  }
  Flow flow;
  flow.member = &member;
  flow.keys = &keys;
  flow.under_way = callers;
  const auto begin = SteadyClock::now();
  for (int i = 0; i < callers; ++i) AskOne(&flow);
  std::this_thread::sleep_for(std::chrono::duration<double>(std::atof(flags.at("-seconds").c_str())));
  std::unique_lock lock(flow.mutex);
  flow.stop = true;
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  const auto done = static_cast<double>(flow.done);
  flow.idle.wait(lock, [&] { return flow.under_way == 0; });
  Show(done / seconds, flow.latencies_ns);
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 2; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "local") {
    Local();
  } else if (command == "remote") {
    Remote();
  } else if (command == "owner") {
    Join(int64_t{512} << 20);
    std::printf("ready\n");
    std::fflush(stdout);
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  } else {
    Die("usage: bench local|owner|remote [flags]");
  }
  std::fflush(stdout);
  std::_Exit(0);  // Exit without close is safe, and the peer's address is free at once.
}
