#include "cluster/change.h"

#include <utility>

#include "cluster/extension.h"
#include "cluster/life.h"
#include "wire/messages.h"

namespace cohort {
namespace {

constexpr size_t kMaxKeysBodyBytes = size_t{16} << 20;  // Of one remove-keys, about.
constexpr size_t kMaxBatchBodyBytes = size_t{1} << 20;

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
void InRuns(const std::vector<std::string>& keys, size_t most, size_t most_bytes, const MakeOrder& make,
            std::deque<Order>* orders) {
  std::vector<std::string> run;
  size_t bytes = 0;
  for (const std::string& key : keys) {
    if (!run.empty() && (run.size() >= most || bytes + key.size() > most_bytes)) {
      orders->push_back(make(run));
      run.clear();
      bytes = 0;
    }
    run.push_back(key);
    bytes += key.size();
  }
  if (!run.empty()) orders->push_back(make(run));
}

// The JSON of remove-keys would mangle keys that are not UTF-8: they go as bytes, in a batch or each for itself.
void RemoveOrders(const PeerLine& line, const Change& change, std::deque<Order>* orders) {
  std::vector<std::string> texts;
  std::vector<std::string> others;
  for (const std::string& key : change.keys) (wire::IsUtf8(key) ? texts : others).push_back(key);
  const auto as_json = [&](const std::vector<std::string>& run) {
    Order order;
    order.request = RemoveKeysRequest(line.base_path(), change.group, run);
    order.keys = run.size();
    return order;
  };
  const auto as_batch = [&](const std::vector<std::string>& run) {
    std::vector<wire::BatchEntry> entries;
    entries.reserve(run.size());
    for (const std::string& key : run) entries.push_back(Entry(wire::BatchOp::kRemove, change.group, key));
    return BatchOf(std::move(entries));
  };
  InRuns(texts, texts.size(), kMaxKeysBodyBytes, as_json, orders);
  if (line.IsCohort()) {
    InRuns(others, kMaxBatchEntries, kMaxBatchBodyBytes, as_batch, orders);
  } else {
    for (const std::string& key : others) orders->push_back(RemoveOrder(line, change.group, key));
  }
}

}  // namespace

size_t BytesOf(const Change& change) {
  size_t bytes = change.keys.size() * change.group.size();
  for (const std::string& key : change.keys) bytes += key.size();
  if (change.value && change.to_owner) bytes += change.value->bytes().size();
  return bytes;
}

std::deque<Order> OrdersOf(const PeerLine& line, const Change& change) {
  std::deque<Order> orders;
  if (change.value) {
    orders.push_back(!change.to_owner && line.IsCohort() ? RemoveOrder(line, change.group, change.keys[0])
                                                         : SetOrder(line, change.group, change.keys[0], *change.value));
  } else if (change.alone) {
    orders.push_back(RemoveOrder(line, change.group, change.keys[0]));
  } else {
    RemoveOrders(line, change, &orders);
  }
  return orders;
}

}  // namespace cohort
