// History remembers keys that a cache does not hold: about how often each was asked for of late (a count-min sketch),
// and which ones left it recently (two Bloom filters in turn). It takes about 5.5 bytes for each entry of the cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cohort {

// Keys are known by a hash of 64 good bits. Sizes itself by the number of entries that it is told; without memory it
// remembers nothing. Nothing here takes long at once: what must be done to all counters is done a little with each Add.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the compiler's own loop in the implicit copy of the arrays.
class History {
 public:
  static constexpr unsigned kMost = 15;

  // How many entries the cache has. Said often: counts grow with it, and keep what they have when they do.
  void Fit(int64_t entries) {
    entries_ = entries;
    if (entries > fits_up_to_ || entries < fits_from_) Resize();
  }

  // Asks for the memory in which that key's counters are.
  void Fetch(uint64_t hash) const {
    if (!blocks_.empty()) __builtin_prefetch(&blocks_[BlockOf(hash)], 1);
  }
  void Add(uint64_t hash, unsigned times = 1);
  // How often, up to kMost; at times more, because keys share counters. All counts are halved when those of ten times
  // as many requests as entries are in, so what was popular once is forgotten.
  unsigned Frequency(uint64_t hash) const;

  void Left(uint64_t hash);
  // Whether it is one of about the last 0.6 to 1.2 times as many as there are entries; true for one in 50 others.
  bool LeftRecently(uint64_t hash) const;

  void Forget();
  int64_t MemoryBytes() const;

 private:
  // 64 counters of 4 bits. A key has four of one block, one in each 16.
  using Block = std::array<uint64_t, 4>;
  // 512 bits. A key has three of one group, in either filter.
  using Group = std::array<uint64_t, 8>;

  void Resize();
  // A number below `range`, in proportion to the hash's upper half.
  static size_t Scale(uint64_t hash, size_t range) { return static_cast<size_t>((hash >> 32) * range >> 32); }
  size_t BlockOf(uint64_t hash) const { return Scale(hash, blocks_.size()); }
  size_t GroupOf(uint64_t hash) const { return Scale(hash, groups_[0].size()); }
  void HalveSome();

  int64_t entries_ = 0;
  int64_t fits_from_ = 0;
  int64_t fits_up_to_ = 0;
  std::vector<Block> blocks_;
  int64_t added_ = 0;
  size_t halved_ = 0;  // Blocks of the present round; all of them: no round is on.
  std::vector<Group> groups_[2];
  unsigned filling_ = 0;  // Which of the two.
  int64_t left_ = 0;      // In that one.
};

}  // namespace cohort
