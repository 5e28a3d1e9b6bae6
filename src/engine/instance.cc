#include "engine/instance.h"

#include <algorithm>
#include <utility>

namespace cohort {
namespace {

constexpr int64_t kSweepIntervalNs = 1'000'000'000;
constexpr int64_t kSweepEntries = 2'000;       // A step of the sweep, short enough to hold no shard for long.
constexpr int64_t kSweepSeconds = 30;          // In about that time every entry is looked at once.
constexpr int64_t kCollectNs = 1'000'000'000;  // So long a shutdown waits for peers to collect what is ready.
constexpr size_t kMaxGroupName = 255;

Status CheckGroupName(const std::string& name) {
  if (name.empty()) return {Code::kInvalidArgument, "the group's name is empty"};
  if (name.size() > kMaxGroupName) {
    return {Code::kInvalidArgument,
            "the group's name has " + std::to_string(name.size()) + " bytes; at most 255 are allowed"};
  }
  if (name.find('/') != std::string::npos) {
    return {Code::kInvalidArgument,
            "the group's name '" + name + "' holds a '/', which separates group and key on the wire"};
  }
  if (name == "." || name == ".." || name == "_cohort") {
    return {Code::kInvalidArgument,
            "the group's name '" + name + "' has a meaning of its own on the wire; choose another"};
  }
  return {};
}

}  // namespace

std::shared_ptr<Instance> Instance::New(InstanceOptions options) {
  std::shared_ptr<Instance> instance(new Instance(std::move(options)));
  instance->service_ = std::make_shared<Service>(instance->options_.base_path, instance, instance->runtime());
  instance->ScheduleSweep();
  return instance;
}

Instance::Instance(InstanceOptions options)
    : options_(std::move(options)),
      context_(std::make_shared<Context>(options_.runtime, options_.log_level, options_.log)) {}

Instance::~Instance() { Shutdown(0); }

Status Instance::Listen(const std::string& address) {
  std::lock_guard lock(mutex_);
  if (closed_) return {Code::kClosed, "the instance is closed"};
  if (listener_ != nullptr) {
    return {Code::kInvalidArgument, "the instance listens on " + listener_->Address() + " already"};
  }
  if (options_.transport == nullptr) return {Code::kUnsupported, "the transport of this instance cannot listen"};
  Result<std::unique_ptr<Listener>> listener = options_.transport->Listen(address, service_);
  if (!listener.ok()) return listener.status();
  listener_ = std::move(*listener);
  context_->Log(LogLevel::kInfo, options_.name + ": serving peers on " + listener_->Address());
  return {};
}

void Instance::StopListening(int64_t drain_ms) {
  std::unique_ptr<Listener> listener;
  {
    std::lock_guard lock(mutex_);
    listener = std::move(listener_);
  }
  if (listener != nullptr) listener->Stop(drain_ms);
}

bool Instance::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

std::string Instance::ListenAddress() const {
  std::lock_guard lock(mutex_);
  return listener_ == nullptr ? std::string() : listener_->Address();
}

Status Instance::SetPeers(const std::vector<std::string>& addresses, const std::string& self) {
  std::lock_guard set_lock(set_peers_mutex_);
  {
    std::lock_guard lock(mutex_);
    if (closed_) return {Code::kClosed, "the instance is closed"};
  }
  if (addresses.empty()) {
    ReplacePeers(nullptr);
    return {};
  }
  std::vector<std::string> sorted = addresses;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.front().empty()) return {Code::kInvalidArgument, "a peer's address is empty"};
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
    return {Code::kInvalidArgument, "the peer " + *twice + " is listed twice"};
  }
  if (!std::binary_search(sorted.begin(), sorted.end(), self)) {
    return {Code::kInvalidArgument,
            "this member's own address '" + self + "' is not among the " + std::to_string(addresses.size()) + " peers"};
  }
  // Peers that stay keep their connections and their health. Those that go are closed by the last call that uses them.
  const std::shared_ptr<const PeerSet> before = context_->peers();
  std::vector<std::shared_ptr<Peer>> peers;
  int self_index = -1;
  for (const std::string& address : addresses) {
    std::shared_ptr<Peer> peer;
    if (address == self) {
      self_index = static_cast<int>(peers.size());
    } else {
      for (size_t i = 0; before != nullptr && i < before->peers.size(); ++i) {
        if (before->peers[i] != nullptr && before->addresses[i] == address) peer = before->peers[i];
      }
      if (peer == nullptr) {
        if (options_.connect) {
          peer = options_.connect(address);
        } else {
          WirePeerOptions wire;
          wire.base_path = options_.base_path;
          peer = NewWirePeer(address, options_.transport->Connect(address), wire, runtime());
        }
      }
    }
    peers.push_back(std::move(peer));
  }
  ReplacePeers(std::make_shared<const PeerSet>(
      PeerSet{std::move(peers), addresses, self_index, Ring(options_.ring, addresses)}));
  return {};
}

