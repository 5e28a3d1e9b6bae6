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

EventQueue::EventQueue() = default;

EventQueue::~EventQueue() {
  Close();
  while (head_ != nullptr) {
    EventNode* node = head_;
    head_ = node->next_;
    delete node;
  }
}

Result<std::shared_ptr<EventQueue>> EventQueue::New() { return std::shared_ptr<EventQueue>(new EventQueue()); }

bool EventQueue::Enter(int64_t operations) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  announced_ += operations;
  return true;
}

void EventQueue::Leave(int64_t operations) {
  std::lock_guard lock(mutex_);
  announced_ -= operations;
  if (closed_ && announced_ == 0) ready_.NotifyAll();  // Who waits for the last event need wait no more.
}

bool EventQueue::EnterTracked(TrackedNode* node) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  ++announced_;
  node->tracked_next_ = tracked_;
  if (tracked_ != nullptr) tracked_->tracked_prev_ = node;
  tracked_ = node;
  return true;
}

// REQUIRES: mutex_. Returns the node's group, to be dropped after the lock: it may be the last reference.
//
// The group stays the node's until then, for Close may be looking at it:
//   1. the get ends: its node is made ready   2. Close: reads the node's group and ticket   3. Deliver: untracks the
//   node
std::shared_ptr<Group> EventQueue::Untrack(TrackedNode* node) {
  if (node->tracked_prev_ != nullptr) {
    node->tracked_prev_->tracked_next_ = node->tracked_next_;
  } else if (tracked_ == node) {
    tracked_ = node->tracked_next_;
  } else {
    return nullptr;  // Was never tracked.
  }
  if (node->tracked_next_ != nullptr) node->tracked_next_->tracked_prev_ = node->tracked_prev_;
  node->tracked_prev_ = node->tracked_next_ = nullptr;
  return std::move(node->group);
}

// REQUIRES: mutex_.
void EventQueue::Append(std::unique_ptr<EventNode> owned) {
  EventNode* node = owned.release();
  node->next_ = nullptr;
  if (tail_ != nullptr) {
    tail_->next_ = node;
  } else {
    head_ = node;
  }
  tail_ = node;
  ++size_;
  if (node->kind == EventKind::kLog) ++logs_;
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
  std::shared_ptr<Group> group;
  std::unique_lock lock(mutex_);
  --announced_;
  if (auto* tracked = dynamic_cast<TrackedNode*>(node.get())) group = Untrack(tracked);
  if (discards_) return;  // `node` is dropped after the lock: it was declared before it.
  Append(std::move(node));
  const Waiting waiting = Unaware();
  lock.unlock();
  Tell(waiting);
}

void EventQueue::DeliverAll(std::vector<std::unique_ptr<EventNode>> nodes) {
  if (nodes.empty()) return;
  std::shared_ptr<Group> group;
  std::unique_lock lock(mutex_);
  announced_ -= static_cast<int64_t>(nodes.size());
  for (auto& node : nodes) {
    if (auto* tracked = dynamic_cast<TrackedNode*>(node.get())) group = Untrack(tracked);
  }
  if (discards_) return;
  for (auto& node : nodes) Append(std::move(node));
  const Waiting waiting = Unaware();
  lock.unlock();
  Tell(waiting);
}

bool EventQueue::Offer(std::unique_ptr<EventNode> node) {
  std::unique_lock lock(mutex_);
  if (closed_) return false;  // `node` is dropped after the lock: it was declared before it.
  Append(std::move(node));
  const Waiting waiting = Unaware();
  lock.unlock();
  Tell(waiting);
  return true;
}

size_t EventQueue::untaken_logs() {
  std::lock_guard lock(mutex_);
  return logs_;
}

