#include "bench/replay/reference.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "bench/replay/key_lists.h"

namespace cohort::replay {

namespace {

constexpr uint32_t kNoKey = KeyLists::kNoKey;

class Base : public Reference {
 public:
  Base(int64_t capacity, const std::vector<int64_t>& sizes) : capacity_(capacity), sizes_(sizes), lists_(sizes) {}

 protected:
  const int64_t capacity_;
  const std::vector<int64_t>& sizes_;
  KeyLists lists_;
};

class Lru final : public Base {
 public:
  using Base::Base;
  bool Get(uint32_t key) override {
    if (lists_.ListOf(key) == 0) {
      lists_.MoveToNewest(0, key);
      return true;
    }
    if (sizes_[key] > capacity_) return false;
    while (lists_.Size(0) + sizes_[key] > capacity_) lists_.RemoveOldest(0);
    lists_.MoveToNewest(0, key);
    return false;
  }
};

// Zhang et al., SIEVE is Simpler than LRU, NSDI 2024: a hand goes from the oldest to the newest and takes the first
// that was not visited since it last came by.
class Sieve final : public Base {
 public:
  Sieve(int64_t capacity, const std::vector<int64_t>& sizes) : Base(capacity, sizes), visited_(sizes.size()) {}
  bool Get(uint32_t key) override {
    if (lists_.ListOf(key) == 0) {
      visited_[key] = true;
      return true;
    }
    if (sizes_[key] > capacity_) return false;
    while (lists_.Size(0) + sizes_[key] > capacity_) EvictOne();
    visited_[key] = false;
    lists_.MoveToNewest(0, key);
    return false;
  }

 private:
  void EvictOne() {
    uint32_t key = hand_ != kNoKey ? hand_ : lists_.Oldest(0);
    while (visited_[key]) {
      visited_[key] = false;
      key = lists_.Newer(key) != kNoKey ? lists_.Newer(key) : lists_.Oldest(0);
    }
    hand_ = lists_.Newer(key);
    lists_.Remove(key);
  }

  std::vector<bool> visited_;
  uint32_t hand_ = kNoKey;
};

// Yang et al., FIFO Queues are All You Need for Cache Eviction, SOSP 2023: a small queue of a tenth, a main one, and a
// ghost as large as that.
class S3Fifo final : public Base {
 public:
  S3Fifo(int64_t capacity, const std::vector<int64_t>& sizes)
      : Base(capacity, sizes), small_(std::max<int64_t>(capacity / 10, 1)), hits_(sizes.size()) {}
  bool Get(uint32_t key) override {
    if (lists_.ListOf(key) <= kMain) {
      hits_[key] = std::min(hits_[key] + 1, 3);
      return true;
    }
    if (sizes_[key] > capacity_) return false;
    const unsigned joins = lists_.ListOf(key) == kGhost ? kMain : kSmall;
    lists_.Remove(key);
    while (lists_.Size(kSmall) + lists_.Size(kMain) + sizes_[key] > capacity_) EvictOne();
    hits_[key] = 0;
    lists_.MoveToNewest(joins, key);
    return false;
  }

 private:
  enum : unsigned { kSmall, kMain, kGhost };

  void EvictOne() {
    if (lists_.Size(kSmall) < small_ && lists_.Oldest(kMain) != kNoKey) {
      EvictFromMain();
      return;
    }
    while (lists_.Oldest(kSmall) != kNoKey) {
      const uint32_t key = lists_.Oldest(kSmall);
      if (hits_[key] < 2) {
        lists_.MoveToNewest(kGhost, key);
        while (lists_.Size(kGhost) > capacity_ - small_) lists_.RemoveOldest(kGhost);
        return;
      }
      hits_[key] = 0;
      lists_.MoveToNewest(kMain, key);
      while (lists_.Size(kMain) > capacity_ - small_) EvictFromMain();
    }
  }
  void EvictFromMain() {
    uint32_t key = lists_.Oldest(kMain);
    for (; hits_[key] > 0; key = lists_.Oldest(kMain)) {
      --hits_[key];
      lists_.MoveToNewest(kMain, key);
    }
    lists_.Remove(key);
  }

