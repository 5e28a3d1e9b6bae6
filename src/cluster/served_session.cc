#include "cluster/served_session.h"

#include <algorithm>
#include <utility>

namespace cohort {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr size_t kMaxTickets = 100'000;                     // Of one asker.
constexpr int64_t kMaxReadyBytes = int64_t{64} << 20;       // Of its values that wait to be collected.
constexpr int64_t kMaxWaitMs = 20'000;                      // However long the asker would wait.
constexpr int64_t kMaxIdleNs = int64_t{30'000} * kNsPerMs;  // An asker that waits says something every few seconds.
constexpr size_t kMaxSessions = 10'000;

// A value is charged as if a hundred bytes more came with it.
int64_t BytesOf(const ServedGroup::Answer& answer) {
  return 100 + static_cast<int64_t>(answer.value ? answer.value->bytes().size() : answer.status.message().size());
}

}  // namespace

void Uncollected::Add(int64_t more) {
  std::lock_guard lock(mutex_);
  count_ += more;
  if (count_ == 0) none_.NotifyAll();
}

bool Uncollected::AwaitNone(Runtime& runtime, int64_t deadline_ns) {
  std::unique_lock lock(mutex_);
  return runtime.Await(none_, lock, deadline_ns, [this] { return count_ == 0; });
}

ServedSession::ServedSession(Runtime& runtime, std::shared_ptr<Uncollected> uncollected)
    : runtime_(runtime),
      uncollected_(std::move(uncollected)),
      incarnation_(runtime.random().Next() | 1),
      last_ticket_(runtime.random().Next()),
      heard_ns_(runtime.clock().MonotonicNs()) {}

uint64_t ServedSession::Issue(std::shared_ptr<ServedGroup> group, uint64_t wait) {
  std::lock_guard lock(mutex_);
  if (tickets_.size() >= kMaxTickets) return 0;
  if (++last_ticket_ == 0) ++last_ticket_;
  Ticket& ticket = tickets_[last_ticket_];
  ticket.group = std::move(group);
  ticket.wait = wait;
  return last_ticket_;
}

void ServedSession::Ready(uint64_t number, ServedGroup::Answer answer) {
  Reply reply;
  {
    std::lock_guard lock(mutex_);
    const auto found = tickets_.find(number);
    if (found == tickets_.end() || found->second.ready) return;
    Ticket& ticket = found->second;
    if (ready_bytes_ + BytesOf(answer) > kMaxReadyBytes) {
      answer = {Status(Code::kTooLarge, "too many values wait here to be collected"), ValueRef(), true};
    }
    ready_bytes_ += BytesOf(answer);
    ticket.ready = true;
    ticket.group.reset();
    ticket.answer = std::move(answer);
    ready_.push_back(number);
    uncollected_->Add(1);
    if (waiting_) reply = TakeReply();
  }
  Send(std::move(reply));
}

void ServedSession::Note(const wire::Session& note) {
  std::vector<Ticket> gone;  // Ended without the lock.
  {
    std::lock_guard lock(mutex_);
    heard_ns_ = runtime_.clock().MonotonicNs();
    for (const std::vector<uint64_t>* numbers : {&note.received, &note.dropped}) {
      for (const uint64_t number : *numbers) {
        const auto found = tickets_.find(number);
        if (found == tickets_.end()) continue;
        if (found->second.ready) ready_bytes_ -= BytesOf(found->second.answer);
        if (found->second.ready && !found->second.sent) uncollected_->Add(-1);
        gone.push_back(std::move(found->second));
        tickets_.erase(found);
      }
    }
    while (!ready_.empty() && tickets_.count(ready_.front()) == 0) ready_.pop_front();
  }
  for (const Ticket& ticket : gone) {
    if (ticket.group) ticket.group->ServeCancel(ticket.wait);
  }
}

void ServedSession::Collect(int64_t wait_ms, Done done) {
  Reply before;
  Reply reply;
  {
    std::lock_guard lock(mutex_);
    if (wait_ms <= 0) {
      reply.done = std::move(done);
    } else {
      before.done = std::move(waiting_);
      if (timer_ != 0) runtime_.timers().Cancel(std::exchange(timer_, 0));
      waiting_ = std::move(done);
      const uint64_t poll = ++polls_;
      reply = TakeReply();
      if (reply.answers.empty()) {
        waiting_ = std::move(reply.done);
        timer_ = runtime_.timers().After(std::min(wait_ms, kMaxWaitMs) * kNsPerMs, [weak = weak_from_this(), poll] {
          if (const std::shared_ptr<ServedSession> self = weak.lock()) self->OnLate(poll);
        });
      }
    }
  }
  Send(std::move(before));
  Send(std::move(reply));
}

void ServedSession::OnLate(uint64_t poll) {
  Reply reply;
  {
    std::lock_guard lock(mutex_);
    if (poll != polls_) return;
    timer_ = 0;
    heard_ns_ = runtime_.clock().MonotonicNs();  // It waited until now.
    reply.done = std::move(waiting_);
  }
  Send(std::move(reply));
}

ServedSession::Reply ServedSession::TakeReply() {
  Reply reply;
  reply.done = std::move(waiting_);
  if (timer_ != 0) runtime_.timers().Cancel(std::exchange(timer_, 0));
  int64_t room_bytes = kMaxValuesBytes;
  for (const uint64_t number : ready_) {
    const auto found = tickets_.find(number);
    if (found == tickets_.end()) continue;
    const ServedGroup::Answer& answer = found->second.answer;
    room_bytes -= BytesOf(answer);
    if (room_bytes < 0 && !reply.answers.empty()) break;  // The rest comes with the next.
    if (!std::exchange(found->second.sent, true)) uncollected_->Add(-1);
    reply.answers.push_back({ServedAnswer::Kind::kGet, answer, number});
  }
  return reply;
}

void ServedSession::Send(Reply reply) {
  if (!reply.done) return;
  reply.done(EncodeServedAnswers(&reply.answers, incarnation_, runtime_.clock().UnixNs()));
}

bool ServedSession::IsIdle(int64_t idle_ns) {
  std::lock_guard lock(mutex_);
  return !waiting_ && runtime_.clock().MonotonicNs() - heard_ns_ > idle_ns;
}

void ServedSession::Abandon() {
  std::unordered_map<uint64_t, Ticket> gone;
  {
    std::lock_guard lock(mutex_);
    gone.swap(tickets_);
    for (const auto& [number, ticket] : gone) {
      if (ticket.ready && !ticket.sent) uncollected_->Add(-1);
    }
    ready_.clear();
    ready_bytes_ = 0;
  }
  for (const auto& [number, ticket] : gone) {
    if (ticket.group) ticket.group->ServeCancel(ticket.wait);
  }
}

std::shared_ptr<ServedSession> ServedSessions::Open(uint64_t id) {
  if (id == 0) return nullptr;
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) return found->second;
  if (sessions_.size() >= kMaxSessions) return nullptr;
  return sessions_.emplace(id, std::make_shared<ServedSession>(runtime_, uncollected_)).first->second;
}

std::shared_ptr<ServedSession> ServedSessions::Find(uint64_t id) {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

void ServedSessions::Sweep() {
  std::vector<std::shared_ptr<ServedSession>> gone;
  {
    std::lock_guard lock(mutex_);
    for (auto at = sessions_.begin(); at != sessions_.end();) {
      if (at->second->IsIdle(kMaxIdleNs)) {
        gone.push_back(std::move(at->second));
        at = sessions_.erase(at);
      } else {
        ++at;
      }
    }
  }
  for (const std::shared_ptr<ServedSession>& session : gone) session->Abandon();
}

}  // namespace cohort
