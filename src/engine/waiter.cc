#include "engine/waiter.h"

#include <utility>

#include "base/block_pool.h"
#include "engine/deliveries.h"
#include "engine/group.h"
#include "engine/host_transport.h"
#include "engine/load.h"
#include "runtime/burst.h"

namespace cohort {

void Waiter::Lead(std::unique_ptr<Waiter> /*self*/, std::unique_ptr<Load> /*load*/) {}
std::unique_ptr<EventNode> Waiter::ToNode(std::unique_ptr<Waiter> /*self*/, Outcome&& /*outcome*/) { return nullptr; }

QueueWaiter::QueueWaiter(const std::shared_ptr<EventQueue>& queue, uint64_t event_tag, bool can_lead, bool announced)
    : Waiter(can_lead), EventNode(EventKind::kGet, event_tag), queue_(queue.get()), announced_(announced) {}
QueueWaiter::~QueueWaiter() = default;
void* QueueWaiter::operator new(size_t /*size*/) { return BlockPool<sizeof(QueueWaiter)>::Take(); }
void QueueWaiter::operator delete(void* block) { BlockPool<sizeof(QueueWaiter)>::Give(block); }

bool QueueWaiter::Enter(Group& group) { return announced_ ? !queue_->closed() : queue_->EnterGets(group); }

std::unique_ptr<EventNode> QueueWaiter::ToNode(std::unique_ptr<Waiter> self, Outcome&& outcome) {
  status = static_cast<int32_t>(outcome.code);
  value = std::move(outcome.value);
  source = outcome.source;
  overtaken = !outcome.keep;
  error_tag = outcome.error_tag;
  self.release();
  return std::unique_ptr<EventNode>(this);
}

void QueueWaiter::End(std::unique_ptr<Waiter> self, Outcome outcome) {
  EventQueue& queue = *queue_;
  queue.Deliver(ToNode(std::move(self), std::move(outcome)));
}

void QueueWaiter::Lead(std::unique_ptr<Waiter> self, std::unique_ptr<Load> own_load) {
  EventQueue& queue = *queue_;
  kind = EventKind::kLead;
  load = std::move(own_load);
  self.release();
  queue.Deliver(std::unique_ptr<EventNode>(this));
}

void* CallbackWaiter::operator new(size_t /*size*/) { return BlockPool<sizeof(CallbackWaiter)>::Take(); }
void CallbackWaiter::operator delete(void* block) { BlockPool<sizeof(CallbackWaiter)>::Give(block); }

void CallbackWaiter::End(std::unique_ptr<Waiter> self, Outcome outcome) {
  Done done = std::move(done_);
  Executor* executor = executor_;
  self.reset();
  if (executor == nullptr) {
    done(outcome);
    return;
  }
  Deliveries::ToCallback(*executor, std::move(done), std::move(outcome));
}

Blocked::Blocked() = default;
Blocked::~Blocked() = default;

Blocked::Woken Blocked::Await() {
  Burst::BeforeBlocking();
  {
    std::lock_guard lock(mutex_);
    awake_ = false;
    ++wait_;
  }
  turnstile_.Pass();
  std::shared_ptr<Blocked> next;
  {
    std::lock_guard lock(mutex_);
    awake_ = true;
    next = std::move(next_);
  }
  if (next != nullptr) next->turnstile_.Wake();
  return std::move(woken_);
}

bool Blocked::WakesNext(uint64_t wait, const std::shared_ptr<Blocked>& next) {
  std::lock_guard lock(mutex_);
  if (awake_ || wait_ != wait) return false;
  next_ = next;
  return true;
}

void Blocked::Set(const std::shared_ptr<Blocked>& blocked, Woken woken) {
  const uint64_t wait = blocked->wait_;  // Read first: once let through, it may come to wait again.
  blocked->woken_ = std::move(woken);
  if (blocked->turnstile_.Open()) Deliveries::Wake(blocked, wait);
}

void BlockedWaiter::End(std::unique_ptr<Waiter> self, Outcome outcome) {
  const std::shared_ptr<Blocked> blocked = blocked_;
  self.reset();
  Blocked::Set(blocked, {std::move(outcome), nullptr});
}

void BlockedWaiter::Lead(std::unique_ptr<Waiter> self, std::unique_ptr<Load> load) {
  const std::shared_ptr<Blocked> blocked = blocked_;
  self.reset();
  Blocked::Set(blocked, {Outcome(), std::move(load)});
}

}  // namespace cohort