  const int64_t small_;
  std::vector<int> hits_;
};

// Megiddo and Modha, ARC: A Self-Tuning, Low Overhead Replacement Cache, FAST 2003.
class Arc final : public Base {
 public:
  using Base::Base;
  bool Get(uint32_t key) override {
    const unsigned list = lists_.ListOf(key);
    if (list <= kOften) {
      lists_.MoveToNewest(kOften, key);
      return true;
    }
    const int64_t size = sizes_[key];
    if (size > capacity_) return false;
    if (list == kOnceGone || list == kOftenGone) {
      Aim(list, size);
      lists_.Remove(key);
      MakeRoom(size, list == kOftenGone);
      lists_.MoveToNewest(kOften, key);
      return false;
    }
    if (lists_.Size(kOnce) + lists_.Size(kOnceGone) + size > capacity_) {
      RemoveUntil(kOnceGone, [&] { return lists_.Size(kOnce) + lists_.Size(kOnceGone) + size <= capacity_; });
      RemoveUntil(kOnce, [&] { return lists_.Size(kOnce) + size <= capacity_; });
    } else {
      RemoveUntil(kOftenGone, [&] {
        return lists_.Size(kOnce) + lists_.Size(kOften) + lists_.Size(kOnceGone) + lists_.Size(kOftenGone) + size <=
               2 * capacity_;
      });
    }
    MakeRoom(size, false);
    lists_.MoveToNewest(kOnce, key);
    return false;
  }

 private:
  enum : unsigned { kOnce, kOften, kOnceGone, kOftenGone };

  void Aim(unsigned list, int64_t size) {
    const auto once = static_cast<double>(std::max<int64_t>(lists_.Size(kOnceGone), 1));
    const auto often = static_cast<double>(std::max<int64_t>(lists_.Size(kOftenGone), 1));
    const double step = static_cast<double>(size) * std::max(1.0, list == kOnceGone ? often / once : once / often);
    aim_ = std::clamp(list == kOnceGone ? aim_ + step : aim_ - step, 0.0, static_cast<double>(capacity_));
  }
  void MakeRoom(int64_t size, bool was_often) {
    while (lists_.Size(kOnce) + lists_.Size(kOften) + size > capacity_) {
      const auto once = static_cast<double>(lists_.Size(kOnce));
      const bool from_once =
          once > 0 && (once > aim_ || (was_often && once >= aim_) || lists_.Oldest(kOften) == kNoKey);
      lists_.MoveToNewest(from_once ? kOnceGone : kOftenGone, lists_.Oldest(from_once ? kOnce : kOften));
    }
  }
  template <typename Done>
  void RemoveUntil(unsigned list, Done&& done) {
    while (!done() && lists_.Oldest(list) != kNoKey) lists_.RemoveOldest(list);
  }

  double aim_ = 0;  // For what was asked for once.
};

// A count-min sketch of 4 bits a counter that halves its counts when it has seen ten times as many requests as entries.
class Sketch {
 public:
  explicit Sketch(int64_t entries) : halve_at_(std::max<int64_t>(entries * 10, 10)) {
    size_t width = 16;
    while (width < static_cast<size_t>(entries) * 4) width *= 2;
    for (auto& row : rows_) row.resize(width);
  }
  void Add(uint32_t key) {
    bool added = false;
    for (unsigned row = 0; row < rows_.size(); ++row) {
      uint8_t& counter = rows_[row][Place(key, row)];
      if (counter == 15) continue;
      ++counter;
      added = true;
    }
    if (!added || ++added_ < halve_at_) return;
    for (auto& row : rows_) {
      for (uint8_t& counter : row) counter /= 2;
    }
    added_ /= 2;
  }
  int Of(uint32_t key) const {
    int least = 15;
    for (unsigned row = 0; row < rows_.size(); ++row) least = std::min<int>(least, rows_[row][Place(key, row)]);
    return least;
  }

 private:
  size_t Place(uint32_t key, unsigned row) const {
    uint64_t hash = (key + 1 + (uint64_t{row} << 32)) * 0x9E3779B97F4A7C15;
    hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93;
    return static_cast<size_t>(hash ^ hash >> 32) % rows_[row].size();
  }

