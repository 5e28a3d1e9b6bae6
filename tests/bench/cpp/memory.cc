// What cached values cost: memory for each entry, Sets while others have to leave, and how much is lost between blocks
// when sizes change. Each run prints one line of JSON:
//
//   bench-memory entries -entries N -bytes B      resident memory and charge of each entry, and what is left after a
//   reset bench-memory set -bytes B|mixed -threads N    Sets into a full cache, with their latencies bench-memory churn
//   -budget_mib N              sizes change, again and again: resident memory against what is charged
#include <cohort/cohort.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;

std::map<std::string, std::string> flags = {{"-entries", "1000000"}, {"-bytes", "100"},      {"-threads", "1"},
                                            {"-seconds", "2"},       {"-budget_mib", "256"}, {"-rounds", "2"}};

int64_t Number(const char* flag) { return std::atoll(flags.at(flag).c_str()); }

[[noreturn]] void Die(const char* message) {
  std::fprintf(stderr, "bench-memory: %s\n", message);
  std::exit(1);
}

int64_t Resident() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  long all = 0;
  long resident = 0;
  if (file == nullptr || std::fscanf(file, "%ld %ld", &all, &resident) != 2) Die("no /proc/self/statm here");
  std::fclose(file);
  return int64_t{resident} * ::sysconf(_SC_PAGESIZE);
}

class Group {
 public:
  explicit Group(int64_t cache_bytes) {
    cohort_group_options_t* options = cohort_group_options_new();
    cohort_group_options_set_cache_bytes(options, cache_bytes, nullptr);
    group_ = cohort_instance_new_group(instance_, "bench", 5, options, nullptr);
    cohort_group_options_free(options);
    if (group_ == nullptr) Die("no group");
  }
  ~Group() {
    cohort_group_free(group_);
    cohort_instance_free(instance_);
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  void Set(uint64_t key, size_t size) {
    char text[16];
    std::snprintf(text, sizeof(text), "%012llu", static_cast<unsigned long long>(key % 1'000'000'000'000ULL));
    if (cohort_group_local_set(group_, text, 12, bytes_.data(), size, 0, nullptr) != COHORT_OK) Die("a set failed");
  }
  cohort_cache_stats_t Main() const {
    cohort_cache_stats_t stats;
    cohort_group_cache_stats(group_, 1, &stats, sizeof(stats));
    return stats;
  }
  void Reset(int64_t cache_bytes) { cohort_group_reset_cache(group_, cache_bytes, nullptr); }

 private:
  std::string bytes_ = std::string(size_t{1} << 20, 'v');
  cohort_instance_t* instance_ = cohort_instance_new(nullptr, nullptr);
  cohort_group_t* group_ = nullptr;
};

double Mib(int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

void Entries() {
  const int64_t entries = Number("-entries");
  const size_t size = static_cast<size_t>(Number("-bytes"));
  Group group(int64_t{1} << 40);
  group.Set(0, size);
  const int64_t before = Resident();
  for (int64_t i = 0; i < entries; ++i) group.Set(static_cast<uint64_t>(i), size);
  const double rss = static_cast<double>(Resident() - before) / static_cast<double>(entries);
  const cohort_cache_stats_t stats = group.Main();
  if (stats.items != entries) Die("entries were lost");
  group.Reset(int64_t{1} << 20);
  std::printf(
      "{\"entries\":%lld,\"bytes\":%zu,\"rss_per_entry\":%.1f,\"charged_per_entry\":%.1f,\"mib_after_reset\":%.1f}\n",
      static_cast<long long>(entries), size, rss,
      static_cast<double>(stats.charged_bytes) / static_cast<double>(entries), Mib(Resident() - before));
}

// Sizes by name; else a number of bytes.
size_t SizeOf(const std::string& kind, std::mt19937_64* random) {
  const uint64_t r = (*random)();
  if (kind == "small") return 20 + r % 200;
  if (kind == "medium") return 1000 + r % 3000;
  if (kind == "wide") return 64 + r % 30'000;
  if (kind == "large") return 30'000 + r % 500'000;
  if (kind == "mixed") {  // Mostly small ones, in bytes about equal parts.
    const uint64_t which = (r >> 40) % 100;
    return which < 80 ? 20 + r % 200 : which < 98 ? 200 + r % 1800 : 2000 + r % 28'000;
  }
  return static_cast<size_t>(std::atoll(kind.c_str()));
}

void Sets() {
  const std::string kind = flags.at("-bytes");
  const int threads = static_cast<int>(Number("-threads"));
  Group group(Number("-budget_mib") << 20);
  std::mt19937_64 filling(42);
  while (group.Main().evictions < 1000) {
    for (int i = 0; i < 1000; ++i) group.Set(filling(), SizeOf(kind, &filling));
  }
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::vector<int64_t> all;
  std::vector<std::thread> running;
  const auto begin = SteadyClock::now();
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t));
      std::vector<int64_t> mine;
      mine.reserve(size_t{1} << 24);
      while (!stop.load(std::memory_order_relaxed)) {
        const uint64_t key = random();
        const size_t size = SizeOf(kind, &random);
        const auto start = SteadyClock::now();
        group.Set(key, size);
        mine.push_back((SteadyClock::now() - start).count());
      }
      std::lock_guard<std::mutex> lock(mutex);
      all.insert(all.end(), mine.begin(), mine.end());
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(std::atof(flags.at("-seconds").c_str())));
  stop = true;
  for (auto& thread : running) thread.join();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  std::sort(all.begin(), all.end());
  const auto at = [&](double part) {
    return static_cast<double>(all[static_cast<size_t>(static_cast<double>(all.size() - 1) * part)]) / 1e3;
  };
  std::printf(
      "{\"bytes\":\"%s\",\"threads\":%d,\"ops_per_s\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f,"
      "\"max_us\":%.0f}\n",
      kind.c_str(), threads, static_cast<double>(all.size()) / seconds, at(0.5), at(0.99), at(0.999), at(1));
}

