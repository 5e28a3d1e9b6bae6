// GetQueue holds the gets that wait for a free slot of their peer. Groups take turns, so that a group that asks for
// much does not keep another waiting; within a group the first come are the first to go. Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cohort {

class GetQueue {
 public:
  using Id = uint64_t;

  // bytes: what it adds to a request.
  void Push(std::string_view group, Id id, size_t bytes);
  // The next, up to so many and so many bytes, at least one. Those that are not `wanted` any more are left out; whoever
  // was pushed is taken at some time, wanted or not.
  std::vector<Id> Take(size_t most, size_t most_bytes, const std::function<bool(Id)>& wanted);
  // Those that are not wanted count.
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Item {
    Id id;
    size_t bytes;
  };
  using Lane = std::deque<Item>;

  std::map<std::string, Lane, std::less<>> lanes_;  // Of the groups for which something waits.
  std::deque<decltype(lanes_)::iterator> turns_;
  size_t size_ = 0;
};

}  // namespace cohort
