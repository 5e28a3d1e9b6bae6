#include "cluster/get_queue.h"

namespace cohort {

void GetQueue::Push(std::string_view group, Id id, size_t bytes) {
  if (latest_ == lanes_.end() || latest_->first != group) {
    latest_ = lanes_.find(group);
    if (latest_ == lanes_.end()) {
      latest_ = lanes_.emplace(std::string(group), Lane()).first;
      turns_.push_back(latest_);
    }
  }
  latest_->second.push_back({id, bytes});
  ++size_;
}

}  // namespace cohort
