#include "cluster/get_queue.h"

namespace cohort {

void GetQueue::Push(std::string_view group, Id id, size_t bytes) {
  auto lane = lanes_.find(group);
  if (lane == lanes_.end()) {
    lane = lanes_.emplace(std::string(group), Lane()).first;
    turns_.push_back(lane);
  }
  lane->second.push_back({id, bytes});
  ++size_;
}

std::vector<GetQueue::Id> GetQueue::Take(size_t most, size_t most_bytes, const std::function<bool(Id)>& wanted) {
  std::vector<Id> taken;
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
      lanes_.erase(lane);
    } else if (counts && turns_.size() > 1) {
      turns_.pop_front();
      turns_.push_back(lane);
    }
  }
  return taken;
}

}  // namespace cohort
