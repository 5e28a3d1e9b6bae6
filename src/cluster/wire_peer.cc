#include "cluster/wire_peer.h"

#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

#include "cluster/extension.h"
#include "cluster/fanout.h"
#include "cluster/life.h"
#include "cluster/peer_line.h"
#include "cluster/skew.h"
#include "cluster/text.h"
#include "wire/messages.h"
#include "wire/path.h"

namespace cohort {
namespace {

constexpr size_t kMaxKeysBodyBytes = size_t{1} << 20;  // Of one remove-keys or batch, about.

// A get on its way.
struct Getting {
  std::string group;
  std::string key;
  Health::Permit permit = 0;
  int64_t deadline_ns = 0;   // Monotonic.
  int64_t sent_unix_ns = 0;  // Of the last request.
  Peer::GetDone done;

  // Guarded by the peer's mutex.
  bool cancelled = false;
  int attempt = 0;  // 1: the first request, 2: the same again in the other form.
  PeerChannel::CallId sent_as = 0;
};

class WirePeer final : public Peer, public std::enable_shared_from_this<WirePeer> {
 public:
  WirePeer(std::string address, std::shared_ptr<PeerChannel> channel, const WirePeerOptions& options, Runtime& runtime)
      : default_timeout_ms_(options.default_timeout_ms > 0 ? options.default_timeout_ms : 60'000),
        line_(std::make_shared<PeerLine>(
            std::move(address), options.base_path, std::move(channel),
            HealthOptions{options.breaker_failures, options.breaker_min_open_ms, options.breaker_max_open_ms},
            runtime)) {}

  const std::string& address() const override { return line_->address(); }

  CallId Get(std::string_view group, std::string_view key, int64_t timeout_ms, GetDone done) override;
  void Set(std::string_view group, std::string_view key, const ValueRef& value, bool to_owner, int64_t timeout_ms,
           AckDone done) override;
  void Remove(std::string_view group, std::string_view key, int64_t timeout_ms, AckDone done) override;
  void RemoveKeys(std::string_view group, const std::vector<std::string>& keys, int64_t timeout_ms,
                  AckDone done) override;
  void Cancel(CallId id) override;
  void Close() override { line_->channel().Close(); }

 private:
  int64_t TimeoutMs(int64_t timeout_ms) const { return timeout_ms > 0 ? timeout_ms : default_timeout_ms_; }
  // Sends the orders if the peer may be asked.
  void Order(std::deque<cohort::Order> orders, int64_t timeout_ms, AckDone done);

  enum class Form { kAny, kPlain, kBatch };
  void SendGet(CallId id, const std::shared_ptr<Getting>& get, Form form);
  void EndGet(CallId id, const std::shared_ptr<Getting>& get, bool batch, bool other_form_left, Result<Response> end);
  void Finish(CallId id, const std::shared_ptr<Getting>& get, PeerAnswer answer);
  PeerAnswer ReadPlain(const Getting& get, const Response& response) const;
  PeerAnswer ReadBatch(const Getting& get, const Response& response) const;

  const int64_t default_timeout_ms_;
  const std::shared_ptr<PeerLine> line_;

  std::mutex mutex_;
  CallId last_id_ = 0;
  std::unordered_map<CallId, std::shared_ptr<Getting>> gets_;
};

PeerAnswer Failed(Status status) {
  PeerAnswer answer;
  answer.status = std::move(status);
  return answer;
}

PeerAnswer Found(const Getting& get, std::string_view bytes, int64_t expire_unix_ns, bool keep, int64_t now_unix_ns,
                 const std::string& address) {
  PeerAnswer answer;
  try {
    answer.value = Value::Copy(get.key, bytes, expire_unix_ns);
  } catch (const std::bad_alloc&) {
    return Failed(Status(Code::kNoMemory, "no memory for the " + std::to_string(bytes.size()) + " bytes that peer " +
                                              address + " answered"));
  }
  answer.keep = keep && !answer.value->ExpiredAt(now_unix_ns);
  return answer;
}

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

Peer::CallId WirePeer::Get(std::string_view group, std::string_view key, int64_t timeout_ms, GetDone done) {
  const Result<Health::Permit> permit = line_->AskLeave();
  if (!permit.ok()) {
    done(Failed(permit.status()));
    return 0;
  }
  auto get = std::make_shared<Getting>();
  get->group = group;
  get->key = key;
  get->permit = *permit;
  get->deadline_ns = DeadlineAfterMs(TimeoutMs(timeout_ms), line_->clock().MonotonicNs());
  get->done = std::move(done);
  CallId id = 0;
  {
    std::lock_guard lock(mutex_);
    id = ++last_id_;
    gets_.emplace(id, get);
  }
  SendGet(id, get, Form::kAny);
  return id;
}

void WirePeer::SendGet(CallId id, const std::shared_ptr<Getting>& get, Form form) {
  const int64_t left_ms = MillisecondsUntil(get->deadline_ns, line_->clock().MonotonicNs());
  if (left_ms <= 0) {
    line_->GiveBack(get->permit);
    return Finish(id, get, Failed(Status(Code::kTimeout, "peer " + address() + " had not answered in time")));
  }
  Request request;
  request.method = "GET";
  request.target = wire::KeyPath(line_->base_path(), get->group, get->key);
  const bool either = form == Form::kAny && PeerLine::IsTooLong(request);
  const bool batch = form == Form::kBatch || (either && line_->IsCohort());
  if (batch) {
    wire::BatchEntry entry = Entry(wire::BatchOp::kGet, get->group, get->key);
    entry.timeout_ms = left_ms;
    request = BatchRequest(line_->base_path(), {std::move(entry)});
  }
  int attempt = 0;
  bool cancelled = false;
  {
    std::lock_guard lock(mutex_);
    attempt = ++get->attempt;
    get->sent_as = 0;
    cancelled = get->cancelled;
  }
  if (cancelled) {
    line_->GiveBack(get->permit);
    return Finish(id, get, Failed(Status(Code::kCancelled, "the call to peer " + address() + " was cancelled")));
  }
  get->sent_unix_ns = line_->clock().UnixNs();
  const PeerChannel::CallId sent_as =
      line_->Send(get->permit, std::move(request), left_ms,
                  [self = shared_from_this(), id, get, batch, either](Result<Response> end) {
                    self->EndGet(id, get, batch, either, std::move(end));
                  });
  // Cancel can come before the channel's id is known:
  // 1. Send is under way;       2. Cancel finds no id, and marks the get;   3. we see the mark and cancel the request.
  // The answer can come first as well, and may already have been followed by another attempt, whose id must stay:
  // 1. Send is under way;       2. it ends, attempt 2 is sent and noted;    3. we are attempt 1, and note nothing.
  {
    std::lock_guard lock(mutex_);
    if (get->attempt != attempt) return;
    get->sent_as = sent_as;
    cancelled = get->cancelled;
  }
  if (cancelled) line_->channel().Cancel(sent_as);
}

void WirePeer::Cancel(CallId id) {
  PeerChannel::CallId sent_as = 0;
  {
    std::lock_guard lock(mutex_);
    const auto found = gets_.find(id);
    if (found == gets_.end()) return;
    found->second->cancelled = true;
    sent_as = found->second->sent_as;
  }
  if (sent_as != 0) line_->channel().Cancel(sent_as);
}

void WirePeer::EndGet(CallId id, const std::shared_ptr<Getting>& get, bool batch, bool other_form_left,
                      Result<Response> end) {
  if (!end.ok()) return Finish(id, get, Failed(end.status()));
  if (other_form_left) {
    if (batch && PeerLine::RefusesBatches(*end)) return SendGet(id, get, Form::kPlain);
    if (!batch && PeerLine::RefusesLongLines(*end)) return SendGet(id, get, Form::kBatch);
  }
  Finish(id, get, batch ? ReadBatch(*get, *end) : ReadPlain(*get, *end));
}

void WirePeer::Finish(CallId id, const std::shared_ptr<Getting>& get, PeerAnswer answer) {
  {
    std::lock_guard lock(mutex_);
    gets_.erase(id);
  }
  get->done(std::move(answer));
}

PeerAnswer WirePeer::ReadPlain(const Getting& get, const Response& response) const {
  switch (response.status) {
    case 200:
      break;
    case 404:
      return Failed(Status(Code::kNotFound, TrimNewlines(response.body)));
    case 503:
      return Failed(Status(Code::kRemoteFailed, TrimNewlines(response.body)));
    default:
      return Failed(line_->Unexpected(response));
  }
  const Result<wire::GetResponse> message = wire::DecodeGetResponse(response.body);
  if (!message.ok()) return Failed(line_->Unreadable(message.status()));
  const int64_t now_unix_ns = line_->clock().UnixNs();
  int64_t expire_unix_ns = message->expire_unix_ns;
  const std::string* life = FindHeader(response.headers, kLifeHeader);
  if (const auto life_ms = life != nullptr ? ParseDecimal(*life) : std::nullopt) {
    expire_unix_ns = ExpireAfterMs(*life_ms, now_unix_ns);
  } else if (const std::string* header = FindHeader(response.headers, "Date");
             header != nullptr && expire_unix_ns != 0) {
    if (const auto date_unix_s = ParseHttpDate(*header)) {
      expire_unix_ns = CorrectExpiry(expire_unix_ns, SkewNs(*date_unix_s, get.sent_unix_ns, now_unix_ns));
    }
  }
  return Found(get, message->value, expire_unix_ns, true, now_unix_ns, address());
}

PeerAnswer WirePeer::ReadBatch(const Getting& get, const Response& response) const {
  if (response.status != 200) return Failed(line_->Unexpected(response));
  const Result<std::vector<wire::BatchAnswer>> answers = wire::DecodeBatchAnswers(response.body);
  if (!answers.ok()) return Failed(line_->Unreadable(answers.status()));
  if (answers->size() != 1) {
    return Failed(
        line_->Unreadable(Status(Code::kInternal, std::to_string(answers->size()) + " answers to a batch of 1")));
  }
  const wire::BatchAnswer& answer = answers->front();
  switch (answer.code) {
    case Code::kOk: {
      const int64_t now_unix_ns = line_->clock().UnixNs();
      return Found(get, answer.value, ExpireAfterMs(answer.life_ms, now_unix_ns), answer.keep, now_unix_ns, address());
    }
    case Code::kNotFound:
    case Code::kRemoteFailed:
      return Failed(Status(answer.code, answer.message));
    default:
      return Failed(Status(Code::kUnreachable, "peer " + address() + " answered: " + answer.message));
  }
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