  const int64_t halve_at_;
  int64_t added_ = 0;
  std::array<std::vector<uint8_t>, 4> rows_;
};

// Einziger, Friedman and Manes, TinyLFU, TOS 2017: a window of 1 % in LRU order, and a main part in two segments, of
// which four fifths are protected.
class WTinyLfu final : public Base {
 public:
  WTinyLfu(int64_t capacity, const std::vector<int64_t>& sizes)
      : Base(capacity, sizes),
        window_(std::max<int64_t>(capacity / 100, 1)),
        main_(capacity - window_),
        sketch_(Entries(capacity, sizes)) {}
  bool Get(uint32_t key) override {
    sketch_.Add(key);
    switch (lists_.ListOf(key)) {
      case kWindow:
        lists_.MoveToNewest(kWindow, key);
        return true;
      case kProbation:
      case kProtected:
        lists_.MoveToNewest(kProtected, key);
        while (lists_.Size(kProtected) > main_ * 4 / 5) lists_.MoveToNewest(kProbation, lists_.Oldest(kProtected));
        return true;
      default:
        break;
    }
    if (sizes_[key] > capacity_) return false;
    lists_.MoveToNewest(kWindow, key);
    while (lists_.Size(kWindow) > window_) LeaveWindow(lists_.Oldest(kWindow));
    return false;
  }

 private:
  enum : unsigned { kWindow, kProbation, kProtected };

  void LeaveWindow(uint32_t key) {
    lists_.Remove(key);
    if (sizes_[key] > main_) return;
    while (lists_.Size(kProbation) + lists_.Size(kProtected) + sizes_[key] > main_) {
      const uint32_t victim = lists_.Oldest(lists_.Oldest(kProbation) != kNoKey ? kProbation : kProtected);
      if (sketch_.Of(key) <= sketch_.Of(victim)) return;
      lists_.Remove(victim);
    }
    lists_.MoveToNewest(kProbation, key);
  }
  static int64_t Entries(int64_t capacity, const std::vector<int64_t>& sizes) {
    int64_t all = 0;
    for (const int64_t size : sizes) all += size;
    return std::max<int64_t>(capacity * static_cast<int64_t>(sizes.size()) / std::max<int64_t>(all, 1), 1);
  }

  const int64_t window_;
  const int64_t main_;
  Sketch sketch_;
};

// Cherkasova, Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy, HP Laboratories 1998:
// who leaves has the least of hits by size, counted from the least of those who left before it was last asked for.
class Gdsf final : public Base {
 public:
  Gdsf(int64_t capacity, const std::vector<int64_t>& sizes)
      : Base(capacity, sizes), asked_(sizes.size()), worth_(sizes.size()) {}
  bool Get(uint32_t key) override {
    const bool hit = queue_.erase({worth_[key], key}) > 0;
    if (!hit) {
      if (sizes_[key] > capacity_) return false;
      while (load_ + sizes_[key] > capacity_) {
        const auto [worth, leaves] = *queue_.begin();
        queue_.erase(queue_.begin());
        load_ -= sizes_[leaves];
        asked_[leaves] = 0;
        least_ = worth;
      }
      load_ += sizes_[key];
    }
    worth_[key] = least_ + static_cast<double>(++asked_[key]) / static_cast<double>(sizes_[key]);
    queue_.emplace(worth_[key], key);
    return hit;
  }

 private:
  std::set<std::pair<double, uint32_t>> queue_;
  std::vector<int64_t> asked_;  // Since it came.
  std::vector<double> worth_;
  int64_t load_ = 0;
  double least_ = 0;
};

}  // namespace

std::unique_ptr<Reference> Reference::New(std::string_view name, int64_t capacity, const std::vector<int64_t>& sizes) {
  if (name == "lru") return std::make_unique<Lru>(capacity, sizes);
  if (name == "sieve") return std::make_unique<Sieve>(capacity, sizes);
  if (name == "s3fifo") return std::make_unique<S3Fifo>(capacity, sizes);
  if (name == "arc") return std::make_unique<Arc>(capacity, sizes);
  if (name == "wtinylfu") return std::make_unique<WTinyLfu>(capacity, sizes);
  if (name == "gdsf") return std::make_unique<Gdsf>(capacity, sizes);
  return nullptr;
}

}  // namespace cohort::replay
