#include "cluster/wire_peer.h"

#include <utility>

#include "cluster/change.h"
#include "cluster/peer_changes.h"
#include "cluster/peer_gets.h"
#include "cluster/peer_line.h"

namespace cohort {
namespace {

// What is under way holds the peer, so that a shutdown finds and closes it even when it has left the ring.
class WirePeer final : public Peer, public PeerGets {
 public:
  WirePeer(std::string address, std::shared_ptr<PeerChannel> channel, const WirePeerOptions& options, Runtime& runtime)
      : WirePeer(std::make_shared<PeerLine>(
                     std::move(address), options.base_path, std::move(channel),
                     HealthOptions{options.breaker_failures, options.breaker_min_open_ms, options.breaker_max_open_ms},
                     runtime),
                 options, runtime) {}
  WirePeer(const std::shared_ptr<PeerLine>& line, const WirePeerOptions& options, Runtime& runtime)
      : PeerGets(line, runtime),
        default_timeout_ms_(options.default_timeout_ms > 0 ? options.default_timeout_ms : 60'000),
        line_(line),
        changes_(std::make_shared<PeerChanges>(line, runtime)) {}

  const std::string& address() const override { return line_->address(); }

  Peer::CallId Get(std::string_view group, std::string_view key, int64_t timeout_ms, GetDone done) override {
    return PeerGets::Get(group, key, TimeoutMs(timeout_ms), std::move(done));
  }
  void GetAll(std::span<std::shared_ptr<PeerGet>> gets) override { PeerGets::GetAll(gets); }
  void Set(std::string_view group, std::string_view key, const ValueRef& value, bool to_owner, int64_t timeout_ms,
           AckDone done) override;
  void Remove(std::string_view group, std::string_view key, int64_t timeout_ms, AckDone done) override;
  void RemoveKeys(std::string_view group, const std::vector<std::string>& keys, int64_t timeout_ms,
                  AckDone done) override;
  void Cancel(Peer::CallId id) override { PeerGets::Cancel(id); }
  void Close() override {
    line_->channel().Close();
    PeerGets::Close();
    changes_->Close();
  }

 private:
  int64_t TimeoutMs(int64_t timeout_ms) const { return timeout_ms > 0 ? timeout_ms : default_timeout_ms_; }
  void Tell(Change change, int64_t timeout_ms, AckDone done) {
    changes_->Tell(std::move(change), TimeoutMs(timeout_ms), std::move(done));
  }

  const int64_t default_timeout_ms_;
  const std::shared_ptr<PeerLine> line_;
  const std::shared_ptr<PeerChanges> changes_;
};

void WirePeer::Set(std::string_view group, std::string_view key, const ValueRef& value, bool to_owner,
                   int64_t timeout_ms, AckDone done) {
  Tell({std::string(group), {std::string(key)}, value, false, to_owner}, timeout_ms, std::move(done));
}

void WirePeer::Remove(std::string_view group, std::string_view key, int64_t timeout_ms, AckDone done) {
  Tell({std::string(group), {std::string(key)}, ValueRef(), true, true}, timeout_ms, std::move(done));
}

void WirePeer::RemoveKeys(std::string_view group, const std::vector<std::string>& keys, int64_t timeout_ms,
                          AckDone done) {
  if (keys.empty()) return done(Status());
  Tell({std::string(group), keys, ValueRef(), false, true}, timeout_ms, std::move(done));
}

}  // namespace

std::shared_ptr<Peer> NewWirePeer(std::string address, std::shared_ptr<PeerChannel> channel, WirePeerOptions options,
                                  Runtime& runtime) {
  return std::make_shared<WirePeer>(std::move(address), std::move(channel), options, runtime);
}

}  // namespace cohort
