// Finding with a closer look than a glance: without a lock where that is sure, else with it, or with the host's tiers.
#include <algorithm>
#include <cstring>
#include <utility>

#include "cache/sharded_cache.h"

namespace cohort {
namespace {

bool CopyOf(const ValueRef& value, char* to, size_t room, FoundCopy* found) {
  if (!value) return false;
  const std::string_view bytes = value->bytes();
  found->size = static_cast<int64_t>(bytes.size());
  found->expire_unix_ns = value->expire_unix_ns();
  if (bytes.size() > room) {
    found->value = value;
  } else if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return true;
}

}  // namespace

void ShardedCache::Fetch(const uint64_t* hashes, size_t count) const {
  const Reading reading;
  uint32_t shards = 0;
  for (size_t i = 0; i < count; ++i) {
    if (const Shard* const shard = shards_.Of(hashes[i], &shards); shard != nullptr) shard->FetchSlot(hashes[i]);
  }
  for (size_t i = 0; i < count; ++i) {
    if (const Shard* const shard = shards_.Of(hashes[i], &shards); shard != nullptr) shard->FetchEntry(hashes[i]);
  }
}

template <typename Take>
Shard::Found ShardedCache::Look(std::string_view key, uint64_t hash, const LazyTime& now, const Take& take) {
  uint32_t count = 0;
  Shard* const shard = has_custom_ ? nullptr : shards_.Of(hash, &count);
  if (shard == nullptr) return Shard::Found::kUnsure;
  Entry* hit = nullptr;
  Entry::State state{};
  bool counted = false;
  const Shard::Found found = shard->Find(count, key, hash, now, [&](Entry* entry) {
    hit = entry;
    state = entry->state();
    counted = TellEntry(entry, state.tier);
    take(entry, state.tier);
  });
  if (found == Shard::Found::kHit) {
    TellPolicy(shard, hit, hash, state, counted, counts_.Add(kHits + state.tier));
  } else if (found == Shard::Found::kMiss) {
    counts_.Add(kMisses);
  }
  return found;
}

ValueRef ShardedCache::Find(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) {
  ValueRef value;
  const Shard::Found found = Look(key, hash, now, [&](Entry* entry, unsigned number) {
    entry->Ref();
    value = ValueRef(entry);
    *tier = TierOf(number);
  });
  return found == Shard::Found::kUnsure ? FindSlowly(key, hash, now(), tier) : value;
}

HeldValue ShardedCache::Lend(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) {
  HeldValue value;
  const Shard::Found found = Look(key, hash, now, [&](Entry* entry, unsigned number) {
    value = HeldValue::Lend(entry, ReadingThread::Current());
    *tier = TierOf(number);
  });
  return found == Shard::Found::kUnsure ? HeldValue(FindSlowly(key, hash, now(), tier)) : value;
}

bool ShardedCache::FindCopy(std::string_view key, uint64_t hash, const LazyTime& now, char* to, size_t room,
                            FoundCopy* found) {
  ValueRef large;
  const Shard::Found how = Look(key, hash, now, [&](Entry* entry, unsigned number) {
    const std::string_view bytes = entry->bytes();
    found->tier = TierOf(number);
    found->size = static_cast<int64_t>(bytes.size());
    found->expire_unix_ns = entry->expire_unix_ns();
    if (bytes.size() <= std::min(room, kMostInOneStay)) {
      if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    } else {
      entry->Ref();
      large = ValueRef(entry);
    }
  });
  if (how == Shard::Found::kUnsure) return CopyOf(FindSlowly(key, hash, now(), &found->tier), to, room, found);
  return large ? CopyOf(large, to, room, found) : how == Shard::Found::kHit;
}

ValueRef ShardedCache::FindSlowly(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier) {
  return has_custom_ ? FindBeside(key, hash, now_unix_ns, tier) : FindOurs(key, hash, now_unix_ns, tier);
}

// With the lock.
ValueRef ShardedCache::FindOurs(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier) {
  for (;;) {
    uint32_t count = 0;
    Shard* const shard = shards_.Of(hash, &count);
    if (shard == nullptr) return ValueRef();
    ValueRef value;
    switch (shard->FindAlone(count, key, hash, now_unix_ns, &value)) {
      case Shard::Found::kElsewhere:
        continue;
      case Shard::Found::kHit: {
        Entry* const entry = Entry::Of(value.get());
        const unsigned number = entry->tier();
        TellEntry(entry, number);
        ages_[number].OnCount(counts_.Add(kHits + number));
        *tier = TierOf(number);
        return value;
      }
      case Shard::Found::kExpired:
        DropExpired(key, hash, now_unix_ns);
        [[fallthrough]];
      default:
        counts_.Add(kMisses);
        return ValueRef();
    }
  }
}

// With a tier of the host's own in place of one of ours, or both.
ValueRef ShardedCache::FindBeside(std::string_view key, uint64_t hash, int64_t now_unix_ns, Tier* tier) {
  if (!enabled()) return ValueRef();
  ValueRef value;
  for (unsigned number = 0; number < kTiers; ++number) {
    value = tiers_[number].custom == nullptr ? FindOurs(key, hash, now_unix_ns, tier)
                                             : FindCustom(number, key, now_unix_ns);
    if (!value) continue;
    *tier = TierOf(number);
    return value;
  }
  return value;
}

ValueRef ShardedCache::FindCustom(unsigned tier, std::string_view key, int64_t now_unix_ns) {
  TierState& state = tiers_[tier];
  counts_.Add(kCustomGets + tier);
  ValueRef value = state.custom->Get(key);
  if (!value) return value;
  if (value->ExpiredAt(now_unix_ns)) {
    state.custom->Remove(key);
    return ValueRef();
  }
  counts_.Add(kCustomHits + tier);
  return value;
}

// A find has only shared the shard, so by now the entry may be another, and live:
//   1. the find sees an expired entry and leaves the shard;
//   2. a fill replaces it;
//   3. here the new one is found, and stays.
void ShardedCache::DropExpired(std::string_view key, uint64_t hash, int64_t now_unix_ns) {
  Graveyard dead(options_.on_evict, LimboOfThisThread());
  std::optional<Shard::Writer> shard = Write(hash);
  if (!shard) return;
  Entry* const entry = shard->Find(key, hash);
  if (entry == nullptr || !entry->ExpiredAt(now_unix_ns)) return;
  shard->Remove(entry);
  TierState& state = tiers_[entry->tier()];
  state.budget.Give(Room{entry->ChargedBytes(), 1});
  shard->CountExpired(entry->tier());
  dead.AddEvicted(entry, EvictReason::kExpired);
}

}  // namespace cohort