std::vector<std::unique_ptr<EventNode>> EventQueue::Take(size_t max, int64_t timeout_ms) {
  std::vector<std::unique_ptr<EventNode>> taken;
  if (timeout_ms != 0) Burst::BeforeBlocking();
  std::unique_lock lock(mutex_);
  if (timeout_ms != 0) {
    const int64_t deadline_ns =
        timeout_ms < 0 ? -1 : DeadlineAfter(SystemClock().MonotonicNs(), timeout_ms * 1'000'000);
    ++sleepers_;
    ready_.WaitUntil(lock, deadline_ns, [this] { return head_ != nullptr || woken_ || (closed_ && announced_ == 0); });
    --sleepers_;
  }
  if (head_ == nullptr) woken_ = false;
  taken.reserve(size_ < max ? size_ : max);
  while (head_ != nullptr && taken.size() < max) {
    EventNode* node = head_;
    head_ = node->next_;
    if (head_ == nullptr) tail_ = nullptr;
    --size_;
    if (node->kind == EventKind::kLog) --logs_;
    taken.emplace_back(node);
  }
  if (head_ != nullptr && sleepers_ > 0) ready_.NotifyOne();
  if (fd_used_ && head_ == nullptr && !woken_) {
    waker_->Clear();
    poller_told_ = false;
  }
  return taken;
}

void EventQueue::Wake() {
  std::unique_lock lock(mutex_);
  woken_ = true;
  const Waiting waiting = Unaware();
  lock.unlock();
  Tell(waiting);
}

// Two gets end while their queue is closed:
//   1. begin: EnterTracked                       1. Close: closed_ = true, nothing tracked
//   2. Close: closed_ = true, ticket collected   2. begin: EnterTracked answers false: the get is refused
//   3. Close: EndWait(ticket): its event comes
void EventQueue::Close() {
  std::vector<std::pair<std::shared_ptr<Group>, uint64_t>> waits;
  std::vector<std::unique_ptr<EventNode>> tasks;
  std::vector<std::unique_ptr<Load>> leads;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    for (TrackedNode* node = tracked_; node != nullptr; node = node->tracked_next_) {
      waits.emplace_back(node->group, node->wait_ticket);
    }
    EventNode** link = &head_;
    tail_ = nullptr;
    while (*link != nullptr) {
      EventNode* node = *link;
      if (node->kind == EventKind::kLoad || node->kind == EventKind::kSend) {
        *link = node->next_;
        --size_;
        tasks.emplace_back(node);
        continue;
      }
      if (node->kind == EventKind::kLead) {  // It is also the end of its get.
        leads.push_back(std::move(node->load));
        node->kind = EventKind::kGet;
        node->status = static_cast<int32_t>(Code::kClosed);
        node->value = Value::Copy({}, "the queue is closed", 0);
      }
      tail_ = node;
      link = &node->next_;
    }
  }
  for (auto& [group, ticket] : waits) group->EndWait(ticket, Code::kClosed, "the queue is closed");
  tasks.clear();  // Abandons what nobody took, with no lock held.
  leads.clear();
  std::lock_guard lock(mutex_);
  ready_.NotifyAll();
  poller_told_ = fd_used_;
  if (fd_used_) waker_->Signal();
}

void EventQueue::Discard() {
  Close();
  EventNode* dropped = nullptr;
  {
    std::lock_guard lock(mutex_);
    discards_ = true;
    std::swap(dropped, head_);
    tail_ = nullptr;
    size_ = logs_ = 0;
  }
  while (dropped != nullptr) delete std::exchange(dropped, dropped->next_);
}

bool EventQueue::drained() {
  std::lock_guard lock(mutex_);
  return closed_ && announced_ == 0 && head_ == nullptr;
}

Result<int> EventQueue::fd() {
  std::lock_guard lock(mutex_);
  if (!fd_used_) {
    auto waker = std::make_unique<Waker>();
    if (!waker->ok()) return Status(Code::kIo, "the process has no file descriptor left for the queue");
    waker_ = std::move(waker);
    fd_used_ = true;
    poller_told_ = head_ != nullptr || woken_ || closed_;
    if (poller_told_) waker_->Signal();
  }
  return waker_->fd();
}

}  // namespace cohort
