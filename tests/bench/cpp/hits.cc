// Local hits: of Cohort's engine through the C ABI, of the flat table, and no lookup at all.
//
//   hits -cache cohort|flat|flat-huge|none -entries N       asked: "handle|copy|many THREADS SECONDS"
#include <cstring>
#include <functional>

#include "floor.h"
#include "keys.h"
#include "measure.h"
#include "member.h"
#include "subjects.h"

namespace bench {
namespace {

struct Orders {
  std::vector<std::string> keys;
  std::vector<std::vector<uint32_t>> orders;

  explicit Orders(int64_t entries) : keys(Keys(entries)) {
    for (uint64_t t = 0; t < 8; ++t) orders.push_back(ZipfOrder(entries, t));
  }
  uint32_t Index(int thread, int64_t call) const {
    return orders[static_cast<size_t>(thread) % orders.size()][static_cast<size_t>(call) % kOrder];
  }
  const std::string& Key(int thread, int64_t call) const { return keys[Index(thread, call)]; }
};

// The compiler must take it that somebody looks at the whole of a copy.
void Copied(const char* buffer) { asm volatile("" : : "r"(buffer) : "memory"); }

volatile uint64_t consumed;  // So that reading a value is never left out.

struct alignas(64) Sum {
  uint64_t value = 0;
};

// Ends the program when a key's value, as it comes out, is not the one that went in: a wrong cache is told, not
// measured.
void Verify(int64_t entries, const std::function<const void*(int64_t)>& get) {
  for (int64_t i = 0; i < entries; ++i) {
    const void* value = get(i);
    if (value == nullptr || !IsValue(i, value, kValueBytes)) {
      Die("the value of " + Key(i) + " is not the one that was set");
    }
  }
}

// Measures `get(key, buffer)`, which returns a byte of the value, or dies.
template <typename Get>
Json Hits(const Words& words, const Get& get) {
  std::vector<Sum> sums(static_cast<size_t>(words.Int(1)));
  Json json = Measure<false>(words.Int(1), words.Double(2), {}, 256, [&](int thread, int64_t call) {
    alignas(64) char buffer[kValueBytes];
    sums[static_cast<size_t>(thread)].value += static_cast<unsigned char>(get(thread, call, buffer));
    return 1;
  });
  for (const Sum& sum : sums) consumed = consumed + sum.value;
  return json;
}

Json CohortHandles(const Words& words, const Orders& orders, const Member& member) {
  return Hits(words, [&](int thread, int64_t call, char*) {
    const std::string& key = orders.Key(thread, call);
    cohort_value_t* value = cohort_group_lookup(member.group, key.data(), key.size());
    if (value == nullptr) Die("a miss");
    const char byte = static_cast<const char*>(cohort_value_data(value))[kValueBytes / 2];
    cohort_value_free(value);
    return byte;
  });
}

Json CohortCopies(const Words& words, const Orders& orders, const Member& member) {
  return Hits(words, [&](int thread, int64_t call, char* buffer) {
    const std::string& key = orders.Key(thread, call);
    if (cohort_group_try_copy(member.group, key.data(), key.size(), buffer, kValueBytes) != kValueBytes) Die("a miss");
    return buffer[kValueBytes / 2];
  });
}

Json CohortMany(const Words& words, const Orders& orders, const Member& member) {
  constexpr int kMany = 100;
  std::vector<Sum> sums(static_cast<size_t>(words.Int(1)));
  Json json = Measure<false>(words.Int(1), words.Double(2), {}, 4, [&](int thread, int64_t call) {
    std::string keys;
    std::vector<int64_t> sizes;
    for (int i = 0; i < kMany; ++i) {
      const std::string& key = orders.Key(thread, call * kMany + i);
      keys += key;
      sizes.push_back(static_cast<int64_t>(key.size()));
    }
    std::vector<cohort_answer_t> answers(kMany);
    if (cohort_group_begin_many(member.group, keys.data(), keys.size(), sizes.data(), kMany, COHORT_GET_PEEK, 0,
                                nullptr, 0, answers.data(), nullptr) != kMany) {
      Die("a miss");
    }
    for (const cohort_answer_t& answer : answers) {
      sums[static_cast<size_t>(thread)].value +=
          static_cast<const unsigned char*>(cohort_value_data(answer.value))[kValueBytes / 2];
      cohort_value_free(answer.value);
    }
    return kMany;
  });
  for (const Sum& sum : sums) consumed = consumed + sum.value;
  return json;
}

}  // namespace

void ServeHits(const Flags& flags) {
  const int64_t entries = flags.Number("-entries", 100'000);
  const Orders orders(entries);
  const std::string cache = flags.Text("-cache");
  if (cache == "cohort") {
    const Member member = Join({});
    Fill(member, entries, kValueBytes);
    char buffer[kValueBytes];
    Verify(entries, [&](int64_t i) -> const void* {
      const std::string& key = orders.keys[static_cast<size_t>(i)];
      const bool hit = cohort_group_try_copy(member.group, key.data(), key.size(), buffer, kValueBytes) == kValueBytes;
      return hit ? buffer : nullptr;
    });
    Serve({}, [&](const Words& words) {
      if (words[0] == "handle") return CohortHandles(words, orders, member);
      if (words[0] == "copy") return CohortCopies(words, orders, member);
      if (words[0] == "many") return CohortMany(words, orders, member);
      Die("hits are asked for as handle, copy or many");
    });
  }
  FlatTable table(entries, kValueBytes, cache == "flat-huge");
  for (int64_t i = 0; i < entries; ++i) table.Insert(Key(i), Value(i, kValueBytes).data());
  Verify(entries, [&](int64_t i) { return table.Find(Key(i)); });
  Serve({}, [&](const Words& words) {
    if (cache == "none") {
      return Hits(words, [&](int thread, int64_t call, char* buffer) {
        std::memcpy(buffer, table.At(orders.Index(thread, call)), kValueBytes);
        Copied(buffer);
        return buffer[kValueBytes / 2];
      });
    }
    const bool copy = words[0] == "copy";
    return Hits(words, [&, copy](int thread, int64_t call, char* buffer) {
      const char* found = table.Find(orders.Key(thread, call));
      if (found == nullptr) Die("a miss");
      if (!copy) return found[kValueBytes / 2];
      std::memcpy(buffer, found, kValueBytes);
      Copied(buffer);
      return buffer[kValueBytes / 2];
    });
  });
}

}  // namespace bench
