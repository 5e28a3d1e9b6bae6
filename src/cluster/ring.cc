#include "cluster/ring.h"

#include <openssl/evp.h>
#include <xxhash.h>
#include <zlib.h>

#include <algorithm>
#include <stdexcept>

namespace cohort {
namespace {

uint64_t Fnv1(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash *= 0x100000001b3;
    hash ^= static_cast<unsigned char>(c);
  }
  return hash;
}

uint64_t Crc32(std::string_view text) {
  return crc32_z(0, reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

uint64_t Xxh3(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

HashFunction HashOf(const RingOptions& options) {
  if (options.hash) return options.hash;
  switch (options.preset) {
    case RingPreset::kGroupcacheV3:
      return Fnv1;
    case RingPreset::kGroupcache:
      return Crc32;
    case RingPreset::kXxh3:
      return Xxh3;
  }
  return Fnv1;
}

// MD5 spreads groupcache's points; it guards nothing.
class Md5 {
 public:
  Md5() : algorithm_(EVP_MD_fetch(nullptr, "MD5", "-fips")), context_(EVP_MD_CTX_new()) {}
  Md5(const Md5&) = delete;
  Md5& operator=(const Md5&) = delete;
  ~Md5() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(algorithm_);
  }

  std::string Hex(std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (algorithm_ == nullptr || context_ == nullptr || EVP_DigestInit_ex2(context_, algorithm_, nullptr) != 1 ||
        EVP_DigestUpdate(context_, text.data(), text.size()) != 1 || EVP_DigestFinal_ex(context_, digest, &size) != 1) {
      throw std::runtime_error("OpenSSL offers no MD5, which groupcache's ring is made of; choose the ring xxh3");
    }
    constexpr char kHex[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(size * 2);
    for (unsigned i = 0; i < size; ++i) {
      hex.push_back(kHex[digest[i] >> 4]);
      hex.push_back(kHex[digest[i] & 15]);
    }
    return hex;
  }

 private:
  EVP_MD* algorithm_;
  EVP_MD_CTX* context_;
};

}  // namespace

Ring::Ring(const RingOptions& options, const std::vector<std::string>& addresses) : hash_(HashOf(options)) {
  const bool v3 = options.preset == RingPreset::kGroupcacheV3;
  Md5 md5;
  points_.reserve(addresses.size() * static_cast<size_t>(options.replicas));
  for (size_t peer = 0; peer < addresses.size(); ++peer) {
    for (int i = 0; i < options.replicas; ++i) {
      const std::string name = std::to_string(i) + addresses[peer];
      points_.push_back({hash_(v3 ? md5.Hex(name) : name), static_cast<int>(peer)});
    }
  }
  std::stable_sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.hash < b.hash; });
  // Two points in one place: golang/groupcache keeps the peer that was added last. groupcache-go v3 leaves it to its
  // sort, which keeps the first in small rings; so do we. With 64 good bits it does not happen.
  const auto same = [](const Point& a, const Point& b) { return a.hash == b.hash; };
  if (options.preset == RingPreset::kGroupcache) {
    points_.erase(points_.begin(), std::unique(points_.rbegin(), points_.rend(), same).base());
  } else {
    points_.erase(std::unique(points_.begin(), points_.end(), same), points_.end());
  }
  DivideIntoSectors(options);
}

// Hashes spread evenly, so that a sector holds a point or two, and one search of all points becomes a look into a
// table and a short search. Should they not, it is the search of all points that it was.
void Ring::DivideIntoSectors(const RingOptions& options) {
  const bool short_hashes = options.preset == RingPreset::kGroupcache && !options.hash;
  constexpr int kMostBits = 16;
  int bits = 1;
  while (bits < kMostBits && (size_t{1} << bits) < points_.size()) ++bits;
  sector_shift_ = (short_hashes ? 32 : 64) - bits;
  const uint64_t sectors = uint64_t{1} << bits;
  sectors_.reserve(sectors + 1);
  for (const Point& point : points_) {
    const uint64_t sector = point.hash >> sector_shift_;
    const auto at = static_cast<uint32_t>(&point - points_.data());
    while (sectors_.size() <= sector) sectors_.push_back(at);
  }
  sectors_.resize(sectors + 1, static_cast<uint32_t>(points_.size()));
}

int Ring::Owner(std::string_view key) const { return OwnerOfHash(hash_(key)); }

// groupcache-go v3 compares hashes as signed numbers: its circle starts elsewhere, and is the same circle.
int Ring::OwnerOfHash(uint64_t hash) const {
  if (points_.empty()) return -1;
  const uint64_t sector = std::min<uint64_t>(hash >> sector_shift_, sectors_.size() - 2);
  const auto point_of = [this](uint32_t number) { return points_.begin() + static_cast<std::ptrdiff_t>(number); };
  // Where the sector has no point at or behind the hash, that is the first of the next ones.
  const auto at = std::lower_bound(point_of(sectors_[sector]), point_of(sectors_[sector + 1]), hash,
                                   [](const Point& point, uint64_t wanted) { return point.hash < wanted; });
  return at == points_.end() ? points_.front().peer : at->peer;
}

}  // namespace cohort
