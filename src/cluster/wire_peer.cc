#include "cluster/wire_peer.h"

#include <utility>

#include "cluster/extension.h"
#include "cluster/fanout.h"
#include "cluster/life.h"
#include "cluster/peer_gets.h"
#include "cluster/peer_line.h"
#include "wire/messages.h"

namespace cohort {
namespace {

constexpr size_t kMaxKeysBodyBytes = size_t{1} << 20;  // Of one remove-keys or batch, about.

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
        line_(line) {}

  const std::string& address() const override { return line_->address(); }

  Peer::CallId Get(std::string_view group, std::string_view key, int64_t timeout_ms, GetDone done) override {
    return PeerGets::Get(group, key, TimeoutMs(timeout_ms), std::move(done));
  }
  void Set(std::string_view group, std::string_view key, const ValueRef& value, bool to_owner, int64_t timeout_ms,
           AckDone done) override;
  void Remove(std::string_view group, std::string_view key, int64_t timeout_ms, AckDone done) override;
  void RemoveKeys(std::string_view group, const std::vector<std::string>& keys, int64_t timeout_ms,
                  AckDone done) override;
  void Cancel(Peer::CallId id) override { PeerGets::Cancel(id); }
  void Hold() override { PeerGets::Hold(); }
  void Release() override { PeerGets::Release(); }
  void Close() override {
    line_->channel().Close();
    PeerGets::Close();
  }

 private:
  int64_t TimeoutMs(int64_t timeout_ms) const { return timeout_ms > 0 ? timeout_ms : default_timeout_ms_; }
  // Sends the orders if the peer may be asked.
  void Order(std::deque<cohort::Order> orders, int64_t timeout_ms, AckDone done);

  const int64_t default_timeout_ms_;
  const std::shared_ptr<PeerLine> line_;
};

wire::BatchEntry Entry(wire::BatchOp op, std::string_view group, std::string_view key) {
  wire::BatchEntry entry;
  entry.op = op;
  entry.group = group;
  entry.key = key;
  return entry;
}

// An order of one key: plain if that may do, with the batch at hand for a peer that finds the line too long.
Order OrderOf(const PeerLine& line, Request plain, wire::BatchEntry entry) {
  Order order;
  order.request = std::move(plain);
  if (PeerLine::IsTooLong(order.request)) {
    order.batch = {std::move(entry)};
    order.plain = !line.IsCohort();
  }
  return order;
}

Order BatchOf(std::vector<wire::BatchEntry> entries) {
  Order order;
  order.plain = false;
  order.keys = entries.size();
  order.batch = std::move(entries);
  return order;
}

Order RemoveOrder(const PeerLine& line, std::string_view group, std::string_view key) {
  return OrderOf(line, RemoveRequest(line.base_path(), group, key), Entry(wire::BatchOp::kRemove, group, key));
}

Order SetOrder(const PeerLine& line, std::string_view group, std::string_view key, const Value& value) {
  const int64_t now_unix_ns = line.clock().UnixNs();
  Request plain = SetRequestFor(line.base_path(), group, key, value.bytes(), value.expire_unix_ns(), now_unix_ns);
  wire::BatchEntry entry = Entry(wire::BatchOp::kSet, group, key);
  if (PeerLine::IsTooLong(plain)) {
    entry.value = value.bytes();
    entry.life_ms = RemainingLifeMs(value.expire_unix_ns(), now_unix_ns);
  }
  return OrderOf(line, std::move(plain), std::move(entry));
}

// Cuts the keys of one kind into runs that fit a body, and makes an order of each.
template <typename MakeOrder>
void InRuns(const std::vector<std::string>& keys, const MakeOrder& make, std::deque<Order>* orders) {
  std::vector<std::string> run;
  size_t bytes = 0;
  for (const std::string& key : keys) {
    if (!run.empty() && (run.size() >= kMaxBatchEntries || bytes + key.size() > kMaxKeysBodyBytes)) {
      orders->push_back(make(run));
      run.clear();
      bytes = 0;
    }
    run.push_back(key);
    bytes += key.size();
  }
  if (!run.empty()) orders->push_back(make(run));
}

void WirePeer::Order(std::deque<cohort::Order> orders, int64_t timeout_ms, AckDone done) {
  const Result<Health::Permit> permit = line_->AskLeave();
  if (!permit.ok()) return done(permit.status());
  Fanout::Run(line_, *permit, std::move(orders), TimeoutMs(timeout_ms), std::move(done));
}

// A Cohort node that does not own the key needs no copy of the value: it forgets the old one, and asks when it must.
void WirePeer::Set(std::string_view group, std::string_view key, const ValueRef& value, bool to_owner,
                   int64_t timeout_ms, AckDone done) {
  std::deque<cohort::Order> orders;
  orders.push_back(!to_owner && line_->IsCohort() ? RemoveOrder(*line_, group, key)
                                                  : SetOrder(*line_, group, key, *value));
  Order(std::move(orders), timeout_ms, std::move(done));
}

void WirePeer::Remove(std::string_view group, std::string_view key, int64_t timeout_ms, AckDone done) {
  std::deque<cohort::Order> orders;
  orders.push_back(RemoveOrder(*line_, group, key));
  Order(std::move(orders), timeout_ms, std::move(done));
}

// The JSON of remove-keys would mangle keys that are not UTF-8: they go as bytes, in a batch or each for itself.
void WirePeer::RemoveKeys(std::string_view group, const std::vector<std::string>& keys, int64_t timeout_ms,
                          AckDone done) {
  if (keys.empty()) return done(Status());
  std::vector<std::string> texts;
  std::vector<std::string> others;
  for (const std::string& key : keys) (wire::IsUtf8(key) ? texts : others).push_back(key);

  std::deque<cohort::Order> orders;
  const auto as_json = [&](const std::vector<std::string>& run) {
    cohort::Order order;
    order.request = RemoveKeysRequest(line_->base_path(), group, run);
    order.keys = run.size();
    return order;
  };
  const auto as_batch = [&](const std::vector<std::string>& run) {
    std::vector<wire::BatchEntry> entries;
    entries.reserve(run.size());
    for (const std::string& key : run) entries.push_back(Entry(wire::BatchOp::kRemove, group, key));
    return BatchOf(std::move(entries));
  };
  InRuns(texts, as_json, &orders);
  if (line_->IsCohort()) {
    InRuns(others, as_batch, &orders);
  } else {
    for (const std::string& key : others) orders.push_back(RemoveOrder(*line_, group, key));
  }
  Order(std::move(orders), timeout_ms, std::move(done));
}

}  // namespace

std::shared_ptr<Peer> NewWirePeer(std::string address, std::shared_ptr<PeerChannel> channel, WirePeerOptions options,
                                  Runtime& runtime) {
  return std::make_shared<WirePeer>(std::move(address), std::move(channel), options, runtime);
}

}  // namespace cohort