void Churn() {
  const int64_t budget = Number("-budget_mib") << 20;
  Group group(budget);
  group.Set(0, 100);
  const int64_t before = Resident();
  const int64_t threads = Number("-threads");
  std::printf("{\"budget_mib\":%.0f,\"threads\":%lld,\"phases\":[", Mib(budget), static_cast<long long>(threads));
  const char* comma = "";
  for (int64_t round = 0; round < Number("-rounds"); ++round) {
    for (const char* kind : {"small", "medium", "mixed", "wide", "large", "small"}) {
      std::vector<std::thread> running;
      for (int64_t t = 0; t < threads; ++t) {
        running.emplace_back([&, t] {
          std::mt19937_64 random(static_cast<uint64_t>(round * threads + t));
          for (int64_t written = 0; written < 2 * budget / threads;) {
            const size_t size = SizeOf(kind, &random);
            group.Set(random(), size);
            written += static_cast<int64_t>(size) + 60;
          }
        });
      }
      for (auto& thread : running) thread.join();
      const int64_t charged = group.Main().charged_bytes;
      const int64_t resident = Resident() - before;
      std::printf("%s{\"kind\":\"%s\",\"charged_mib\":%.1f,\"rss_mib\":%.1f,\"ratio\":%.3f}", comma, kind, Mib(charged),
                  Mib(resident), static_cast<double>(resident) / static_cast<double>(charged));
      comma = ",";
    }
  }
  group.Reset(int64_t{1} << 20);
  std::printf("],\"mib_after_reset\":%.1f}\n", Mib(Resident() - before));
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 2; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "entries") {
    Entries();
  } else if (command == "set") {
    Sets();
  } else if (command == "churn") {
    Churn();
  } else {
    Die("usage: bench-memory entries|set|churn [flags]");
  }
  std::fflush(stdout);
  std::_Exit(0);
}
