#include "engine/event_queue.h"

#include <utility>

#include "engine/group.h"
#include "engine/host_transport.h"
#include "engine/load.h"
#include "runtime/burst.h"
#include "runtime/system_clock.h"

namespace cohort {

EventNode::EventNode(EventKind event_kind, uint64_t event_tag) : kind(event_kind), tag(event_tag) {}
EventNode::~EventNode() = default;

EventChain::~EventChain() {
  while (Pop() != nullptr) {
  }
}

void EventChain::Push(std::unique_ptr<EventNode> node) {
  EventNode* const last = node.release();
  last->next_ = nullptr;
  (tail_ != nullptr ? tail_->next_ : head_) = last;
  tail_ = last;
  ++size_;
}

void EventChain::Append(EventChain more) {
  if (more.empty()) return;
  (tail_ != nullptr ? tail_->next_ : head_) = more.head_;
  tail_ = more.tail_;
  size_ += more.size_;
  more.head_ = more.tail_ = nullptr;
  more.size_ = 0;
}

std::unique_ptr<EventNode> EventChain::Pop() {
  EventNode* const node = head_;
  if (node == nullptr) return nullptr;
  head_ = node->next_;
  if (head_ == nullptr) tail_ = nullptr;
  --size_;
  return std::unique_ptr<EventNode>(node);
}

void EventChain::Swap(EventChain& other) noexcept {
  std::swap(head_, other.head_);
  std::swap(tail_, other.tail_);
  std::swap(size_, other.size_);
}

EventQueue::EventQueue() = default;

EventQueue::~EventQueue() { Close(); }

Result<std::shared_ptr<EventQueue>> EventQueue::New() { return std::shared_ptr<EventQueue>(new EventQueue()); }

bool EventQueue::Enter(int64_t operations) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  Announce(operations);
  return true;
}

// REQUIRES: mutex_.
void EventQueue::Announce(int64_t operations) {
  if (announced_ == 0 && operations > 0) self_ = shared_from_this();
  announced_ += operations;
}

// Who delivers goes on after the lock, when others may deliver the rest, and all others may have let go:
//   1. deliver: one of two, unlock   2. (another) deliver: the other one, unlock   3. the first wakes a sleeper
// REQUIRES: mutex_.
std::shared_ptr<EventQueue> EventQueue::TakeBack(int64_t operations) {
  announced_ -= operations;
  return announced_ == 0 ? std::move(self_) : self_;
}

void EventQueue::Leave(int64_t operations) {
  std::shared_ptr<EventQueue> self;
  std::lock_guard lock(mutex_);
  self = TakeBack(operations);
  if (closed_ && announced_ == 0) ready_.NotifyAll();  // Who waits for the last event need wait no more.
}

bool EventQueue::EnterGets(Group& group, int64_t gets) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  Remember(group);
  Announce(gets);
  return true;
}

// REQUIRES: mutex_. A group that has gone may have had the address of another.
void EventQueue::Remember(Group& group) {
  for (const Waited& waited : groups_) {
    if (waited.group == &group && !waited.alive.expired()) return;
  }
  std::erase_if(groups_, [](const Waited& waited) { return waited.alive.expired(); });
  groups_.push_back({&group, group.weak_from_this()});
}

// REQUIRES: mutex_. Tell them when it is released.
EventQueue::Waiting EventQueue::Unaware() {
  const Waiting waiting{sleepers_ > 0, fd_used_ && !poller_told_};
  poller_told_ = fd_used_;
  return waiting;
}

// Without the lock, for whoever is woken wants it at once and would sleep again. So the descriptor may become readable
// late, but an event never lies in the queue with nobody told:
//   1. push: the first event, poller_told_     1. push: the first event, poller_told_
//   2. take: that event; clear the waker       2. another push: poller_told_ already
//   3. push: signals it, for nothing           3. push: signals it; the poller finds both
//   4. the poller finds nothing and clears it
void EventQueue::Tell(Waiting waiting) {
  if (waiting.thread) ready_.NotifyOne();
  if (waiting.poller) waker_->Signal();
}

void EventQueue::Deliver(std::unique_ptr<EventNode> node) {
  EventChain nodes;
  nodes.Push(std::move(node));
  DeliverAll(std::move(nodes));
}

void EventQueue::DeliverAll(EventChain nodes) {
  if (nodes.empty()) return;
  std::shared_ptr<EventQueue> self;
  std::unique_lock lock(mutex_);
  self = TakeBack(static_cast<int64_t>(nodes.size()));
  if (discards_) return;  // They are dropped after the lock: they were there before it.
  events_.Append(std::move(nodes));
  const Waiting waiting = Unaware();
  lock.unlock();
  Tell(waiting);
}