void Instance::ReplacePeers(std::shared_ptr<const PeerSet> peers) {
  const std::shared_ptr<const PeerSet> before = context_->SetPeers(peers);
  if (before == nullptr) return;
  std::erase_if(former_peers_, [](const std::weak_ptr<Peer>& peer) { return peer.expired(); });
  for (const std::shared_ptr<Peer>& peer : before->peers) {
    const bool stays =
        peers != nullptr && std::find(peers->peers.begin(), peers->peers.end(), peer) != peers->peers.end();
    if (peer != nullptr && !stays) former_peers_.push_back(peer);
  }
}

std::string Instance::Owner(std::string_view key) const {
  const std::shared_ptr<const PeerSet> peers = context_->peers();
  if (peers == nullptr) return {};
  return peers->addresses[static_cast<size_t>(peers->ring.Owner(key))];
}

Result<std::shared_ptr<Group>> Instance::NewGroup(const std::string& name, GroupOptions options) {
  if (Status status = CheckGroupName(name); !status.ok()) return status;
  std::lock_guard lock(mutex_);
  if (closed_) return Status(Code::kClosed, "the instance is closed");
  if (groups_.count(name) != 0) return Status(Code::kAlreadyExists, "a group named '" + name + "' exists already");
  auto group = std::make_shared<Group>(name, std::move(options), context_);
  groups_.emplace(name, group);
  return group;
}

std::shared_ptr<Group> Instance::FindGroup(std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second;
}

Status Instance::RemoveGroup(const std::string& name) {
  std::shared_ptr<Group> group;
  {
    std::lock_guard lock(mutex_);
    const auto found = groups_.find(name);
    if (found == groups_.end()) return {Code::kNotFound, "there is no group named '" + name + "'"};
    group = std::move(found->second);
    groups_.erase(found);
  }
  group->Close();
  return {};
}

void Instance::HandleRequest(Request request, UniqueFunction<void(Response)> done) {
  service_->Handle(std::move(request),
                   [done = std::move(done)](ServedResponse response) mutable { done(std::move(response).Whole()); });
}

std::shared_ptr<ServedGroup> Instance::FindServed(std::string_view name) {
  std::shared_ptr<Group> group = FindGroup(name);
  return group == nullptr || group->refusing() ? nullptr : group;
}

std::vector<std::shared_ptr<Group>> Instance::Groups() const {
  std::vector<std::shared_ptr<Group>> groups;
  std::lock_guard lock(mutex_);
  for (const auto& [name, group] : groups_) groups.push_back(group);
  return groups;
}

void Instance::ScheduleSweep() {
  runtime().timers().After(kSweepIntervalNs, [weak = weak_from_this()] {
    if (const std::shared_ptr<Instance> self = weak.lock()) self->SweepGroups();
  });
}

void Instance::SweepGroups() {
  service_->Sweep();
  runtime().executor().Post([groups = Groups()] {
    for (const std::shared_ptr<Group>& group : groups) {
      const int64_t items = group->CacheStatsNow(Tier::kMain).items + group->CacheStatsNow(Tier::kHot).items;
      int64_t left = std::max(kSweepEntries, items / kSweepSeconds);
      while (left > 0 && group->Sweep(kSweepEntries)) left -= kSweepEntries;
    }
  });
  ScheduleSweep();
}

void Instance::Shutdown(int64_t timeout_ms) {
  std::lock_guard shutdown_lock(shutdown_mutex_);
  if (shut_down_) return;
  const int64_t deadline_ns = context_->NowNs() + std::max<int64_t>(0, timeout_ms) * 1'000'000;
  std::unique_ptr<Listener> listener;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    listener = std::move(listener_);
  }
  // Refuse: peers that ask now load for themselves.
  const std::vector<std::shared_ptr<Group>> groups = Groups();
  for (const std::shared_ptr<Group>& group : groups) group->Refuse();
  // Drain.
  if (timeout_ms > 0) {
    context_->AwaitIdle(deadline_ns);
    // Peers that live take their answers within a moment; the others have had all the time.
    service_->AwaitCollected(std::min(deadline_ns, context_->NowNs() + kCollectNs));
  }
  if (listener != nullptr) listener->Stop(std::max<int64_t>(0, (deadline_ns - context_->NowNs()) / 1'000'000));
  // Fail the rest. A peer that left the ring, now or before, lives as long as somebody asks it.
  for (const std::shared_ptr<Group>& group : groups) group->Close();
  std::vector<std::weak_ptr<Peer>> former;
  {
    std::lock_guard lock(set_peers_mutex_);
    ReplacePeers(nullptr);
    former.swap(former_peers_);
  }
  for (const std::weak_ptr<Peer>& weak : former) {
    if (const std::shared_ptr<Peer> peer = weak.lock()) peer->Close();
  }
  context_->AwaitIdle(-1);  // Closed peers acknowledge at once, so that Sets and Removes end too.
  // Join.
  runtime().Stop();
  shut_down_ = true;
}

}  // namespace cohort
