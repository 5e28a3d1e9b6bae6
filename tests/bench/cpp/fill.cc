// Memory and growth: a cache is filled in a process that has nothing else, and then asked.
//
//   fill -cache cohort|flat|flat-huge -entries N -size BYTES      answers at once: how long it took, bytes per entry
//                                                                 asked: "hits SECONDS", by one thread, uniformly
#include "floor.h"
#include "keys.h"
#include "measure.h"
#include "member.h"
#include "subjects.h"

namespace bench {
namespace {

Json Filled(int64_t entries, double before, SteadyClock::time_point begin) {
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  Json json;
  json.Add("bytes_per_entry", (ResidentBytes() - before) / static_cast<double>(entries));
  json.Add("fills_per_s", static_cast<double>(entries) / seconds);
  return json;
}

// Keys are made while asking, into a buffer: a list of ten million would be what is measured.
template <typename Find>
Json Hits(const Words& words, int64_t entries, const Find& find) {
  const std::vector<uint32_t> order = UniformOrder(entries, 1);
  std::vector<std::string> keys;
  keys.reserve(order.size());
  for (const uint32_t at : order) keys.push_back(Key(at));
  return Measure<false>(1, words.Double(1), {}, 256, [&](int, int64_t call) {
    find(keys[static_cast<size_t>(call) % keys.size()]);
    return 1;
  });
}

}  // namespace

void ServeFill(const Flags& flags) {
  const int64_t entries = flags.Number("-entries", 1'000'000);
  const auto size = static_cast<size_t>(flags.Number("-size", 100));
  const std::string cache = flags.Text("-cache");
  if (cache == "cohort") {
    MemberOptions options;
    options.cache_bytes = entries * static_cast<int64_t>(size + 512) * 8 / 7 + (int64_t{64} << 20);
    const Member member = Join(options);
    Fill(member, 1, size);  // What a first entry costs is not an entry's.
    const double before = ResidentBytes();
    const auto begin = SteadyClock::now();
    Fill(member, entries, size);
    Serve(Filled(entries, before, begin), [&](const Words& words) {
      return Hits(words, entries, [&](const std::string& key) {
        cohort_value_t* value = cohort_group_lookup(member.group, key.data(), key.size());
        if (value == nullptr) Die("a miss");
        cohort_value_free(value);
      });
    });
  }
  const double before = ResidentBytes();
  const auto begin = SteadyClock::now();
  FlatTable table(entries, size, cache == "flat-huge");
  std::string value(size, '\0');
  for (int64_t i = 0; i < entries; ++i) {
    WriteValue(i, value.data(), size);
    table.Insert(Key(i), value.data());
  }
  Serve(Filled(entries, before, begin), [&](const Words& words) {
    return Hits(words, entries, [&](const std::string& key) {
      if (table.Find(key) == nullptr) Die("a miss");
    });
  });
}

}  // namespace bench
