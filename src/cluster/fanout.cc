#include "cluster/fanout.h"

#include <utility>

#include "cluster/extension.h"
#include "cluster/life.h"
#include "wire/path.h"

namespace cohort {
namespace {

constexpr int kUnderWay = 16;  // To a groupcache-go node. What is a Cohort node, or may be one, gets one at a time.

// The plain form of a batch's entry.
Order PlainOrder(const PeerLine& line, const wire::BatchEntry& entry) {
  Order order;
  if (entry.op == wire::BatchOp::kSet) {
    const int64_t now_unix_ns = line.clock().UnixNs();
    order.request = SetRequestFor(line.base_path(), entry.group, entry.key, entry.value,
                                  ExpireAfterMs(entry.life_ms, now_unix_ns), now_unix_ns);
  } else {
    order.request = RemoveRequest(line.base_path(), entry.group, entry.key);
  }
  return order;
}

}  // namespace

Request RemoveRequest(const std::string& base_path, std::string_view group, std::string_view key) {
  Request request;
  request.method = "DELETE";
  request.target = wire::KeyPath(base_path, group, key);
  return request;
}

Request SetRequestFor(const std::string& base_path, std::string_view group, std::string_view key,
                      std::string_view value, int64_t expire_unix_ns, int64_t now_unix_ns) {
  Request request;
  request.method = "PUT";
  request.target = wire::KeyPath(base_path, group, key);
  request.body = wire::EncodeSetRequest(group, key, value, expire_unix_ns);
  const int64_t life_ms = RemainingLifeMs(expire_unix_ns, now_unix_ns);
  if (life_ms >= 0) request.headers.emplace_back(kLifeHeader, std::to_string(life_ms));
  return request;
}

Request RemoveKeysRequest(const std::string& base_path, std::string_view group, const std::vector<std::string>& keys) {
  Request request;
  request.method = "POST";
  request.target = base_path + wire::PathEscape(group) + "/_remove-keys/";
  request.body = wire::EncodeRemoveKeys(group, keys);
  return request;
}

Request BatchRequest(const std::string& base_path, std::string body) {
  Request request;
  request.method = "POST";
  request.target = base_path + kBatchPath;
  request.headers.emplace_back("Content-Type", kProtobufType);
  request.body = std::move(body);
  return request;
}

Status NotAcknowledged(const PeerLine& line, size_t failed, size_t keys, const Status& first) {
  if (first.ok() || keys == 1) return first;
  return Status(first.code(), "peer " + line.address() + " did not acknowledge " + std::to_string(failed) + " of " +
                                  std::to_string(keys) + " keys: " + first.message());
}

Fanout::Fanout(std::shared_ptr<PeerLine> line, Health::Permit permit, std::deque<Order> orders, int64_t timeout_ms,
               Peer::AckDone done)
    : line_(std::move(line)),
      permit_(permit),
      deadline_ns_(DeadlineAfterMs(timeout_ms, line_->clock().MonotonicNs())),
      done_(std::move(done)),
      waiting_(std::move(orders)) {
  for (const Order& order : waiting_) keys_ += order.keys;
}

void Fanout::Run(std::shared_ptr<PeerLine> line, Health::Permit permit, std::deque<Order> orders, int64_t timeout_ms,
                 Peer::AckDone done) {
  const std::shared_ptr<Fanout> fanout(
      new Fanout(std::move(line), permit, std::move(orders), timeout_ms, std::move(done)));
  fanout->Pump();
}

// Only one thread sends at a time, and whoever finds it at work leaves: so an end that comes before Send returns
// neither recurses nor is overlooked, because the sender looks again after each Send.
void Fanout::Pump() {
  std::unique_lock lock(mutex_);
  if (pumping_) return;
  pumping_ = true;
  while (!gave_up_ && !waiting_.empty() && under_way_ < (line_->IsKnown() && !line_->IsCohort() ? kUnderWay : 1)) {
    Order order = std::move(waiting_.front());
    waiting_.pop_front();
    ++under_way_;
    lock.unlock();
    Send(std::move(order));
    lock.lock();
  }
  pumping_ = false;
  if (under_way_ > 0 || !done_) return;
  for (const Order& order : waiting_) failed_keys_ += order.keys;
  waiting_.clear();
  const Status summary = NotAcknowledged(*line_, failed_keys_, keys_, first_error_);
  Peer::AckDone done = std::move(done_);
  lock.unlock();
  done(summary);
}

void Fanout::Send(Order order) {
  const int64_t left_ms = MillisecondsUntil(deadline_ns_, line_->clock().MonotonicNs());
  if (left_ms <= 0) {
    line_->GiveBack(permit_);
    return End(std::move(order), Status(Code::kTimeout, "peer " + line_->address() + " had not answered in time"));
  }
  Request request =
      order.plain ? std::move(order.request) : BatchRequest(line_->base_path(), wire::EncodeBatch(order.batch));
  line_->Send(permit_, std::move(request), left_ms,
              [self = shared_from_this(), order = std::move(order)](Result<Response> end) mutable {
                self->End(std::move(order), end);
              });
}

void Fanout::End(Order order, const Result<Response>& end) {
  Status status;
  size_t failed = order.keys;
  bool resend = false;
  if (!end.ok()) {
    status = end.status();
  } else if (order.plain ? !order.batch.empty() && PeerLine::RefusesLongLines(*end) : PeerLine::RefusesBatches(*end)) {
    resend = true;
  } else if (end->status != 200) {
    status = line_->Unexpected(*end);
  } else if (!order.plain) {
    status = EndOfBatch(order, *end, &failed);
  }
  {
    std::lock_guard lock(mutex_);
    --under_way_;
    if (resend && order.plain) {
      order.plain = false;
      waiting_.push_back(std::move(order));
    } else if (resend) {
      for (const wire::BatchEntry& entry : order.batch) waiting_.push_back(PlainOrder(*line_, entry));
    }
    if (!status.ok()) {
      failed_keys_ += failed;
      if (first_error_.ok()) first_error_ = status;
    }
    if (!end.ok()) gave_up_ = true;  // A peer that is not there will not be there for the rest either.
  }
  Pump();
}

Status Fanout::EndOfBatch(const Order& order, const Response& response, size_t* failed) const {
  uint64_t incarnation = 0;
  const Result<std::vector<wire::BatchAnswerView>> answers = wire::ViewBatchAnswers(response.body, &incarnation);
  if (!answers.ok()) return line_->Unreadable(answers.status());
  if (answers->size() != order.batch.size()) {
    return line_->Unreadable(Status(Code::kInternal, std::to_string(answers->size()) + " answers to a batch of " +
                                                         std::to_string(order.batch.size())));
  }
  Status first;
  *failed = 0;
  for (const wire::BatchAnswerView& answer : *answers) {
    if (answer.code == Code::kOk) continue;
    ++*failed;
    if (first.ok())
      first = Status(Code::kUnreachable, "peer " + line_->address() + " answered: " + std::string(answer.message));
  }
  return first;
}

}  // namespace cohort
