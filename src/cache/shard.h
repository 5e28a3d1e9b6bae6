// Shard is a part of the keys of one cache, of both tiers: an index, a policy for each tier, and a lock for whoever
// changes them. Gets take no lock and write nothing that other threads' gets write, but for a note of the hit where a
// policy wants to know the order of hits.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/lock_soon.h"
#include "cache/ages.h"
#include "cache/entry.h"
#include "cache/index.h"
#include "cache/policy.h"
#include "cache/terms.h"
#include "runtime/epochs.h"

namespace cohort {

class alignas(64) Shard {
 public:
  // kUnsure: it takes the lock to say. kElsewhere: the cache has another number of shards by now, so ask again.
  enum class Found { kHit, kMiss, kUnsure, kExpired, kElsewhere };

  // `judges`: of the tiers (policy.h); so `ages`.
  Shard(Policy policy, const std::array<Judge*, kTiers>& judges, std::array<Ages, kTiers>* ages);

  // Looks the key up without the lock: kHit, kMiss, or kUnsure. Hands the entry of a hit to `take(entry)`, which may
  // refer to it or copy it, in a stay among the readers, and counts or stamps the hit. `shard_count`: how many the
  // caller thinks that the cache has. `now()` is the time, asked for when something turns on it.
  template <typename Now, typename Take>
  Found Find(uint32_t shard_count, std::string_view key, uint64_t hash, const Now& now, const Take& take);
  // As Index::Glance.
  Entry* Glance(std::string_view key, uint64_t hash) const { return index_.Glance(key, hash); }
  // Notes a hit that the policy wants to know of: of hits that the entry has not counted, one in seven, as the thread
  // counts its own. The entry may have left by now. REQUIRES: no stay among the readers.
  [[gnu::noinline]] void OnNotedHit(const Entry* entry, uint64_t hash, bool counted, int64_t hits);
  // The same as Find with the lock, which is always sure. The entry of a hit, whose hit is noted, but not yet told to
  // it.
  Found FindAlone(uint32_t shard_count, std::string_view key, uint64_t hash, int64_t now_unix_ns, ValueRef* value);

  // As Index::FetchSlot and FetchEntry. REQUIRES: a stay among the readers.
  void FetchSlot(uint64_t hash) const { index_.FetchSlot(hash); }
  void FetchEntry(uint64_t hash) const { index_.FetchEntry(hash); }

  // Of one tier, changed under the lock only and read at any time.
  struct Totals {
    std::atomic<int64_t> payload_bytes{0};  // Keys and values.
    std::atomic<int64_t> items{0};
    std::atomic<int64_t> evictions{0};
    std::atomic<int64_t> expirations{0};
  };
  const Totals& totals(unsigned tier) const { return totals_[tier]; }

  // Has the shard alone, and every hit before it told to the policies.
  class Writer {
   public:
    explicit Writer(Shard* shard) : shard_(shard) {
      LockSoon(&shard_->mutex_);
      shard_->MoveVersionOn();
      shard_->Drain();
    }
    Writer(Writer&& other) noexcept : shard_(std::exchange(other.shard_, nullptr)) {}
    Writer& operator=(Writer&&) = delete;
    ~Writer() {
      if (shard_ == nullptr) return;
      shard_->MoveVersionOn();
      shard_->mutex_.unlock();
    }

    uint32_t shard_count() const { return shard_->shard_count_.load(std::memory_order_relaxed); }
    Entry* Find(std::string_view key, uint64_t hash) const { return shard_->index_.Find(key, hash); }
    // As those of EvictionPolicy. Whatever memory the fill will look at is asked for at its beginning, or at the end of
    // the one before, so that it waits for all of it at once. `full`: somebody has to leave.
    void Arrive(const Entry* newcomer, uint64_t hash, bool full);
    Entry* Victim(unsigned tier, Entry* newcomer, bool may_refuse, const Room& spare) {
      return shard_->policies_[tier]->Victim(newcomer, may_refuse, spare);
    }
    // As Index::MakeRoom.
    Entry* MakeRoom(uint64_t hash) { return shard_->index_.MakeRoom(hash); }
    // False: no memory. REQUIRES: MakeRoom returned null; the entry has its hash and tier.
    bool Insert(Entry* entry);
    // The caller takes over the cache's reference and claim.
    void Remove(Entry* entry);
    // Of one that is removed, why: it has expired, or room was needed.
    void CountExpired(unsigned tier) { Add(&shard_->totals_[tier].expirations, 1); }
    void CountEvicted(unsigned tier) { Add(&shard_->totals_[tier].evictions, 1); }
    // As Index::Walk; the expired are removed as by Remove and handed to `each(entry)`. Where nothing can expire it is
    // done at once.
    template <typename Each>
    int64_t Walk(Index::Cursor* cursor, int64_t max, int64_t now_unix_ns, Each&& each);
    // Removes all, handing each to `each(entry)`, starts counting afresh, and from here on counts as one of
    // `shard_count` shards; 0: of none.
    template <typename Each>
    void Clear(uint32_t shard_count, Each&& each);
    void SetCapacity(unsigned tier, int64_t charged_bytes, int64_t entries, bool alone) {
      shard_->policies_[tier]->SetCapacity(charged_bytes, entries, alone);
    }

