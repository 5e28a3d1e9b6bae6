#include "cache/shadow.h"

#include <algorithm>

namespace cohort {

void Shadow::SetLimits(int64_t bytes, int64_t items) {
  limit_bytes_ = bytes;
  limit_items_ = items;
}

bool Shadow::Access(uint32_t tag, int64_t bytes) {
  if (buckets_.empty()) buckets_.assign(kMostItems, kNone);
  if (const Item item = Find(tag); item != kNone) {
    Node& node = nodes_[item];
    if (node.hits < 7) ++node.hits;
    return true;
  }
  // What would not fit is not asked about; a size of 4 GiB or more is simulated as that.
  bytes = std::min<int64_t>(bytes, UINT32_MAX);
  if (bytes > limit_bytes_) return false;
  by_items_ = static_cast<double>(all_items_) * static_cast<double>(limit_bytes_) >=
              static_cast<double>(all_bytes_) * static_cast<double>(limit_items_);
  const Arrival arrival{Spread(tag), by_items_ ? 1 : bytes, true, history_.LeftRecently(Spread(tag))};
  history_.Fit(static_cast<int64_t>(size()));
  history_.Add(arrival.hash);
  Chooser<Shadow> chooser(this, plan_, by_items_ ? limit_items_ : limit_bytes_);
  while (IsFull(bytes)) {
    const auto choice = chooser.Choose(arrival);
    if (choice.refuse || choice.leaves == kNone) {
      history_.Left(arrival.hash);
      return false;
    }
    chooser.Count(choice.leaves);
    history_.Left(HashOf(choice.leaves));
    Forget(choice.leaves);
  }
  const Item item = NewItem();
  nodes_[item] = Node{tag, static_cast<uint32_t>(bytes), kNone, kNone, *Bucket(tag), 0, 0, 0};
  *Bucket(tag) = item;
  Link(chooser.QueueFor(arrival), item);
  chooser.Settle();
  return false;
}

bool Shadow::IsFull(int64_t bytes) const { return all_bytes_ + bytes > limit_bytes_ || all_items_ >= limit_items_; }

Shadow::Item Shadow::Find(uint32_t tag) {
  Item item = *Bucket(tag);
  while (item != kNone && nodes_[item].tag != tag) item = nodes_[item].next;
  return item;
}

Shadow::Item Shadow::NewItem() {
  if (free_ != kNone) {
    const Item item = free_;
    free_ = nodes_[item].next;
    return item;
  }
  nodes_.emplace_back();
  return static_cast<Item>(nodes_.size() - 1);
}

void Shadow::MoveToNewest(unsigned queue, Item item) {
  Unlink(item);
  Link(queue, item);
}

void Shadow::Link(unsigned queue, Item item) {
  Node& node = nodes_[item];
  Queue& into = queues_[queue];
  node.queue = queue & (kPlanQueues - 1);
  node.stamp = rounds_.now();
  node.newer = kNone;
  node.older = into.newest;
  (node.older == kNone ? into.oldest : nodes_[node.older].newer) = item;
  into.newest = item;
  into.bytes += node.bytes;
  ++into.items;
  all_bytes_ += node.bytes;
  ++all_items_;
}

void Shadow::Unlink(Item item) {
  const Node& node = nodes_[item];
  Queue& from = queues_[node.queue];
  (node.newer == kNone ? from.newest : nodes_[node.newer].older) = node.older;
  (node.older == kNone ? from.oldest : nodes_[node.older].newer) = node.newer;
  from.bytes -= node.bytes;
  --from.items;
  all_bytes_ -= node.bytes;
  --all_items_;
}

void Shadow::Forget(Item item) {
  Unlink(item);
  Item* link = Bucket(nodes_[item].tag);
  while (*link != item) link = &nodes_[*link].next;
  *link = nodes_[item].next;
  nodes_[item].next = free_;
  free_ = item;
}

int64_t Shadow::MemoryBytes() const {
  return static_cast<int64_t>(nodes_.capacity() * sizeof(Node) + buckets_.capacity() * sizeof(Item)) +
         history_.MemoryBytes();
}

}  // namespace cohort
