// LocalCache is one group's memory on this node: a main tier for keys it owns and a hot tier for copies of others',
// under one budget (P5). It decides what leaves; it never loads. Thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "cache/value.h"

namespace cohort {

enum class Tier : int32_t { kMain = 1, kHot = 2 };
enum class Policy : int32_t { kLru = 0, kAdaptive = 1 };
// Where a value that is filled comes from. A policy may find that one which was loaded is not worth its room.
enum class Origin : int32_t { kLoad, kSet };
enum class EvictReason : int32_t { kRoom = 1, kExpired = 2 };

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

struct TierStats {
  int64_t bytes = 0;          // Keys and values.
  int64_t charged_bytes = 0;  // Overheads included: what the budget limits.
  int64_t budget_bytes = 0;
  int64_t items = 0;
  int64_t gets = 0;
  int64_t hits = 0;
  int64_t evictions = 0;
  int64_t expirations = 0;
  int64_t rejected = 0;
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

  // The live value, main before hot; an expired one is dropped and counted. Sets *tier on a hit.
  virtual ValueRef Find(std::string_view key, uint64_t hash, const LazyTime& now, Tier* tier) = 0;
  // The same, copied to `to`, which has room for `room` bytes: false if there is no such value. A copy costs less than
  // a reference that is dropped again.
  virtual bool FindCopy(std::string_view key, uint64_t hash, const LazyTime& now, char* to, size_t room,
                        FoundCopy* found) = 0;
  // Begins to fetch from memory what finding these keys will need, so that many wait for it once. At most kMostFetched.
  static constexpr size_t kMostFetched = 32;
  virtual void Fetch(const uint64_t* hashes, size_t count) const = 0;
  // Keeps `value` under `key` in that tier, replacing what is there and dropping it from the other tier. False, and the
  // old value is gone all the same, if it has expired, does not fit its tier, or caching is off, or if it was loaded
  // and the policy refuses it.
  virtual bool Fill(Tier tier, std::string_view key, uint64_t hash, ValueRef value, int64_t now_unix_ns,
                    Origin origin) = 0;
  // Forgets the key in both tiers.
  virtual void Drop(std::string_view key, uint64_t hash) = 0;
  // Forgets everything and takes a new budget.
  virtual void Reset(int64_t cache_bytes) = 0;
  // Drops expired entries, looking at no more than `max_entries` of them from where the last sweep ended; returns how
  // many entries it looked at.
  virtual int64_t Sweep(int64_t now_unix_ns, int64_t max_entries) = 0;
  virtual TierStats Stats(Tier tier) const = 0;
  virtual bool enabled() const = 0;
};

}  // namespace cohort
