#include "cache/history.h"

#include <algorithm>
#include <new>

namespace cohort {

namespace {

constexpr uint64_t kOddBits = 0x1111111111111111;

// The position of a key's counter among the 16 of that word.
unsigned ShiftOf(uint64_t hash, unsigned word) { return static_cast<unsigned>(hash >> (word * 4) & 15) * 4; }

}  // namespace

// What holds counts grows by doubling: as a key's block is in proportion to its hash, its counts are then in both
// halves of the former block's room. Small caches get more counters for each entry: they cost next to nothing there.
void History::Resize() {
  constexpr int64_t kFewestEntries = 10;
  constexpr int64_t kFewEntries = 100;
  constexpr int64_t kManyEntries = 1024;
  const auto for_entries = [](int64_t entries) {
    return entries * (entries <= kFewEntries ? 12 : entries <= kManyEntries ? 6 : 3);
  };
  size_t blocks = 1;
  while (static_cast<int64_t>(blocks * sizeof(Block)) < for_entries(std::max(entries_, kFewestEntries))) blocks *= 2;
  if (blocks < blocks_.size()) Forget();
  const size_t groups = std::max<size_t>(blocks / 8, 1);
  try {
    std::vector<Block> more_blocks(blocks, Block{});
    std::vector<Group> more_groups[2] = {std::vector<Group>(groups, Group{}), std::vector<Group>(groups, Group{})};
    for (size_t i = 0; i < blocks && !blocks_.empty(); ++i) more_blocks[i] = blocks_[i * blocks_.size() / blocks];
    for (unsigned which = 0; which < 2; ++which) {
      const std::vector<Group>& old = groups_[which];
      for (size_t i = 0; i < groups && !old.empty(); ++i) more_groups[which][i] = old[i * old.size() / groups];
    }
    blocks_.swap(more_blocks);
    groups_[0].swap(more_groups[0]);
    groups_[1].swap(more_groups[1]);
  } catch (const std::bad_alloc&) {
    Forget();
  }
  halved_ = blocks_.size();
  const auto bytes = static_cast<int64_t>(blocks * sizeof(Block));
  fits_up_to_ = bytes < kManyEntries * 6 ? bytes / 6 : std::max(kManyEntries, bytes / 3);
  fits_from_ = blocks > 2 ? fits_up_to_ / 8 : 0;
}

void History::Add(uint64_t hash, unsigned times) {
  if (blocks_.empty() || times == 0) return;
  Block& block = blocks_[BlockOf(hash)];
  for (unsigned word = 0; word < block.size(); ++word) {
    const unsigned shift = ShiftOf(hash, word);
    const uint64_t count = block[word] >> shift & kMost;
    block[word] += std::min<uint64_t>(times, kMost - count) << shift;
  }
  added_ += times;
  if (halved_ < blocks_.size()) {
    HalveSome();
  } else if (added_ >= 10 * std::max<int64_t>(entries_, 16)) {
    added_ /= 2;
    halved_ = 0;
  }
}

// Some keys' counts are halved before others': for a moment of a few hundred requests they look less popular.
void History::HalveSome() {
  const size_t until = std::min(halved_ + 4, blocks_.size());
  for (; halved_ < until; ++halved_) {
    for (uint64_t& word : blocks_[halved_]) word = word >> 1 & (kOddBits * 7);
  }
}

unsigned History::Frequency(uint64_t hash) const {
  if (blocks_.empty()) return 0;
  const Block& block = blocks_[BlockOf(hash)];
  uint64_t least = kMost;
  for (unsigned word = 0; word < block.size(); ++word) {
    least = std::min(least, block[word] >> ShiftOf(hash, word) & kMost);
  }
  return static_cast<unsigned>(least);
}

void History::Left(uint64_t hash) {
  if (groups_[0].empty()) return;
  if (left_ >= std::max<int64_t>(entries_ * 6 / 10, 1)) {
    filling_ = 1 - filling_;
    std::fill(groups_[filling_].begin(), groups_[filling_].end(), Group{});
    left_ = 0;
  }
  ++left_;
  Group& group = groups_[filling_][GroupOf(hash)];
  for (unsigned bit = 0; bit < 27; bit += 9) {
    const auto at = static_cast<unsigned>(hash >> bit & 511);
    group[at / 64] |= uint64_t{1} << (at % 64);
  }
}

bool History::LeftRecently(uint64_t hash) const {
  if (groups_[0].empty()) return false;
  for (const std::vector<Group>& groups : groups_) {
    const Group& group = groups[GroupOf(hash)];
    bool all = true;
    for (unsigned bit = 0; bit < 27; bit += 9) {
      const auto at = static_cast<unsigned>(hash >> bit & 511);
      all = all && (group[at / 64] >> (at % 64) & 1) != 0;
    }
    if (all) return true;
  }
  return false;
}

void History::Forget() {
  const int64_t entries = entries_;
  *this = History();
  entries_ = entries;
}

int64_t History::MemoryBytes() const {
  return static_cast<int64_t>(blocks_.capacity() * sizeof(Block) +
                              (groups_[0].capacity() + groups_[1].capacity()) * sizeof(Group));
}

}  // namespace cohort
