// Set and Remove, told to the whole cluster: the owner first, so that nobody can fetch the old value from it
// afterwards, then everyone else side by side.
//
// What goes wrong in the other order:
//   1. Remove drops the copy of node B   2. B gets the key: the owner still has the old value   3. Remove drops the
//   owner's
#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "engine/group.h"

namespace cohort {
namespace {

constexpr int64_t kDefaultChangeTimeoutMs = 10'000;

int64_t ChangeTimeout(int64_t timeout_ms) { return timeout_ms > 0 ? timeout_ms : kDefaultChangeTimeoutMs; }

// Collects the acknowledgements of one step; the last one runs what comes next, with the errors joined to one line.
class Gather {
 public:
  Gather(int64_t expected, UniqueFunction<void(Status)> then) : left_(expected), then_(std::move(then)) {}

  void Ack(const Status& status) {
    UniqueFunction<void(Status)> then;
    Status result;
    {
      std::lock_guard lock(mutex_);
      if (!status.ok()) message_ += (message_.empty() ? "" : "; ") + status.message();
      if (--left_ > 0) return;
      then = std::move(then_);
      if (!message_.empty()) result = Status(Code::kUnreachable, message_);
    }
    then(std::move(result));
  }

 private:
  std::mutex mutex_;
  int64_t left_;
  std::string message_;
  UniqueFunction<void(Status)> then_;
};

Status Both(const Status& first, const Status& second) {
  if (first.ok()) return second;
  if (second.ok()) return first;
  return {Code::kUnreachable, first.message() + "; " + second.message()};
}

}  // namespace

bool Group::Owns(const std::shared_ptr<const PeerSet>& peers, std::string_view key) const {
  return peers == nullptr || peers->peers.empty() || peers->ring.Owner(key) == peers->self;
}

void Group::Drop(std::string_view key) {
  const uint64_t hash = LocalCache::Hash(key);
  Shard& shard = flights_.OfHash(hash);
  Lock lock(shard.mutex);
  FlightTable::MarkStale(shard, key, hash);
  cache_->Drop(key, hash);
}

bool Group::SetAlone(std::string_view key, ValueRef* value) {
  if (!context_->alone() || refusing()) return false;
  stats_.Add(Counter::kSets);
  Store(Tier::kMain, key, std::move(*value));  // What has expired is dropped by the cache.
  return true;
}

bool Group::RemoveAlone(std::string_view key) {
  if (!context_->alone() || refusing()) return false;
  stats_.Add(Counter::kRemoves);
  Drop(key);
  return true;
}

bool Group::Store(Tier tier, std::string_view key, ValueRef value) {
  const uint64_t hash = LocalCache::Hash(key);
  Shard& shard = flights_.OfHash(hash);
  Lock lock(shard.mutex);
  FlightTable::MarkStale(shard, key, hash);
  const bool stored = cache_->Fill(tier, key, hash, std::move(value), context_->LazyUnixTime(), Origin::kSet);
  shard.CountFill();
  return stored;
}

namespace {

// Every peer but this node and the owner, told by `tell`; `then` gets what they said.
template <typename Tell>
void TellOthers(const std::shared_ptr<const PeerSet>& peers, int owner, Tell tell, UniqueFunction<void(Status)> then) {
  std::vector<std::shared_ptr<Peer>> others;
  if (peers != nullptr) {
    for (size_t i = 0; i < peers->peers.size(); ++i) {
      if (peers->peers[i] != nullptr && static_cast<int>(i) != owner) others.push_back(peers->peers[i]);
    }
  }
  if (others.empty()) {
    then(Status());
    return;
  }
  const auto gather = std::make_shared<Gather>(static_cast<int64_t>(others.size()), std::move(then));
  for (const std::shared_ptr<Peer>& peer : others) {
    tell(*peer, [gather, peer](Status status) { gather->Ack(status); });
  }
}

int OwnerIndex(const std::shared_ptr<const PeerSet>& peers, std::string_view key) {
  return peers == nullptr || peers->peers.empty() ? -1 : peers->ring.Owner(key);
}

}  // namespace

void Group::Set(std::string_view key_view, ValueRef value, int64_t timeout_ms, ChangeDone done) {
  stats_.Add(Counter::kSets);
  context_->Begin();
  auto self = shared_from_this();
  ChangeDone finish = [self, done = std::move(done)](Status status) mutable {
    done(std::move(status));
    self->context_->End();
  };
  if (refusing()) {
    finish(Status(Code::kClosed, "group '" + name_ + "' is closed"));
    return;
  }
  const std::shared_ptr<const PeerSet> peers = context_->peers();
  const std::string key(key_view);
  const int owner = OwnerIndex(peers, key);
  const int64_t time_ms = ChangeTimeout(timeout_ms);
  const bool expired = value->ExpiredAt(context_->NowUnixNs());
  if (value->key() != key) value = Value::Wrap(key, value, value->expire_unix_ns());

  auto tell_set = [self, key, value, time_ms](Peer& peer, Peer::AckDone ack) {
    peer.Set(self->name_, key, value, false, time_ms, std::move(ack));
  };
  auto tell_remove = [self, key, time_ms](Peer& peer, Peer::AckDone ack) {
    peer.Remove(self->name_, key, time_ms, std::move(ack));
  };
  if (owner < 0 || owner == peers->self) {
    if (expired) {
      Drop(key);
    } else {
      Store(Tier::kMain, key, value);
    }
    TellOthers(peers, owner, std::move(tell_set), std::move(finish));
    return;
  }
  const std::shared_ptr<Peer> first = peers->peers[static_cast<size_t>(owner)];
  first->Set(
      name_, key, value, true, time_ms,
      [self, peers, owner, key, tell_set, tell_remove, finish = std::move(finish)](Status at_owner) mutable {
        // This node's copy is dropped, not replaced: another Set may have passed this one at the owner.
        self->Drop(key);
        if (at_owner.ok()) {
          TellOthers(peers, owner, std::move(tell_set), std::move(finish));
          return;
        }
        // It may have arrived all the same: nobody may go on with what it might have replaced.
        TellOthers(peers, owner, std::move(tell_remove), [at_owner, finish = std::move(finish)](Status rest) mutable {
          finish(
              Both(Status(Code::kUnreachable, "the key's owner did not take the value: " + at_owner.message()), rest));
        });
      });
}

void Group::Remove(std::string_view key_view, int64_t timeout_ms, ChangeDone done) {
  stats_.Add(Counter::kRemoves);
  context_->Begin();
  auto self = shared_from_this();
  ChangeDone finish = [self, done = std::move(done)](Status status) mutable {
    done(std::move(status));
    self->context_->End();
  };
  if (refusing()) {
    finish(Status(Code::kClosed, "group '" + name_ + "' is closed"));
    return;
  }
  const std::shared_ptr<const PeerSet> peers = context_->peers();
  const std::string key(key_view);
  const int owner = OwnerIndex(peers, key);
  const int64_t time_ms = ChangeTimeout(timeout_ms);
  auto others = [self, peers, owner, key, time_ms](Status at_owner, ChangeDone then) {
    self->Drop(key);
    TellOthers(
        peers, owner,
        [self, key, time_ms](Peer& peer, Peer::AckDone ack) { peer.Remove(self->name_, key, time_ms, std::move(ack)); },
        [at_owner, then = std::move(then)](Status rest) mutable {
          Status first;
          if (!at_owner.ok()) {
            first = Status(Code::kUnreachable, "the key's owner did not drop it: " + at_owner.message());
          }
          then(Both(first, rest));
        });
  };
  if (owner < 0 || owner == peers->self) {
    others(Status(), std::move(finish));
    return;
  }
  peers->peers[static_cast<size_t>(owner)]->Remove(name_, key, time_ms,
                                                   [others, finish = std::move(finish)](Status at_owner) mutable {
                                                     others(std::move(at_owner), std::move(finish));
                                                   });
}

void Group::RemoveKeys(std::vector<std::string> keys, int64_t timeout_ms, ChangeDone done) {
  if (!keys.empty()) {
    stats_.Add(Counter::kRemoveKeysRequests);
    stats_.Add(Counter::kRemovedKeys, static_cast<int64_t>(keys.size()));
  }
  context_->Begin();
  auto self = shared_from_this();
  ChangeDone finish = [self, done = std::move(done)](Status status) mutable {
    done(std::move(status));
    self->context_->End();
  };
  if (refusing()) {
    finish(Status(Code::kClosed, "group '" + name_ + "' is closed"));
    return;
  }
  if (keys.empty()) {
    finish(Status());
    return;
  }
  const std::shared_ptr<const PeerSet> peers = context_->peers();
  const int64_t time_ms = ChangeTimeout(timeout_ms);
  // First each owner drops its own keys, this node before the others so that they drop its keys in the same step; then
  // every node drops what is left. So a peer gets one request, and another if it holds copies of a third node's keys.
  std::map<int, std::vector<std::string>> by_owner;
  for (std::string& key : keys) by_owner[OwnerIndex(peers, key)].push_back(std::move(key));
  const int me = peers == nullptr || peers->peers.empty() ? -1 : peers->self;
  if (const auto mine = by_owner.find(me); mine != by_owner.end()) {
    for (const std::string& key : mine->second) Drop(key);
  }

  auto second = [self, peers, me, by_owner, time_ms](Status owners, ChangeDone then) {
    for (const auto& [owner, owned] : by_owner) {
      if (owner == me) continue;
      for (const std::string& key : owned) self->Drop(key);
    }
    std::vector<std::pair<std::shared_ptr<Peer>, std::vector<std::string>>> calls;
    for (size_t i = 0; peers != nullptr && i < peers->peers.size(); ++i) {
      if (peers->peers[i] == nullptr) continue;
      std::vector<std::string> rest;
      for (const auto& [owner, owned] : by_owner) {
        if (owner != static_cast<int>(i) && owner != me) rest.insert(rest.end(), owned.begin(), owned.end());
      }
      if (!rest.empty()) calls.emplace_back(peers->peers[i], std::move(rest));
    }
    if (calls.empty()) {
      then(std::move(owners));
      return;
    }
    const auto gather =
        std::make_shared<Gather>(static_cast<int64_t>(calls.size()),
                                 [owners, then = std::move(then)](Status rest) mutable { then(Both(owners, rest)); });
    for (const auto& [peer, rest] : calls) {
      peer->RemoveKeys(self->name_, rest, time_ms, [gather, held = peer](Status status) { gather->Ack(status); });
    }
  };

  std::vector<std::pair<std::shared_ptr<Peer>, std::vector<std::string>>> calls;
  for (size_t i = 0; peers != nullptr && i < peers->peers.size(); ++i) {
    if (peers->peers[i] == nullptr) continue;
    std::vector<std::string> owned;
    for (const int owner : {static_cast<int>(i), me}) {
      if (const auto found = by_owner.find(owner); found != by_owner.end()) {
        owned.insert(owned.end(), found->second.begin(), found->second.end());
      }
    }
    if (!owned.empty()) calls.emplace_back(peers->peers[i], std::move(owned));
  }
  if (calls.empty()) {
    second(Status(), std::move(finish));
    return;
  }
  const auto gather = std::make_shared<Gather>(
      static_cast<int64_t>(calls.size()),
      [second, finish = std::move(finish)](Status owners) mutable { second(std::move(owners), std::move(finish)); });
  for (const auto& [peer, owned] : calls) {
    peer->RemoveKeys(name_, owned, time_ms, [gather, held = peer](Status status) { gather->Ack(status); });
  }
}

}  // namespace cohort
