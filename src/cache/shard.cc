#include "cache/shard.h"

namespace cohort {

Shard::Shard(Policy policy) {
  for (auto& tier_policy : policies_) tier_policy = EvictionPolicy::New(policy);
}

// Why a hit needs no exclusive lock. A reader and an eviction of the same entry:
//   1. the reader is in (shared), finds the entry and takes a reference;
//   2. the evicting thread waits for the exclusive lock until the reader has left, unlinks the entry and later drops
//   the
//      cache's reference; the reader's keeps the value alive.
// The note in the ring holds no reference. It cannot dangle:
//   1. the reader writes the entry's address into the place of its ticket, still in the shared lock;
//   2. any thread that removes an entry has the exclusive lock, and its first act was to read the ring empty.
// So between a note and the removal of its entry there is always a Drain. Notes are lost, which only makes the order of
// use less exact, when the ring is full while others are in, or when a reader had to wait for a writer that drained
// past its ticket. One thread alone loses none: the reader that takes the last place drains the ring when it leaves.
Shard::Found Shard::Find(uint32_t shard_count, std::string_view key, uint64_t hash, int64_t now_unix_ns,
                         ValueRef* value, Tier* tier) {
  Found found = Found::kMiss;
  const uint64_t ticket = lock_.LockShared();
  const uint64_t place = (ticket - first_ticket_) & kTicketMask;
  if (shard_count != shard_count_) {
    found = Found::kElsewhere;
  } else if (Entry* const entry = index_.Find(key, hash); entry != nullptr) {
    if (entry->ExpiredAt(now_unix_ns)) {
      found = Found::kExpired;
    } else {
      found = Found::kHit;
      entry->Ref();
      *value = ValueRef(entry);
      *tier = TierOf(entry->tier());
      if (place < kRing) ring_[place] = entry;
      if (entry->tier() != 0) hot_hits_.fetch_add(1, std::memory_order_release);
    }
  }
  if (found != Found::kHit) misses_.fetch_add(1, std::memory_order_release);
  lock_.UnlockShared();
  // The last place, or one of the tries after that has failed.
  if (place + 1 >= kRing && (place + 1) % (kRing / 4) == 0 && lock_.TryLock()) {
    Drain();
    lock_.Unlock();
  }
  return found;
}

// REQUIRES: the exclusive lock.
void Shard::Drain() {
  const uint64_t tickets = lock_.tickets();
  const uint64_t gets = (tickets - first_ticket_) & kTicketMask;
  const uint64_t places = gets < kRing ? gets : kRing;
  for (uint64_t i = 0; i < places; ++i) {
    // What the policy will touch: notes are of entries all over memory.
    constexpr uint64_t kAhead = 4;
    if (i + kAhead < places && ring_[i + kAhead] != nullptr) {
      __builtin_prefetch(ring_[i + kAhead]->prev, 1);
      __builtin_prefetch(ring_[i + kAhead]->next, 1);
    }
    Entry* const entry = ring_[i];
    if (entry == nullptr) continue;
    ring_[i] = nullptr;
    policies_[entry->tier()]->OnHit(entry);
  }
  gets_ += static_cast<int64_t>(gets);
  first_ticket_ = tickets;
}

// Misses and hot hits are read before the gets that led to them, so that the difference, main hits, is never negative.
Shard::Counts Shard::Read() {
  const std::unique_lock<std::mutex> hold = lock_.HoldWriters();
  Counts counts;
  counts.misses = misses_.load(std::memory_order_acquire);
  counts.hot_hits = hot_hits_.load(std::memory_order_acquire);
  counts.gets = gets_ + static_cast<int64_t>((lock_.tickets() - first_ticket_) & kTicketMask);
  for (unsigned tier = 0; tier < kTiers; ++tier) counts.payload_bytes[tier] = payload_bytes_[tier];
  return counts;
}

void Shard::Forget(Entry* entry) {
  policies_[entry->tier()]->OnRemove(entry);
  payload_bytes_[entry->tier()] -= entry->PayloadBytes();
  if (entry->expire_unix_ns() != 0) --expiring_;
}

void Shard::Writer::Insert(Entry* entry) {
  shard_->index_.Insert(entry);
  shard_->policies_[entry->tier()]->OnInsert(entry);
  shard_->payload_bytes_[entry->tier()] += entry->PayloadBytes();
  if (entry->expire_unix_ns() != 0) ++shard_->expiring_;
}

void Shard::Writer::Remove(Entry* entry) {
  shard_->index_.Remove(entry);
  shard_->Forget(entry);
}

}  // namespace cohort
