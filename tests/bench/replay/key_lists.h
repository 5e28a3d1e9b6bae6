// KeyLists keeps keys, which are numbers, in a few lists in order; each key is in one of them or in none.
#pragma once

#include <cstdint>
#include <vector>

namespace cohort::replay {

class KeyLists {
 public:
  static constexpr uint32_t kNoKey = UINT32_MAX;
  static constexpr unsigned kNoList = 7;

  explicit KeyLists(const std::vector<int64_t>& sizes) : sizes_(sizes), nodes_(sizes.size()), lists_(kNoList) {}

  unsigned ListOf(uint32_t key) const { return nodes_[key].list; }
  uint32_t Oldest(unsigned list) const { return lists_[list].oldest; }
  uint32_t Newest(unsigned list) const { return lists_[list].newest; }
  uint32_t Newer(uint32_t key) const { return nodes_[key].newer; }
  // The sum of the sizes.
  int64_t Size(unsigned list) const { return lists_[list].size; }

  // From wherever it is.
  void MoveToNewest(unsigned list, uint32_t key) {
    Remove(key);
    List& to = lists_[list];
    Node& node = nodes_[key];
    node = Node{kNoKey, to.newest, list};
    (to.newest == kNoKey ? to.oldest : nodes_[to.newest].newer) = key;
    to.newest = key;
    to.size += sizes_[key];
  }
  void Remove(uint32_t key) {
    Node& node = nodes_[key];
    if (node.list == kNoList) return;
    List& from = lists_[node.list];
    (node.newer == kNoKey ? from.newest : nodes_[node.newer].older) = node.older;
    (node.older == kNoKey ? from.oldest : nodes_[node.older].newer) = node.newer;
    from.size -= sizes_[key];
    node = Node{};
  }
  void RemoveOldest(unsigned list) { Remove(lists_[list].oldest); }

 private:
  struct Node {
    uint32_t newer = kNoKey;
    uint32_t older = kNoKey;
    unsigned list = kNoList;
  };
  struct List {
    uint32_t newest = kNoKey;
    uint32_t oldest = kNoKey;
    int64_t size = 0;
  };

  const std::vector<int64_t>& sizes_;
  std::vector<Node> nodes_;
  std::vector<List> lists_;
};

}  // namespace cohort::replay
