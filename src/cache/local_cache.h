// LocalCache is one group's memory on this node: a main tier for keys it owns and a hot tier for copies of others',
// under one budget (P5). It decides what leaves; it never loads. Thread safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>

#include "cache/ages.h"
#include "cache/loan.h"
#include "cache/shards.h"
#include "cache/terms.h"
#include "cache/value.h"
#include "runtime/thread_counts.h"

namespace cohort {

// The time, read only when something turns on it.
class LazyTime {
 public:
  // A time that is known.
  // NOLINTNEXTLINE(google-explicit-constructor)
  LazyTime(int64_t unix_ns) : clock_(nullptr), read_(nullptr), unix_ns_(unix_ns) {}
  // What `clock`, which must live on, says then: `read(clock)`.
  LazyTime(const void* clock, int64_t (*read)(const void*)) : clock_(clock), read_(read), unix_ns_(0) {}
  int64_t operator()() const { return read_ == nullptr ? unix_ns_ : read_(clock_); }

 private:
  const void* clock_;
  int64_t (*read_)(const void*);
  int64_t unix_ns_;
};

// A tier of the host's own in place of ours. Calls come under the lock of the key's flight.
class CustomTier {
 public:
  virtual ~CustomTier() = default;
  virtual ValueRef Get(std::string_view key) = 0;
  virtual void Add(std::string_view key, const ValueRef& value) = 0;
  virtual void Remove(std::string_view key) = 0;
  virtual void Clear() = 0;
};

struct CacheOptions {
  int64_t cache_bytes = int64_t{64} << 20;  // Both tiers: main gets 7/8, hot the rest. <= 0: nothing is kept.
  int64_t max_entries = 0;                  // Both tiers, split likewise. 0: no limit.
  Policy policy = Policy::kAdaptive;
  // Told after the entry has left, with no lock held; not of Drop, overwriting, Reset or destruction.
  std::function<void(Tier, EvictReason, const ValueRef&)> on_evict;
  std::shared_ptr<CustomTier> custom_main;
  std::shared_ptr<CustomTier> custom_hot;
};

// A value that was copied; one that did not fit, or is so large that copying it would hold others up, is `value`
// instead.
struct FoundCopy {
  Tier tier = Tier::kMain;
  int64_t size = 0;
  int64_t expire_unix_ns = 0;
  ValueRef value;
};

class LocalCache {
 public:
  static std::unique_ptr<LocalCache> New(CacheOptions options);
  virtual ~LocalCache() = default;

  // The hash that every call takes: the same for equal keys, in this process only.
  static uint64_t Hash(std::string_view key);

  // The shortest way of a hit: hands the entry to `take(entry, tier, thread)`, which may lend it or copy it, in a stay
  // among the readers. False says nothing: the key may be absent, or need a closer look (one of the calls below). It is
  // compiled into the caller, calls nothing and does only what all such hits need: the fewer its instructions, the
  // sooner the processor comes to the next get, and waits for the memory of several at once.
  // REQUIRES: MayGlance(key).
  template <typename Take>
  bool Glance(std::string_view key, uint64_t hash, const Take& take);
  static bool MayGlance(std::string_view key) { return Entry::MayGlance(key); }

  // The live value, main before hot; an expired one is dropped and counted. Sets *tier on a hit.
  virtual ValueRef Find(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) = 0;
  // The same, lent: for hosts.
  virtual HeldValue Lend(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) = 0;
  // The same, copied to `to`, which has room for `room` bytes: false if there is no such value. A copy costs less than
  // a reference that is dropped again.
  virtual bool FindCopy(std::string_view key, uint64_t hash, const LazyTime& now, char* to, size_t room,
                        FoundCopy* found) = 0;
  // Larger values are referred to while they are copied, so that no stay among the readers is long.
  static constexpr size_t kMostInOneStay = size_t{16} << 10;
  // Begins to fetch from memory what finding these keys will need, so that many wait for it once. At most kMostFetched.
  static constexpr size_t kMostFetched = 32;
  virtual void Fetch(const uint64_t* hashes, size_t count) const = 0;
  // Keeps `value` under `key` in that tier, replacing what is there and dropping it from the other tier. False, and the
  // old value is gone all the same, if it has expired, does not fit its tier, or caching is off, or if it was loaded
  // and the policy refuses it.
  virtual bool Fill(Tier tier, std::string_view key, uint64_t hash, ValueRef value, const LazyTime& now,
                    Origin origin) = 0;
  // Forgets the key in both tiers.
  virtual void Drop(std::string_view key, uint64_t hash) = 0;
  // Forgets everything and takes a new budget.
  virtual void Reset(int64_t cache_bytes) = 0;
  // Drops expired entries, looking at no more than `max_entries` of them from where the last sweep ended; returns how
  // many entries it looked at.
  virtual int64_t Sweep(int64_t now_unix_ns, int64_t max_entries) = 0;
  virtual TierStats Stats(Tier tier) const = 0;
  // Of both tiers, since the cache was made.
  int64_t HitsEver() const;
  virtual bool enabled() const = 0;

 protected:
  // Each for a tier but kMisses; kCustom*: of the host's own tiers.
  enum Count : size_t { kHits, kMisses = kHits + kTiers, kCustomGets, kCustomHits = kCustomGets + kTiers };
  using Counts = ThreadCounts<size_t{kCustomHits} + kTiers>;

  explicit LocalCache(Policy policy) : stamping_(policy == Policy::kLru) {}

  // A hit is told to the entry in the stay among the readers in which it was found (as Ages::Tell),
  bool TellEntry(Entry* entry, unsigned tier) const { return ages_[tier].Tell(entry, stamping_); }
  // and then to the policy, if it wants to know. This thread has had so many hits.
  void TellPolicy(Shard* shard, const Entry* entry, uint64_t hash, Entry::State state, bool counted, int64_t hits) {
    if (stamping_) [[unlikely]] {
      ages_[state.tier].OnCount(hits);
    }
    if (state.notes_hits) [[unlikely]] {
      shard->OnNotedHit(entry, hash, counted, hits);
    }
  }

  // Read by every get.
  const bool stamping_;  // Hits stamp entries, as LRU wants it; else they are counted.
  Shards shards_;
  std::array<Ages, kTiers> ages_;
  Counts counts_;
};

template <typename Take>
[[gnu::always_inline]] inline bool LocalCache::Glance(std::string_view key, uint64_t hash, const Take& take) {
  const uint32_t count = shards_.glance_count();
  const ReadingThread thread = ReadingThread::Current();
  if (count == 0 || !thread || !Counts::HasOwn(thread.number())) [[unlikely]] {
    return false;
  }
  Shard* const shard = shards_.At(Shards::PlaceOf(hash, count));
  Entry* entry = nullptr;
  Entry::State state;
  bool counted = false;
  {
    const Reading reading(thread);
    entry = shard->Glance(key, hash);
    if (entry == nullptr) [[unlikely]] {
      return false;
    }
    state = entry->state();
    if (!take(entry, state.tier, thread)) [[unlikely]] {
      return false;
    }
    counted = TellEntry(entry, state.tier);
  }
  TellPolicy(shard, entry, hash, state, counted, counts_.AddOwn(thread.number(), kHits + state.tier));
  return true;
}

}  // namespace cohort
