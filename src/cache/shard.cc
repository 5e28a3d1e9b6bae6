#include "cache/shard.h"

#include <algorithm>

namespace cohort {

Shard::Shard(Policy policy, const std::array<Judge*, kTiers>& judges, std::array<Ages, kTiers>* ages) {
  for (unsigned tier = 0; tier < kTiers; ++tier) {
    policies_[tier] = EvictionPolicy::New(policy, judges[tier], &(*ages)[tier]);
  }
}

Shard::Found Shard::FindAlone(uint32_t shard_count, std::string_view key, uint64_t hash, int64_t now_unix_ns,
                              ValueRef* value) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (shard_count_.load(std::memory_order_relaxed) != shard_count) return Found::kElsewhere;
  Entry* const entry = index_.Find(key, hash);
  if (entry == nullptr) return Found::kMiss;
  if (entry->ExpiredAt(now_unix_ns)) return Found::kExpired;
  if (entry->state().notes_hits) Note(entry, hash);
  entry->Ref();
  *value = ValueRef(entry);
  return Found::kHit;
}

void Shard::OnNotedHit(const Entry* entry, uint64_t hash, bool counted, int64_t hits) {
  // Hits of what all plans keep say little about plans, but are most of all hits. An odd number, lest it keep step with
  // a loop.
  constexpr int64_t kOneIn = 7;
  if (!counted && hits % kOneIn != 0) return;
  Note(entry, hash);
  if (full_of_notes_.load(std::memory_order_relaxed)) TryDrain();
}

// Notes name entries by their hash and address (Index::NoteOf) and hold no reference: a note that outlives its entry
// finds nothing, or another entry in the same place, which then counts as used. Notes are lost, which only makes the
// order of use less exact, when they come faster than anybody drains them, or when a get is held up between taking its
// place and writing there. One thread alone loses none: the get that takes the last place drains them all.
void Shard::Note(const Entry* entry, uint64_t hash) {
  const uint64_t left = notes_left_.fetch_add(1, std::memory_order_relaxed);
  const uint64_t place = left - notes_gone_.load(std::memory_order_relaxed);
  if (place < kNotes) notes_[place].store(Index::NoteOf(entry, hash), std::memory_order_release);
  // The last place, or one of the tries after that has failed.
  if (place + 1 >= kNotes && (place + 1) % (kNotes / 4) == 0) full_of_notes_.store(true, std::memory_order_relaxed);
}

void Shard::TryDrain() {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) Drain();
}

// REQUIRES: the lock.
void Shard::Drain() {
  const uint64_t left = notes_left_.load(std::memory_order_relaxed);
  const uint64_t gone = notes_gone_.load(std::memory_order_relaxed);
  if (left == gone) return;
  const uint64_t places = std::min(left - gone, kNotes);
  for (uint64_t i = 0; i < places; ++i) {
    const uint64_t note = notes_[i].exchange(0, std::memory_order_acquire);
    if (note == 0) continue;
    if (Entry* const entry = index_.FindNoted(note); entry != nullptr) policies_[entry->tier()]->OnHit(entry);
  }
  full_of_notes_.store(false, std::memory_order_relaxed);
  notes_gone_.store(left, std::memory_order_relaxed);
}

void Shard::Forget(Entry* entry) {
  policies_[entry->tier()]->OnRemove(entry);
  Add(&totals_[entry->tier()].payload_bytes, -entry->PayloadBytes());
  Add(&totals_[entry->tier()].items, -1);
  if (entry->expires()) --expiring_;
}

void Shard::Writer::Arrive(const Entry* newcomer, uint64_t hash, bool full) {
  EvictionPolicy& policy = *shard_->policies_[newcomer->tier()];
  shard_->index_.FetchSlot(hash);
  if (full) {
    for (const Entry* entry : policy.Next()) {
      if (entry != nullptr) shard_->index_.FetchSlot(entry->hash_bits());
    }
  }
  policy.OnArrive(newcomer, hash);
}

bool Shard::Writer::Insert(Entry* entry) {
  if (!shard_->policies_[entry->tier()]->OnInsert(entry)) return false;
  Add(&shard_->totals_[entry->tier()].payload_bytes, entry->PayloadBytes());
  Add(&shard_->totals_[entry->tier()].items, 1);
  if (entry->expires()) ++shard_->expiring_;
  shard_->index_.Insert(entry);  // From here on it is found.
  for (const Entry* next : shard_->policies_[entry->tier()]->Next()) {
    if (next != nullptr) next->FetchHeader();
  }
  return true;
}

void Shard::Writer::Remove(Entry* entry) {
  shard_->index_.Remove(entry);
  shard_->Forget(entry);
}

}  // namespace cohort
