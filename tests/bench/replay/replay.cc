#include "bench/replay/replay.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bench/replay/reference.h"
#include "cache/entry.h"
#include "cache/local_cache.h"

namespace cohort::replay {

namespace {

const std::string kReference = "reference:";

// Bytes that no value owns: replaying takes little memory.
ValueRef ValueOf(const std::string& key, bool bytes) {
  static const std::string all(size_t{1} << 15, 'v');
  const auto size = static_cast<size_t>(bytes ? SizeOf(key) : 0);
  return Value::Borrow(key, std::string_view(all).substr(0, size), 0, nullptr, nullptr);
}

// A main tier of just that room: it gets seven eighths.
int64_t Both(int64_t room) { return room / 7 * 8 + room % 7; }

Result ReplayThroughCache(const Trace& trace, Policy policy, int64_t room, bool bytes) {
  CacheOptions options;
  options.policy = policy;
  options.cache_bytes = bytes ? Both(room) : int64_t{1} << 36;
  options.max_entries = bytes ? 0 : Both(room);
  const std::unique_ptr<LocalCache> cache = LocalCache::New(options);
  Result result{room, 0, 0};
  for (const uint32_t request : trace.requests) {
    const std::string& key = trace.keys[request];
    const uint64_t hash = LocalCache::Hash(key);
    Tier tier = Tier::kMain;
    ++result.requests;
    if (cache->Find(key, hash, 0, &tier)) {
      ++result.hits;
    } else {
      cache->Fill(Tier::kMain, key, hash, ValueOf(key, bytes), 0, Origin::kLoad);
    }
  }
  return result;
}

}  // namespace

Room ParseRoom(const std::string& text, bool bytes) {
  Room room;
  room.bytes = bytes;
  size_t read = 0;
  try {
    room.amount = std::stod(text, &read);
  } catch (const std::exception&) {
    read = 0;
  }
  room.percent = read > 0 && text.substr(read) == "%";
  if (read == 0 || (read != text.size() && !room.percent) || !(room.amount > 0) || room.amount > 1e15) {
    throw std::runtime_error("\"" + text + "\" is neither a positive number nor a percentage");
  }
  return room;
}

Result Replay(const Trace& trace, const std::string& policy, const Room& room) {
  std::vector<int64_t> sizes(trace.keys.size(), 1);
  int64_t all = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (room.bytes) sizes[i] = Entry::Of(ValueOf(trace.keys[i], true).get())->ChargedBytes();
    all += sizes[i];
  }
  const double amount = room.percent ? static_cast<double>(all) * room.amount / 100 : room.amount;
  const int64_t capacity = std::max<int64_t>(std::llround(amount), 1);
  if (policy == "adaptive") return ReplayThroughCache(trace, Policy::kAdaptive, capacity, room.bytes);
  if (policy == "lru") return ReplayThroughCache(trace, Policy::kLru, capacity, room.bytes);
  std::unique_ptr<Reference> reference;
  if (policy.rfind(kReference, 0) == 0) reference = Reference::New(policy.substr(kReference.size()), capacity, sizes);
  if (reference == nullptr) {
    std::string names = "adaptive, lru";
    for (const std::string_view name : Reference::kNames) names += ", " + kReference + std::string(name);
    throw std::runtime_error("there is no policy \"" + policy + "\"; there are " + names);
  }
  Result result{capacity, 0, 0};
  for (const uint32_t request : trace.requests) {
    ++result.requests;
    if (reference->Get(request)) ++result.hits;
  }
  return result;
}

}  // namespace cohort::replay
