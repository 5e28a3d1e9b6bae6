// Ring says which peer owns a key: consistent hashing with several points per peer. Immutable once built.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cohort {

enum class RingPreset : int32_t { kGroupcacheV3 = 0, kGroupcache = 1, kXxh3 = 2 };

using HashFunction = std::function<uint64_t(std::string_view)>;

struct RingOptions {
  RingPreset preset = RingPreset::kGroupcacheV3;
  int replicas = 50;
  HashFunction hash;  // In place of the preset's when set.
};

class Ring {
 public:
  // REQUIRES: replicas >= 1; addresses are distinct. Throws std::runtime_error if kGroupcacheV3 finds no MD5 in
  // OpenSSL.
  Ring(const RingOptions& options, const std::vector<std::string>& addresses);

  // Index into the addresses of the key's owner; -1 when there are none.
  int Owner(std::string_view key) const;
  // The same for a key whose ring hash is known.
  int OwnerOfHash(uint64_t hash) const;
  uint64_t Hash(std::string_view key) const { return hash_(key); }

 private:
  struct Point {
    uint64_t hash;
    int peer;
  };
  HashFunction hash_;
  std::vector<Point> points_;  // Ascending.
};

}  // namespace cohort
