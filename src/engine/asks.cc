#include "engine/asks.h"

#include <algorithm>
#include <utility>

namespace cohort {
namespace {

// So many are not kept waiting for more: one request takes no more.
constexpr size_t kMostAtOnce = 1'000;

}  // namespace

std::shared_ptr<const AskedOf>& Asks::Reserve(int owner) {
  if (of_owner_.empty()) {
    of_owner_.resize(peers_->peers.size());
    owners_.reserve(of_owner_.size());
  }
  OfOwner& of = of_owner_[static_cast<size_t>(owner)];
  if (of.gets.size() == of.gets.capacity()) of.gets.reserve(std::max<size_t>(32, of.gets.size() * 4));
  return of.shared;
}

void Asks::Add(int owner, std::shared_ptr<PeerGet> get) {
  std::vector<std::shared_ptr<PeerGet>>& gets = of_owner_[static_cast<size_t>(owner)].gets;
  if (gets.empty()) owners_.push_back(owner);
  gets.push_back(std::move(get));
  if (++count_ == kMostAtOnce) Send();
}

void Asks::Send() {
  const std::shared_ptr<const PeerSet> peers = std::move(peers_);
  std::vector<OfOwner> of_owner = std::exchange(of_owner_, {});
  const std::vector<int> owners = std::exchange(owners_, {});
  now_ns_ = -1;
  count_ = 0;
  if (begun_ > 0) begun_of_->End(std::exchange(begun_, 0));
  for (const int owner : owners) {
    const auto at = static_cast<size_t>(owner);
    peers->peers[at]->GetAll(of_owner[at].gets);
  }
}

}  // namespace cohort
