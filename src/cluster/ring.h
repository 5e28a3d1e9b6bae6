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
  void DivideIntoSectors(const RingOptions& options);

  HashFunction hash_;
  std::vector<Point> points_;  // Ascending.
  // The circle in equal sectors, as many as a power of two: where the points of each begin, and then all of them end.
  std::vector<uint32_t> sectors_;
  int sector_shift_ = 63;  // What is left of a hash is its sector; if that is too much, the last one.
};

}  // namespace cohort
