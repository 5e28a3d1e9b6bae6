// Instance is one member of a cluster: its groups, its view of the peers, its listener. As many as wanted in a process.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/ring.h"
#include "cluster/service.h"
#include "cluster/wire_peer.h"
#include "engine/context.h"
#include "engine/group.h"
#include "transport/transport.h"

namespace cohort {

struct InstanceOptions {
  std::string name = "cohort";
  RingOptions ring;
  std::string base_path = "/_groupcache/";
  LogLevel log_level = LogLevel::kInfo;
  LogFunction log;
  std::shared_ptr<Runtime> runtime;
  // How peers are reached and, if it can, how they reach us. May be null when `connect` is set.
  std::shared_ptr<Transport> transport;
  // In place of WirePeers over the transport when set.
  std::function<std::shared_ptr<Peer>(const std::string& address)> connect;
};

class Instance final : public ServedGroups, public std::enable_shared_from_this<Instance> {
 public:
  // REQUIRES: options.runtime, and transport or connect.
  static std::shared_ptr<Instance> New(InstanceOptions options);
  ~Instance() override;  // Shuts down without waiting for what is under way.

  Runtime& runtime() const { return context_->runtime(); }

  Status Listen(const std::string& address);
  // Stops serving peers, letting open requests end for up to drain_ms; the groups and the asking side go on. Listen may
  // follow.
  void StopListening(int64_t drain_ms);
  bool can_listen() const { return options_.transport != nullptr; }
  // Shutdown has begun.
  bool closed() const;
  std::string ListenAddress() const;
  // Exactly one of `addresses` is `self`, or none is given at all: then this node is alone.
  Status SetPeers(const std::vector<std::string>& addresses, const std::string& self);
  // Empty while alone.
  std::string Owner(std::string_view key) const;

  Result<std::shared_ptr<Group>> NewGroup(const std::string& name, GroupOptions options);
  std::shared_ptr<Group> FindGroup(std::string_view name) const;
  Status RemoveGroup(const std::string& name);

  // The request of a peer; `done` exactly once, on any thread.
  void HandleRequest(Request request, UniqueFunction<void(Response)> done);
  std::shared_ptr<ServedGroup> FindServed(std::string_view name) override;

  // Stops listening, refuses what is new, waits up to timeout_ms for what is under way, ends the rest, joins the
  // threads. Idempotent. Not from a callback.
  void Shutdown(int64_t timeout_ms);

 private:
  explicit Instance(InstanceOptions options);
  // REQUIRES: set_peers_mutex_.
  void ReplacePeers(std::shared_ptr<const PeerSet> peers);
  void ScheduleSweep();
  void SweepGroups();
  std::vector<std::shared_ptr<Group>> Groups() const;

  InstanceOptions options_;
  std::shared_ptr<Context> context_;
  std::shared_ptr<Service> service_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Group>, std::less<>> groups_;
  std::unique_ptr<Listener> listener_;
  bool closed_ = false;
  std::mutex set_peers_mutex_;
  std::vector<std::weak_ptr<Peer>> former_peers_;  // Those that left the ring: their calls may still be open.
  std::mutex shutdown_mutex_;
  bool shut_down_ = false;
};

}  // namespace cohort
