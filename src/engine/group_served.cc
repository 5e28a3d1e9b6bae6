// What peers ask of this node. None of it asks another peer (P3): a key that this node does not own is answered from
// the cache or loaded here, and kept as a copy.
#include <algorithm>
#include <array>
#include <utility>

#include "cache/key_hash.h"
#include "engine/group.h"

namespace cohort {

void Group::ServeHits(const std::string_view* keys, size_t count, ValueRef* found) {
  if (refusing()) return;
  const std::shared_ptr<const PeerSet> peers = context_->peers();
  int64_t hits = 0;
  int64_t misrouted = 0;
  std::array<uint64_t, LocalCache::kMostFetched> hashes;
  for (size_t begin = 0; begin < count; begin += hashes.size()) {
    const size_t many = std::min(count - begin, hashes.size());
    for (size_t i = 0; i < many; ++i) hashes[i] = KeyHash(keys[begin + i]);
    if (many > 1) Fetch(hashes.data(), many);
    for (size_t i = 0; i < many; ++i) {
      const std::string_view key = keys[begin + i];
      Tier tier = Tier::kMain;
      ValueRef& value = found[begin + i];
      const bool found_at_a_glance =
          LocalCache::MayGlance(key) && cache_->Glance(key, hashes[i], [&value](Entry* entry, unsigned, ReadingThread) {
            entry->Ref();
            value = ValueRef(entry);
            return true;
          });
      if (!found_at_a_glance) value = cache_->Find(key, hashes[i], context_->LazyUnixTime(), &tier);
      if (!value) continue;
      ++hits;
      if (!Owns(peers, key)) ++misrouted;
    }
  }
  if (hits == 0) return;
  stats_.Add(Counter::kServedToPeers, hits);
  if (misrouted > 0) stats_.Add(Counter::kMisrouted, misrouted);
}

uint64_t Group::ServeGet(std::string_view key, int64_t timeout_ms, UniqueFunction<void(Answer)> done) {
  stats_.Add(Counter::kServedToPeers);
  if (!Owns(context_->peers(), key)) stats_.Add(Counter::kMisrouted);
  // Shared, because only one of the two ends happens: at once, or in the waiter.
  const auto end = std::make_shared<UniqueFunction<void(Answer)>>(std::move(done));
  GetAnswer answer;
  const Begun begun = Begin(
      key, kLocal | kMissed, timeout_ms,
      [end] {
        return std::make_unique<CallbackWaiter>(
            [end](const Outcome& outcome) {
              if (outcome.ok()) {
                (*end)({Status(), outcome.value, outcome.keep});
              } else {
                (*end)({Status(outcome.code, std::string(outcome.message())), ValueRef(), true});
              }
            },
            nullptr);
      },
      &answer);
  if (begun == Begun::kHit) {
    (*end)({Status(), std::move(answer.value), true});
  } else if (begun == Begun::kFailed) {
    (*end)({std::move(answer.status), ValueRef(), true});
  }
  return begun == Begun::kPending ? answer.ticket : 0;
}

void Group::ServeCancel(uint64_t wait) { EndWait(wait, Code::kCancelled, "the asking peer waits no more"); }

void Group::ServeSet(std::string_view key, std::string_view value, int64_t expire_unix_ns, bool from_cohort) {
  stats_.Add(Counter::kSetsFromPeers);
  const bool mine = Owns(context_->peers(), key);
  const bool expired = expire_unix_ns != 0 && expire_unix_ns <= context_->NowUnixNs();
  if (refusing() || expired || (!mine && from_cohort)) {
    Drop(key);
    return;
  }
  Store(mine ? Tier::kMain : Tier::kHot, key, Value::Copy(key, value, expire_unix_ns));
}

void Group::ServeRemove(std::string_view key) {
  stats_.Add(Counter::kRemovesFromPeers);
  Drop(key);
}

}  // namespace cohort
