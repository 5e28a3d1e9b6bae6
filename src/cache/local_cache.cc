#include "cache/local_cache.h"

#include <utility>

#include "cache/key_hash.h"
#include "cache/sharded_cache.h"

namespace cohort {

std::unique_ptr<LocalCache> LocalCache::New(CacheOptions options) {
  return std::make_unique<ShardedCache>(std::move(options));
}

uint64_t LocalCache::Hash(std::string_view key) { return KeyHash(key); }

int64_t LocalCache::HitsEver() const {
  int64_t hits = 0;
  for (unsigned tier = 0; tier < kTiers; ++tier) hits += counts_.Ever(kHits + tier) + counts_.Ever(kCustomHits + tier);
  return hits;
}

}  // namespace cohort
