// Shard is a part of the keys of one cache, of both tiers: an index, a policy for each tier, and a lock. Hits go in
// together and leave a note in a ring; whoever has the shard alone first reads the notes to the policies.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "cache/entry.h"
#include "cache/index.h"
#include "cache/local_cache.h"
#include "cache/policy.h"
#include "cache/shard_lock.h"

namespace cohort {

constexpr unsigned kTiers = 2;
constexpr unsigned NumberOf(Tier tier) { return tier == Tier::kMain ? 0 : 1; }
constexpr Tier TierOf(unsigned number) { return number == 0 ? Tier::kMain : Tier::kHot; }

class alignas(64) Shard {
 public:
  enum class Found { kHit, kMiss, kExpired, kElsewhere };

  struct Counts {
    int64_t payload_bytes[kTiers] = {};
    int64_t gets = 0;    // Of the main tier; every one that it missed asked the hot tier.
    int64_t misses = 0;  // Of both tiers.
    int64_t hot_hits = 0;
  };

  explicit Shard(Policy policy);

  // Looks the key up, if the cache still has as many shards as the caller thinks (else kElsewhere: ask again), and
  // notes the hit. Takes no exclusive lock unless the ring is full and nobody is in.
  Found Find(uint32_t shard_count, std::string_view key, uint64_t hash, int64_t now_unix_ns, ValueRef* value,
             Tier* tier);
  Counts Read();

  // Has the shard alone, and every hit before it told to the policies.
  class Writer {
   public:
    explicit Writer(Shard* shard) : shard_(shard) {
      shard_->lock_.Lock();
      shard_->Drain();
    }
    Writer(Writer&& other) noexcept : shard_(std::exchange(other.shard_, nullptr)) {}
    Writer& operator=(Writer&&) = delete;
    ~Writer() {
      if (shard_ != nullptr) shard_->lock_.Unlock();
    }

    uint32_t shard_count() const { return shard_->shard_count_; }
    Entry* Find(std::string_view key, uint64_t hash) const { return shard_->index_.Find(key, hash); }
    Entry* Victim(unsigned tier, Entry* newcomer) { return shard_->policies_[tier]->Victim(newcomer); }
    // As Index::MakeRoom.
    Entry* MakeRoom(uint64_t hash) { return shard_->index_.MakeRoom(hash); }
    // REQUIRES: MakeRoom returned null; the entry has its hash and tier.
    void Insert(Entry* entry);
    // The caller takes over the cache's reference and claim.
    void Remove(Entry* entry);
    // As Index::Walk; the expired are removed as by Remove and handed to `each(entry)`. Where nothing can expire it is
    // done at once.
    template <typename Each>
    int64_t Walk(Index::Cursor* cursor, int64_t max, int64_t now_unix_ns, Each&& each);
    // Removes all, handing each to `each(entry)`, starts counting afresh, and from here on counts as one of
    // `shard_count` shards; 0: of none.
    template <typename Each>
    void Clear(uint32_t shard_count, Each&& each);
    void SetCapacity(unsigned tier, int64_t charged_bytes, int64_t entries) {
      shard_->policies_[tier]->SetCapacity(charged_bytes, entries);
    }

   private:
    Shard* shard_;
  };

 private:
  static constexpr uint64_t kRing = 64;
  static constexpr uint64_t kTicketMask = (uint64_t{1} << ShardLock::kTicketBits) - 1;

  void Drain();
  void Forget(Entry* entry);

  ShardLock lock_;
  // Written by readers.
  std::atomic<int64_t> misses_{0};
  std::atomic<int64_t> hot_hits_{0};
  // Written under the exclusive lock only.
  alignas(64) uint32_t shard_count_ = 0;
  uint64_t first_ticket_ = 0;  // Of the ring's first place.
  Index index_;
  std::unique_ptr<EvictionPolicy> policies_[kTiers];
  int64_t payload_bytes_[kTiers] = {};
  int64_t expiring_ = 0;  // Entries that expire some time.
  int64_t gets_ = 0;      // Before first_ticket_.
  // Each place is written by the one reader that has its ticket.
  std::array<Entry*, kRing> ring_{};
};

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
  shard_->shard_count_ = shard_count;
  shard_->gets_ = 0;
  shard_->misses_.store(0, std::memory_order_relaxed);
  shard_->hot_hits_.store(0, std::memory_order_relaxed);
}

}  // namespace cohort
