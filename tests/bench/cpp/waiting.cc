// Gets that wait for slow getters: what each costs, and how many threads there are while they wait.
//
//   waiting                                 alone: its own getter holds every load open
//   waiting -listen A -peers A,B            an owner, whose getter does
//   waiting -listen B -peers A,B -owner A   asks that owner
//
// Asked: "ask N": N gets of N keys, answers when all of them wait; "state": the loads that are held; "release": ends
// those; "ended": answers when all gets have ended well.
#include <mutex>
#include <string_view>

#include "keys.h"
#include "measure.h"
#include "member.h"
#include "subjects.h"

namespace bench {
namespace {

std::mutex mutex;
std::vector<cohort_load_t*> held;  // Guarded by mutex.
std::atomic<int> asked{0}, ended{0}, failed{0};

// Holds every load but those of keys that begin with "warm".
void Hold(void*, cohort_load_t* load, const char* key, size_t size) {
  if (std::string_view(key, size).substr(0, 4) == "warm") {
    cohort_load_complete(load, "warm", 4, 0, nullptr);
    return;
  }
  std::lock_guard lock(mutex);
  held.push_back(load);
}

void OnEnd(void*, cohort_status_t status, cohort_value_t* value, const char*, size_t) {
  cohort_value_free(value);
  if (status != COHORT_OK) ++failed;
  ++ended;
}

template <typename Condition>
void WaitFor(const char* what, const Condition& condition) {
  for (int i = 0; !condition(); ++i) {
    if (i > 30'000) Die(what);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Json Ask(const Member& member, const std::string& owner, int n) {
  const std::vector<std::string> keys = owner.empty() ? Keys(n) : KeysOf(member, owner, static_cast<size_t>(n));
  // The two have met before: what is measured is waiting, not the first contact.
  for (int i = 0, met = 0; met < 4 && !owner.empty(); ++i) {
    const std::string key = "warm-" + std::to_string(i);
    if (!Owns(member, owner, key)) continue;
    cohort_value_free(cohort_group_get(member.group, key.data(), key.size(), 0, 0, nullptr));
    ++met;
  }
  {
    std::lock_guard lock(mutex);
    held.reserve(static_cast<size_t>(n));  // The host's list of them is not the engine's.
  }
  asked = n;
  ended = failed = 0;
  const int threads = Threads();
  const double resident = ResidentBytes();
  for (const std::string& key : keys) {
    cohort_group_get_async(member.group, key.data(), key.size(), 0, 0, OnEnd, nullptr, nullptr);
  }
  WaitFor("not every get waits", [&] {
    cohort_group_stats_t stats{};
    cohort_group_stats(member.group, &stats, sizeof(stats));
    std::lock_guard lock(mutex);
    return stats.waiting == n && (!owner.empty() || held.size() == static_cast<size_t>(n));
  });
  return Json()
      .Add("bytes_per_get", (ResidentBytes() - resident) / n)
      .Add("threads_before", threads)
      .Add("threads", Threads());
}

void Release() {
  std::vector<cohort_load_t*> all;
  {
    std::lock_guard lock(mutex);
    all.swap(held);
  }
  for (cohort_load_t* load : all) cohort_load_complete(load, "late", 4, 0, nullptr);
}

}  // namespace

void ServeWaiting(const Flags& flags) {
  MemberOptions options;
  options.getter = Hold;
  options.listen = flags.Text("-listen", "");
  options.peers = flags.Text("-peers", "");
  const Member member = Join(options);
  const std::string owner = flags.Text("-owner", "");
  Serve({}, [&](const Words& words) {
    if (words[0] == "ask") return Ask(member, owner, words.Int(1));
    if (words[0] == "state") {
      std::lock_guard lock(mutex);
      return Json().Add("held", static_cast<double>(held.size())).Add("threads", Threads());
    }
    if (words[0] == "release") {
      Release();
    } else {
      WaitFor("the gets that waited do not end", [] { return ended == asked; });
      if (failed != 0) Die("a get that waited has failed");
    }
    return Json();
  });
}

}  // namespace bench
