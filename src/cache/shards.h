// Shards are the parts of one cache, and how a get finds its own: by the hash of the key.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "cache/shard.h"
#include "cache/tiers.h"

namespace cohort {

// Thread safe, but for what changes which shards there are: that is for one thread at a time.
class Shards {
 public:
  Shards() = default;
  ~Shards() {
    for (const auto& shard : shards_) delete shard.load(std::memory_order_acquire);
  }
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  // How many are part of the cache; 0 while caching is off or being reset. A shard that is part of it says the same
  // number.
  uint32_t count() const { return count_.load(std::memory_order_acquire); }
  // The same, or 0 if a glance helps no get.
  uint32_t glance_count() const { return glance_count_.load(std::memory_order_acquire); }
  // That of a hash, as it is now; null: caching is off.
  Shard* Of(uint64_t hash, uint32_t* count) const {
    *count = this->count();
    return *count == 0 ? nullptr : At(PlaceOf(hash, *count));
  }
  static uint32_t PlaceOf(uint64_t hash, uint32_t count) { return static_cast<uint32_t>(hash >> 58) & (count - 1); }
  // Null: it was never needed.
  Shard* At(uint32_t i) const { return shards_[i].load(std::memory_order_acquire); }

  // Made when first needed; kept until the end, because a get may still be about to look into one.
  void Put(uint32_t i, Shard* shard) { shards_[i].store(shard, std::memory_order_release); }
  void SetCount(uint32_t count, bool glance_helps) {
    count_.store(count, std::memory_order_release);
    glance_count_.store(glance_helps ? count : 0, std::memory_order_release);
  }

 private:
  std::atomic<uint32_t> count_{0};
  std::atomic<uint32_t> glance_count_{0};
  std::array<std::atomic<Shard*>, kMaxShards> shards_{};
};

}  // namespace cohort
