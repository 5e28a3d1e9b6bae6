// Set and Remove on a member that is alone.
//
//   changes -entries N      asked: "KIND THREADS SECONDS":
//       replace   Sets of keys that are there
//       evict     Sets of new keys into a cache that is full, so that each evicts
//       remove    a Set and a Remove of the same key
//       miss      gets of new keys, each of which loads and evicts
#include "keys.h"
#include "measure.h"
#include "member.h"
#include "subjects.h"

namespace bench {
namespace {

void Set(const Member& member, const std::string& key, const std::string& value) {
  if (cohort_group_set(member.group, key.data(), key.size(), value.data(), value.size(), 0, 0, nullptr) != COHORT_OK) {
    Die("a value could not be set");
  }
}

}  // namespace

void ServeChanges(const Flags& flags) {
  const int64_t entries = flags.Number("-entries", 100'000);
  const Member roomy = Join({});
  Fill(roomy, entries, kValueBytes);
  MemberOptions options;
  options.cache_bytes = entries * static_cast<int64_t>(kValueBytes);  // A little less than all of them need.
  const Member full = Join(options);
  const std::vector<std::string> keys = Keys(entries);
  for (int64_t i = 0; i < entries; ++i) Set(full, Key(i), Value(i, kValueBytes));
  const std::string value = Value(0, kValueBytes);
  std::atomic<int64_t> next_new{entries};

  Serve({}, [&](const Words& words) {
    const int threads = words.Int(1);
    std::vector<Random> randoms;
    for (int t = 0; t < threads; ++t) randoms.emplace_back(t);
    auto random_key = [&](int thread) -> const std::string& {
      return keys[randoms[static_cast<size_t>(thread)].Next() % keys.size()];
    };
    if (words[0] == "replace") {
      return Measure<true>(threads, words.Double(2), {}, 16, [&](int thread, int64_t) {
        Set(roomy, random_key(thread), value);
        return 1;
      });
    }
    if (words[0] == "remove") {
      return Measure<true>(threads, words.Double(2), {}, 16, [&](int thread, int64_t) {
        const std::string& key = random_key(thread);
        Set(roomy, key, value);
        if (cohort_group_remove(roomy.group, key.data(), key.size(), 0, nullptr) != COHORT_OK) Die("a Remove failed");
        return 1;
      });
    }
    if (words[0] == "miss") {
      return Measure<true>(threads, words.Double(2), {}, 16, [&](int, int64_t) {
        const std::string key = Key(next_new.fetch_add(1, std::memory_order_relaxed));
        cohort_value_t* loaded = cohort_group_get(full.group, key.data(), key.size(), 0, 0, nullptr);
        if (loaded == nullptr) Die("a load failed");
        cohort_value_free(loaded);
        return 1;
      });
    }
    cohort_cache_stats_t before{}, after{};
    cohort_group_cache_stats(full.group, COHORT_TIER_MAIN, &before, sizeof(before));
    const int64_t first = next_new;
    Json json = Measure<true>(threads, words.Double(2), {}, 16, [&](int, int64_t) {
      Set(full, Key(next_new.fetch_add(1, std::memory_order_relaxed)), value);
      return 1;
    });
    cohort_group_cache_stats(full.group, COHORT_TIER_MAIN, &after, sizeof(after));
    return json.Add("evictions_per_set",
                    static_cast<double>(after.evictions - before.evictions) / static_cast<double>(next_new - first));
  });
}

}  // namespace bench