   private:
    Shard* shard_;
  };

 private:
  static constexpr uint64_t kNotes = 64;

  void Note(const Entry* entry, uint64_t hash);
  void TryDrain();
  void Drain();
  void Forget(Entry* entry);
  // Nobody else writes it under the lock, so no locked instruction is needed. Who sees a change of the index, each of
  // which is a release, sees the odd version before it.
  void MoveVersionOn() { version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  static void Add(std::atomic<int64_t>* total, int64_t more) {
    total->store(total->load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  // Read by every get; written when the shard changes.
  Index index_;
  std::atomic<uint64_t> version_{0};  // Odd while a writer is in.
  std::atomic<uint32_t> shard_count_{0};
  std::atomic<bool> full_of_notes_{false};
  // Written by writers.
  alignas(64) std::mutex mutex_;
  std::unique_ptr<EvictionPolicy> policies_[kTiers];
  Totals totals_[kTiers];
  int64_t expiring_ = 0;  // Entries that expire some time.
  // Written by gets that leave notes: how many were left ever, and, by who drained them, how many of these are gone.
  alignas(64) std::atomic<uint64_t> notes_left_{0};
  std::atomic<uint64_t> notes_gone_{0};
  std::array<std::atomic<uint64_t>, kNotes> notes_{};
};

// A hit and a removal of the same entry:
//   1. the reader finds the entry and takes a reference, or copies its bytes;
//   2. a writer removes it, and keeps the cache's own reference until every reader of that time has left (limbo.h).
// So what is found can always be taken. A miss is different: a writer that moves entries in the index, or replaces the
// value of a key, shows a key absent for a moment in which it never is. A miss that saw no writer come, be in or leave
// is true; any other is asked again with the lock.
template <typename Now, typename Take>
Shard::Found Shard::Find(uint32_t shard_count, std::string_view key, uint64_t hash, const Now& now, const Take& take) {
  Entry* entry = nullptr;
  {
    const Reading reading;
    const uint64_t version = version_.load(std::memory_order_acquire);
    entry = index_.Find(key, hash);
    if (entry == nullptr) [[unlikely]] {
      const bool sure = version % 2 == 0 && shard_count_.load(std::memory_order_acquire) == shard_count &&
                        version_.load(std::memory_order_acquire) == version;
      return sure ? Found::kMiss : Found::kUnsure;
    }
    if (entry->expires() && entry->ExpiredAt(now())) [[unlikely]] {
      return Found::kUnsure;
    }
    take(entry);
  }
  return Found::kHit;
}

template <typename Each>
int64_t Shard::Writer::Walk(Index::Cursor* cursor, int64_t max, int64_t now_unix_ns, Each&& each) {
  if (shard_->expiring_ == 0) {
    cursor->Finish();
    return 0;
  }
  return shard_->index_.Walk(cursor, max, [&](Entry* entry) {
    if (!entry->ExpiredAt(now_unix_ns)) return false;
    shard_->Forget(entry);
    each(entry);
    return true;
  });
}

template <typename Each>
void Shard::Writer::Clear(uint32_t shard_count, Each&& each) {
  shard_->index_.Clear([&](Entry* entry) {
    shard_->Forget(entry);
    each(entry);
  });
  for (Totals& totals : shard_->totals_) {
    totals.evictions.store(0, std::memory_order_relaxed);
    totals.expirations.store(0, std::memory_order_relaxed);
  }
  shard_->shard_count_.store(shard_count, std::memory_order_release);
}

}  // namespace cohort
