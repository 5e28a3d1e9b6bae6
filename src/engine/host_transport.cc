#include "engine/host_transport.h"

#include <algorithm>
#include <utility>

#include "cluster/life.h"

namespace cohort {

bool HostCall::TryEnd() {
  {
    std::lock_guard lock(mutex);
    if (ended) return false;
    ended = true;
    watch_queue.reset();
  }
  if (on_ended) on_ended();
  return true;
}

void HostCall::EndOk(ValueRef value_or_null) {
  if (!TryEnd()) return;
  if (op == HostOp::kGet) {
    PeerAnswer answer;
    answer.keep = !value_or_null->ExpiredAt(clock->UnixNs());
    answer.value = std::move(value_or_null);
    get_done(std::move(answer));
  } else if (op == HostOp::kRaw) {
    raw_done(Status(Code::kUnreachable, "peer " + peer + ": the transport answered a raw request with a value"));
  } else {
    ack_done(Status());
  }
}

void HostCall::EndRaw(Response response) {
  if (op != HostOp::kRaw) {
    EndFailed(Status(Code::kUnreachable, "peer " + peer + ": the transport answered a call with a raw response"), 0);
    return;
  }
  if (TryEnd()) raw_done(std::move(response));
}

int64_t HostCall::EndFailed(const Status& status, uint64_t error_tag) { return TryEnd() ? Fail(status, error_tag) : 0; }

int64_t HostCall::Fail(const Status& status, uint64_t error_tag) {
  switch (op) {
    case HostOp::kGet: {
      PeerAnswer answer;
      answer.status = status;
      answer.error_tag = error_tag;
      return get_done(std::move(answer));
    }
    case HostOp::kRaw:
      raw_done(status);
      return 0;
    default:
      ack_done(status);
      return 0;
  }
}

// In the other order the host, which fails the request because of the news, could be first, and its failure would be
// taken for the peer's:
//   1. the news is sent   2. the host fails the request: "cancelled"   3. too late: the deadline has passed
void HostCall::GiveUp(Code why, const Status& status) {
  std::shared_ptr<EventQueue> queue;
  uint64_t tag = 0;
  {
    std::lock_guard lock(mutex);
    if (ended) return;
    ended = true;
    queue = std::move(watch_queue);
    tag = watch_tag;
  }
  if (on_ended) on_ended();
  Fail(status, 0);
  if (queue == nullptr) return;
  auto node = std::make_unique<EventNode>(EventKind::kCancel, tag);
  node->status = static_cast<int32_t>(why);
  queue->Offer(std::move(node));
}

HostRequest::~HostRequest() {
  call_->EndFailed(Status(Code::kUnreachable, "peer " + call_->peer + ": the transport dropped the request"), 0);
}

int64_t HostRequest::TimeLeftMs() const {
  // Rounded up: a peer that counts the same time must not give up a moment before those who wait here do, because an
  // answer that comes in time and is no value makes this member load the key itself.
  return std::max<int64_t>(0, (call_->deadline_ns - call_->clock->MonotonicNs() + 999'999) / 1'000'000);
}

Status HostRequest::Watch(std::shared_ptr<EventQueue> queue, uint64_t tag) {
  {
    std::lock_guard lock(call_->mutex);
    if (call_->watch_queue != nullptr) return {Code::kInvalidArgument, "the request is watched already"};
    if (!call_->ended) {
      call_->watch_queue = std::move(queue);
      call_->watch_tag = tag;
      return {};
    }
  }
  auto node = std::make_unique<EventNode>(EventKind::kCancel, tag);
  node->status = static_cast<int32_t>(Code::kCancelled);
  queue->Offer(std::move(node));
  return {};
}

namespace {

// The calls to one peer that the host has not answered: closing the peer fails them.
class OpenCalls : public std::enable_shared_from_this<OpenCalls> {
 public:
  OpenCalls(std::string address, HostSend send, Runtime& runtime, int64_t default_timeout_ms)
      : address_(std::move(address)),
        send_(std::move(send)),
        runtime_(runtime),
        default_timeout_ms_(default_timeout_ms) {}

  const std::string& address() const { return address_; }
  // At least 1.
  int64_t MillisecondsUntil(int64_t deadline_ns) const {
    return std::max<int64_t>(1, cohort::MillisecondsUntil(deadline_ns, runtime_.clock().MonotonicNs()));
  }

  uint64_t Hand(const std::shared_ptr<HostCall>& call, int64_t timeout_ms) {
    if (timeout_ms <= 0) timeout_ms = default_timeout_ms_;
    call->peer = address_;
    call->clock = &runtime_.clock();
    call->deadline_ns = runtime_.clock().MonotonicNs() + timeout_ms * 1'000'000;
    uint64_t id = 0;
    bool closed = false;
    {
      std::lock_guard lock(mutex_);
      id = ++last_id_;
      closed = closed_;
      if (!closed) open_.emplace(id, call);
    }
    if (closed) {
      call->EndFailed(Status(Code::kClosed, "peer " + address_ + " is closed"), 0);
      return id;
    }
    const TimerId timer = runtime_.timers().After(
        timeout_ms * 1'000'000, [weak = std::weak_ptr<HostCall>(call), address = address_, timeout_ms] {
          const std::shared_ptr<HostCall> late = weak.lock();
          if (late == nullptr) return;
          late->GiveUp(Code::kTimeout, Status(Code::kTimeout, "peer " + address + " did not answer within " +
                                                                  std::to_string(timeout_ms) + " ms"));
        });
    // It may have ended already:
    //   1. Hand: lists the call   2. Close, or its time: ends it, and finds nothing to run   3. Hand: clears up itself
    UniqueFunction<void()> clear_up = [self = shared_from_this(), id, timer] {
      self->runtime_.timers().Cancel(timer);
      std::lock_guard list_lock(self->mutex_);
      self->open_.erase(id);
    };
    UniqueFunction<void()> now;
    {
      std::lock_guard lock(call->mutex);
      (call->ended ? now : call->on_ended) = std::move(clear_up);
    }
    if (now) {
      now();
      return id;
    }
    send_(std::make_unique<HostRequest>(call));  // A refused request fails as it is dropped.
    return id;
  }

  // The waiters have gone: the host is told, and the engine stops to wait for it.
  void Cancel(uint64_t id) {
    std::shared_ptr<HostCall> call;
    {
      std::lock_guard lock(mutex_);
      const auto found = open_.find(id);
      if (found == open_.end()) return;
      call = found->second;
    }
    call->GiveUp(Code::kCancelled, Status(Code::kCancelled, "nobody waits for peer " + address_ + " any more"));
  }

  void Close() {
    std::vector<std::shared_ptr<HostCall>> calls;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      for (const auto& [id, call] : open_) calls.push_back(call);
    }
    for (const std::shared_ptr<HostCall>& call : calls) {
      call->GiveUp(Code::kCancelled, Status(Code::kClosed, "peer " + address_ + " is closed"));
    }
  }

 private:
  const std::string address_;
  const HostSend send_;
  Runtime& runtime_;
  const int64_t default_timeout_ms_;
  std::mutex mutex_;
  uint64_t last_id_ = 0;
  bool closed_ = false;
  std::unordered_map<uint64_t, std::shared_ptr<HostCall>> open_;
};

class HostPeer final : public Peer {
 public:
  explicit HostPeer(std::shared_ptr<OpenCalls> calls) : calls_(std::move(calls)) {}
  ~HostPeer() override { calls_->Close(); }

  const std::string& address() const override { return calls_->address(); }

  CallId Get(std::string_view group, std::string_view key, int64_t timeout_ms, GetDone done) override {
    auto call = NewCall(HostOp::kGet, group, key);
    call->get_done = std::move(done);
    return calls_->Hand(call, timeout_ms);
  }
  void GetAll(std::span<std::shared_ptr<PeerGet>> gets) override {
    for (const std::shared_ptr<PeerGet>& get : gets) {
      SetCall(*get, Get(get->group, get->key, calls_->MillisecondsUntil(get->deadline_ns),
                        [get](PeerAnswer answer) { return get->End(std::move(answer)); }));
      if (IsGivenUp(*get)) GiveUp(*get);
    }
  }
  void Set(std::string_view group, std::string_view key, const ValueRef& value, bool /*to_owner*/, int64_t timeout_ms,
           AckDone done) override {
    auto call = NewCall(HostOp::kSet, group, key);
    call->value = value;
    call->ack_done = std::move(done);
    calls_->Hand(call, timeout_ms);
  }
  void Remove(std::string_view group, std::string_view key, int64_t timeout_ms, AckDone done) override {
    auto call = NewCall(HostOp::kRemove, group, key);
    call->ack_done = std::move(done);
    calls_->Hand(call, timeout_ms);
  }
  void RemoveKeys(std::string_view group, const std::vector<std::string>& keys, int64_t timeout_ms,
                  AckDone done) override {
    auto call = NewCall(HostOp::kRemoveKeys, group, {});
    for (const std::string& key : keys) {
      call->key += key;
      call->key_sizes.push_back(static_cast<int64_t>(key.size()));
    }
    call->ack_done = std::move(done);
    calls_->Hand(call, timeout_ms);
  }
  void Cancel(CallId id) override { calls_->Cancel(id); }
  void Close() override { calls_->Close(); }

 private:
  static std::shared_ptr<HostCall> NewCall(HostOp op, std::string_view group, std::string_view key) {
    auto call = std::make_shared<HostCall>();
    call->op = op;
    call->group = group;
    call->key = key;
    return call;
  }
  const std::shared_ptr<OpenCalls> calls_;
};

class HostChannel final : public PeerChannel {
 public:
  explicit HostChannel(std::shared_ptr<OpenCalls> calls) : calls_(std::move(calls)) {}
  ~HostChannel() override { calls_->Close(); }

  CallId Send(Request request, ResponseDone done) override {
    auto call = std::make_shared<HostCall>();
    call->op = HostOp::kRaw;
    const int64_t timeout_ms = request.timeout_ms;
    call->raw = std::move(request);
    call->raw_done = std::move(done);
    return calls_->Hand(call, timeout_ms);
  }
  void Cancel(CallId id) override { calls_->Cancel(id); }
  void Close() override { calls_->Close(); }

 private:
  const std::shared_ptr<OpenCalls> calls_;
};

}  // namespace

std::shared_ptr<Peer> NewHostPeer(std::string address, HostSend send, Runtime& runtime, int64_t default_timeout_ms) {
  return std::make_shared<HostPeer>(
      std::make_shared<OpenCalls>(std::move(address), std::move(send), runtime, default_timeout_ms));
}

std::shared_ptr<PeerChannel> NewHostChannel(std::string address, HostSend send, Runtime& runtime,
                                            int64_t default_timeout_ms) {
  return std::make_shared<HostChannel>(
      std::make_shared<OpenCalls>(std::move(address), std::move(send), runtime, default_timeout_ms));
}

}  // namespace cohort