bool EventQueue::Offer(std::unique_ptr<EventNode> node) {
  std::unique_lock lock(mutex_);
  if (closed_) return false;  // `node` is dropped after the lock: it was declared before it.
  if (node->kind == EventKind::kLog) ++logs_;
  events_.Push(std::move(node));
  const Waiting waiting = Unaware();
  lock.unlock();
  Tell(waiting);
  return true;
}

size_t EventQueue::untaken_logs() {
  std::lock_guard lock(mutex_);
  return logs_;
}

EventChain EventQueue::TakeChain(size_t max, int64_t timeout_ms) {
  EventChain taken;
  if (timeout_ms != 0) Burst::BeforeBlocking();
  std::unique_lock lock(mutex_);
  if (timeout_ms != 0) {
    const int64_t deadline_ns =
        timeout_ms < 0 ? -1 : DeadlineAfter(SystemClock().MonotonicNs(), timeout_ms * 1'000'000);
    ++sleepers_;
    ready_.WaitUntil(lock, deadline_ns, [this] { return !events_.empty() || woken_ || (closed_ && announced_ == 0); });
    --sleepers_;
  }
  if (events_.empty()) woken_ = false;
  if (events_.size() <= max) {
    taken = std::move(events_);
    logs_ = 0;
  }
  while (!events_.empty() && taken.size() < max) {
    std::unique_ptr<EventNode> node = events_.Pop();
    if (node->kind == EventKind::kLog) --logs_;
    taken.Push(std::move(node));
  }
  if (!events_.empty() && sleepers_ > 0) ready_.NotifyOne();
  if (fd_used_ && events_.empty() && !woken_) {
    waker_->Clear();
    poller_told_ = false;
  }
  return taken;
}

std::vector<std::unique_ptr<EventNode>> EventQueue::Take(size_t max, int64_t timeout_ms) {
  EventChain chain = TakeChain(max, timeout_ms);
  std::vector<std::unique_ptr<EventNode>> taken;
  while (std::unique_ptr<EventNode> node = chain.Pop()) taken.push_back(std::move(node));
  return taken;
}

void EventQueue::Wake() {
  std::unique_lock lock(mutex_);
  woken_ = true;
  const Waiting waiting = Unaware();
  lock.unlock();
  Tell(waiting);
}

// A get begins, under the lock of its flight, while its queue is closed:
//   1. begin: takes that lock; Enter: open        1. Close: closed_, looks for waits under that lock, and finds none
//   2. Close: closed_                             2. begin: takes the lock; Enter: closed, the get is refused
//   3. begin: waits there, lets go of the lock
//   4. Close: finds it under the lock, ends it
void EventQueue::Close() {
  std::vector<Waited> waited;
  EventChain tasks;
  std::vector<std::unique_ptr<Load>> leads;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    waited.swap(groups_);
    EventChain kept;
    while (std::unique_ptr<EventNode> node = events_.Pop()) {
      if (node->kind == EventKind::kLoad || node->kind == EventKind::kSend) {
        tasks.Push(std::move(node));
        continue;
      }
      if (node->kind == EventKind::kLead) {  // It is also the end of its get.
        leads.push_back(std::move(node->load));
        node->kind = EventKind::kGet;
        node->status = static_cast<int32_t>(Code::kClosed);
        node->value = Value::Copy({}, "the queue is closed", 0);
      }
      kept.Push(std::move(node));
    }
    events_ = std::move(kept);
  }
  for (const Waited& of : waited) {
    if (const std::shared_ptr<Group> group = of.alive.lock()) group->EndWaitsIn(*this);
  }
  // Abandons what nobody took, with no lock held.
  while (tasks.Pop() != nullptr) {
  }
  leads.clear();
  std::lock_guard lock(mutex_);
  ready_.NotifyAll();
  poller_told_ = fd_used_;
  if (fd_used_) waker_->Signal();
}

void EventQueue::Discard() {
  Close();
  EventChain dropped;  // Without the lock.
  std::lock_guard lock(mutex_);
  discards_ = true;
  dropped = std::move(events_);
  logs_ = 0;
}

bool EventQueue::drained() {
  std::lock_guard lock(mutex_);
  return closed_ && announced_ == 0 && events_.empty();
}

Result<int> EventQueue::fd() {
  std::lock_guard lock(mutex_);
  if (!fd_used_) {
    auto waker = std::make_unique<Waker>();
    if (!waker->ok()) return Status(Code::kIo, "the process has no file descriptor left for the queue");
    waker_ = std::move(waker);
    fd_used_ = true;
    poller_told_ = !events_.empty() || woken_ || closed_;
    if (poller_told_) waker_->Signal();
  }
  return waker_->fd();
}

}  // namespace cohort
