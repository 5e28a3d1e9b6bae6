// GetQueue holds the gets that wait for a free slot of their peer. Groups take turns, so that a group that asks for
// much does not keep another waiting; within a group the first come are the first to go. Not thread safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cohort {

class GetQueue {
 public:
  using Id = uint64_t;

  GetQueue() = default;
  GetQueue(const GetQueue&) = delete;
  GetQueue& operator=(const GetQueue&) = delete;

  // bytes: what it adds to a request.
  void Push(std::string_view group, Id id, size_t bytes);
  // The next, up to so many and so many bytes, at least one. Those that are not `wanted` any more are left out; whoever
  // was pushed is taken at some time, wanted or not.
  template <typename Wanted>
  std::vector<Id> Take(size_t most, size_t most_bytes, const Wanted& wanted);
  // Those that are not wanted count.
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Item {
    Id id;
    size_t bytes;
  };
  using Lane = std::deque<Item>;

  using Lanes = std::map<std::string, Lane, std::less<>>;

  Lanes lanes_;                            // Of the groups for which something waits.
  Lanes::iterator latest_ = lanes_.end();  // Where something was put last.
  std::deque<Lanes::iterator> turns_;
  size_t size_ = 0;
};

template <typename Wanted>
std::vector<GetQueue::Id> GetQueue::Take(size_t most, size_t most_bytes, const Wanted& wanted) {
  std::vector<Id> taken;
  taken.reserve(std::min(most, size_));
  size_t bytes = 0;
  while (!turns_.empty() && taken.size() < most) {
    const auto lane = turns_.front();
    const Item item = lane->second.front();
    if (!taken.empty() && bytes + item.bytes > most_bytes) break;
    lane->second.pop_front();
    --size_;
    // A group whose get is not wanted has lost nothing by it: it keeps its turn.
    const bool counts = wanted(item.id);
    if (counts) {
      taken.push_back(item.id);
      bytes += item.bytes;
    }
    if (lane->second.empty()) {
      turns_.pop_front();
      if (latest_ == lane) latest_ = lanes_.end();
      lanes_.erase(lane);
    } else if (counts && turns_.size() > 1) {
      turns_.pop_front();
      turns_.push_back(lane);
    }
  }
  return taken;
}

}  // namespace cohort
