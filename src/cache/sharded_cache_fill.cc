// Filling: room first, from the shard's own victims or from all shards, then the entry.
#include <mutex>
#include <new>
#include <utility>

#include "cache/sharded_cache.h"

namespace cohort {
namespace {

// The value itself as an entry for this cache, if it has this key and no other cache has it; else a new one around it.
// Null: no memory.
Entry* Adopt(std::string_view key, ValueRef* value) {
  Entry* const own = Entry::Of(value->get());
  if (own->key() == key) {
    if (own->OnlyReference()) {
      own->ClaimAlone();  // Nor has a cache: it would have a reference.
      return Entry::Of(value->release());
    }
    if (own->Claim()) return Entry::Of(value->release());
  }
  try {
    Entry* const entry = Entry::Of(Value::Wrap(key, *value, (*value)->expire_unix_ns()).release());
    entry->Claim();
    return entry;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

bool ShardedCache::Fill(Tier tier, std::string_view key, uint64_t hash, ValueRef value, const LazyTime& now,
                        Origin origin) {
  if (!enabled()) return false;
  const unsigned number = NumberOf(tier);
  TierState& state = tiers_[number];
  if (!value || (value->expires() && value->ExpiredAt(now()))) {
    Drop(key, hash);
    return false;
  }
  if (TierState& other = tiers_[1 - number]; other.custom != nullptr) other.custom->Remove(key);
  if (state.custom != nullptr) {
    DropOurs(key, hash);
    state.custom->Add(key, value);
    return true;
  }
  Graveyard dead(options_.on_evict, LimboOfThisThread());
  Entry* const entry = Adopt(key, &value);
  if (entry == nullptr) {
    DropOurs(key, hash);
    state.rejected.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  entry->SetHash(hash);
  entry->set_tier(number);
  const Newcomer newcomer{entry, hash, number, entry->ChargedBytes(), now, origin};
  Filled filled = FillFromShard(newcomer, &dead);
  if (filled == Filled::kNeedsAllShards) filled = FillFromAllShards(newcomer, &dead);
  if (filled != Filled::kYes) dead.Add(entry);
  return filled == Filled::kYes;
}

// Fills with room from the key's own shard: what the old value leaves, what is free, what victims leave. Everything
// happens in one hold of its lock, and the room of what leaves passes to the newcomer without being free in between; so
// no get sees the key absent, and no other fill takes the room.
ShardedCache::Filled ShardedCache::FillFromShard(const Newcomer& newcomer, Graveyard* dead) {
  std::optional<Shard::Writer> shard = Write(newcomer.hash);
  if (!shard) return Filled::kNo;
  TierState& state = tiers_[newcomer.tier];
  Room room;
  shard->Arrive(newcomer.entry, newcomer.hash, !state.budget.HasRoom(newcomer.charged_bytes));
  RemoveOld(&*shard, newcomer, &room, dead);
  if (!state.budget.Fits(newcomer.charged_bytes)) return Reject(newcomer, room);
  while (!state.budget.Cover(newcomer.charged_bytes, &room)) {
    Entry* const victim =
        shard->Victim(newcomer.tier, newcomer.entry, newcomer.origin == Origin::kLoad, state.budget.Spare(room));
    if (victim == newcomer.entry) return Reject(newcomer, room);
    if (victim == nullptr) {
      state.budget.Give(room);
      return Filled::kNeedsAllShards;
    }
    Evict(&*shard, victim, newcomer, &room, dead);
  }
  return Insert(&*shard, newcomer, room, dead);
}

// Fills a value that needs more room than its own shard can give: the shards give up one entry each in turn. Only one
// shard's lock is held at a time, so this cannot wait in a circle with anybody; and one fill of a tier gathers at a
// time, because of
//   1. two fills that each need the whole tier and each have half of it in hand;
//   2. neither ever gets the other half.
// What it has in hand stays charged, and others can only take what is free, so it ends.
ShardedCache::Filled ShardedCache::FillFromAllShards(const Newcomer& newcomer, Graveyard* dead) {
  TierState& state = tiers_[newcomer.tier];
  std::lock_guard<std::mutex> gathering(state.gathering);  // Keeps Reset out, so the count stays as it is.
  const uint32_t count = shards_.count();
  if (count == 0) return Filled::kNo;
  Room room;
  if (!state.budget.Fits(newcomer.charged_bytes)) return Reject(newcomer, room);
  while (!state.budget.Cover(newcomer.charged_bytes, &room)) {
    const uint32_t next = next_to_give_.fetch_add(1, std::memory_order_relaxed) & (count - 1);
    Shard::Writer shard(shards_.At(next));
    Entry* const victim = shard.Victim(newcomer.tier, nullptr, false, Room());
    if (victim != nullptr) Evict(&shard, victim, newcomer, &room, dead);
  }
  Shard::Writer shard(shards_.At(Shards::PlaceOf(newcomer.hash, count)));
  Room old;
  RemoveOld(&shard, newcomer, &old, dead);  // Another fill of the key may have come in between.
  state.budget.Give(old);
  return Insert(&shard, newcomer, room, dead);
}

// Removes what either tier has under the key; room in the newcomer's own tier goes to it.
void ShardedCache::RemoveOld(Shard::Writer* shard, const Newcomer& newcomer, Room* room, Graveyard* dead) {
  Entry* const old = shard->Find(newcomer.entry->key(), newcomer.hash);
  if (old == nullptr) return;
  shard->Remove(old);
  const int64_t charged_bytes = old->ChargedBytes();
  if (old->tier() == newcomer.tier) {
    room->bytes += charged_bytes;
    room->items += 1;
  } else {
    tiers_[old->tier()].budget.Give(Room{charged_bytes, 1});
  }
  dead->Add(old);
}

// The room goes to the newcomer, or free if it was in the other tier.
void ShardedCache::Evict(Shard::Writer* shard, Entry* victim, const Newcomer& newcomer, Room* room, Graveyard* dead) {
  shard->Remove(victim);
  const unsigned tier = victim->tier();
  const int64_t charged_bytes = victim->ChargedBytes();
  if (tier == newcomer.tier) {
    room->bytes += charged_bytes;
    room->items += 1;
  } else {
    tiers_[tier].budget.Give(Room{charged_bytes, 1});
  }
  const bool expired = victim->expires() && victim->ExpiredAt(newcomer.now());
  if (expired) {
    shard->CountExpired(tier);
  } else {
    shard->CountEvicted(tier);
  }
  dead->AddEvicted(victim, expired ? EvictReason::kExpired : EvictReason::kRoom);
}

// REQUIRES: `room` is what the newcomer needs; the shard has nothing under its key.
ShardedCache::Filled ShardedCache::Insert(Shard::Writer* shard, const Newcomer& newcomer, Room room, Graveyard* dead) {
  if (!Index::Addressable(newcomer.entry)) return Reject(newcomer, room);
  try {
    while (Entry* const in_the_way = shard->MakeRoom(newcomer.hash)) {
      Room freed;
      Evict(shard, in_the_way, newcomer, &freed, dead);
      tiers_[newcomer.tier].budget.Give(freed);
    }
  } catch (const std::bad_alloc&) {
    return Reject(newcomer, room);
  }
  return shard->Insert(newcomer.entry) ? Filled::kYes : Reject(newcomer, room);
}

ShardedCache::Filled ShardedCache::Reject(const Newcomer& newcomer, Room room) {
  TierState& state = tiers_[newcomer.tier];
  state.budget.Give(room);
  state.rejected.fetch_add(1, std::memory_order_relaxed);
  return Filled::kNo;
}

}  // namespace cohort
