#include "transport/http/http_channel.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/lent_thread.h"
#include "runtime/system_clock.h"

namespace cohort {

HttpClientShared::HttpClientShared(HttpOptions http_options, std::shared_ptr<Tls> http_tls)
    : options(std::move(http_options)),
      tls(std::move(http_tls)),
      senders({"cohort-send", std::numeric_limits<size_t>::max()}) {}

HttpSenders::HttpSenders(std::shared_ptr<HttpClientShared> shared, Runtime& runtime, std::string address,
                         HostPort host_port)
    : shared_(std::move(shared)), runtime_(runtime), address_(std::move(address)), host_port_(std::move(host_port)) {}

std::shared_ptr<HttpSenders> HttpSenders::New(std::shared_ptr<HttpClientShared> shared, Runtime& runtime,
                                              std::string address, HostPort host_port) {
  std::shared_ptr<HttpSenders> senders(new HttpSenders(std::move(shared), runtime, address, std::move(host_port)));
  senders->calls_ =
      std::make_shared<Calls>(runtime, std::move(address), [weak = std::weak_ptr<HttpSenders>(senders)](uint64_t id) {
        if (auto self = weak.lock()) self->Abandon(id);
      });
  return senders;
}

uint64_t HttpSenders::Send(Request request, ResponseDone done) {
  if (Status status = ClientConnection::IsSendable(request); !status.ok()) {
    done(std::move(status));
    return 0;
  }
  if (request.timeout_ms <= 0) request.timeout_ms = shared_->options.request_timeout_ms;
  const int64_t deadline_ns = DeadlineAfter(NowMonotonicNs(), MsToNs(request.timeout_ms));
  const uint64_t id = calls_->Open(std::move(done), request.timeout_ms);
  if (id == 0) return 0;

  Queued queued{std::move(request), deadline_ns};  // Outlives the lock if it is not taken over.
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) return id;  // Close has completed it, or is about to.
  if (LeaveToCaller(id, &queued)) return id;
  queue_.emplace(id, std::move(queued));
  // One that was called for a call which another has taken since will find this one.
  if (called_ >= queue_.size()) {
    WatchFinishing();
  } else if (!idle_.empty()) {
    Sender* sender = idle_.back();
    idle_.pop_back();
    Call(*sender);
    if (sender->finishing) WatchFinishing();
    const std::shared_ptr<Condition> wake = sender->wake;
    lock.unlock();
    wake->NotifyOne();
  } else if (!Employ()) {
    queue_.erase(id);
    lock.unlock();
    calls_->Finish(id, Status(Code::kClosed, "the transport to peer " + address_ + " is closed"));
  }
  return id;
}

void HttpSenders::Call(Sender& sender) {
  if (!sender.called) ++called_;
  sender.called = true;
}

bool HttpSenders::Employ() {
  if (senders_.size() >= std::max<size_t>(shared_->options.max_connections_per_peer, 1)) {
    WatchFinishing();
    return true;
  }
  const auto self = senders_.emplace(senders_.end(), address_, host_port_, *shared_);
  Call(*self);
  if (Start(self)) return true;
  --called_;
  senders_.erase(self);
  return !senders_.empty();
}

bool HttpSenders::Start(Senders::iterator self) {
  return shared_->senders.Post([owner = shared_from_this(), self] { owner->Run(self); });
}

// A sender counts as free from the moment it completes a call:
//
//   1. It runs `done`, which wakes the caller.
//   2. The caller sends the next call. The sender is free in an instant; a second connection would be wasted.
//
// But a completion might take its time, or even wait for the new call. So while calls wait for finishing senders, a
// timer looks in, and gives the connection of one to another thread. The old thread finds that when it comes back:
//
//   1. thread 1 completes a call   2. the timer: the sender's thread is 2 now   3. thread 1: "replaced", and leaves
void HttpSenders::WatchFinishing() {
  if (watching_) return;
  watching_ = true;
  runtime_.timers().After(MsToNs(shared_->options.sender_patience_ms), [weak = weak_from_this()] {
    auto self = weak.lock();
    if (self == nullptr) return;
    std::lock_guard<std::mutex> lock(self->mutex_);
    self->watching_ = false;
    if (self->closed_ || self->queue_.empty()) return;
    const auto late = std::find_if(self->senders_.begin(), self->senders_.end(),
                                   [](const Sender& sender) { return sender.finishing; });
    if (late != self->senders_.end()) {
      late->finishing = false;
      *std::exchange(late->replaced, std::make_shared<bool>(false)) = true;
      std::erase(self->idle_, &*late);
      self->Call(*late);  // Even if another was called for what waits: until it runs, it counts as one that is free.
      self->Start(late);
    }
    self->WatchFinishing();
  });
}

Result<Response> HttpSenders::Perform(Sender& self, uint64_t id, const Queued& queued,
                                      std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  Result<Response> result = Status(Code::kCancelled, "given up");
  if (calls_->IsOpen(id)) result = self.connection.Perform(queued.request, queued.deadline_monotonic_ns);
  lock.lock();
  self.running = 0;
  self.used_ns = NowMonotonicNs();
  if (self.connection.aborted()) {
    self.connection.ClearAbort();
    lock.unlock();
    self.connection.Close();
    lock.lock();
  }
  return result;
}

bool HttpSenders::SendNext(Sender& self, std::unique_lock<std::mutex>& lock) {
  auto next = queue_.extract(queue_.begin());
  const uint64_t id = next.key();
  self.running = id;
  Result<Response> result = Perform(self, id, next.mapped(), lock);
  // Held here, because when the completion is over the sender may have another thread, or be gone.
  const std::shared_ptr<const bool> replaced = self.replaced;
  self.finishing = true;
  idle_.push_back(&self);
  lock.unlock();

  calls_->FinishHere(id, std::move(result));

  lock.lock();
  if (*replaced) return false;
  self.finishing = false;
  if (!self.called) std::erase(idle_, &self);
  return true;
}

bool HttpSenders::AwaitCall(Sender& self, std::unique_lock<std::mutex>& lock) {
  const int64_t idle_ns = MsToNs(shared_->options.idle_timeout_ms);
  int64_t deadline_ns = DeadlineAfter(NowMonotonicNs(), idle_ns);
  while (!self.called) {
    if (self.wake->WaitUntil(lock, deadline_ns) || self.called) continue;
    // A thread that borrowed the connection may have used it meanwhile.
    const int64_t now_ns = NowMonotonicNs();
    const int64_t since_ns = self.lent ? now_ns : self.used_ns;
    if (now_ns - since_ns >= idle_ns) {
      std::erase(idle_, &self);
      return false;
    }
    deadline_ns = DeadlineAfter(since_ns, idle_ns);
  }
  return true;
}

void HttpSenders::Run(Senders::iterator self) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!closed_) {
    if (std::exchange(self->called, false)) --called_;
    if (!queue_.empty()) {
      if (!SendNext(*self, lock)) return;
      continue;
    }
    idle_.push_back(&*self);
    if (!AwaitCall(*self, lock)) break;
  }
  // Closing a connection may write, so it happens without the lock, outside of the list.
  Senders gone;
  gone.splice(gone.end(), senders_, self);
  lock.unlock();
}

// ---- threads that are lent

bool HttpSenders::LeaveToCaller(uint64_t id, Queued* queued) {
  const int64_t most_ns = LentThread::MostNs();
  if (most_ns == 0) return false;
  const auto free = std::find_if(idle_.rbegin(), idle_.rend(), [](const Sender* sender) { return !sender->finishing; });
  if (free == idle_.rend()) return false;
  Sender* const sender = *free;
  idle_.erase(std::next(free).base());
  sender->lent = true;
  sender->running = id;
  queued->deadline_monotonic_ns = std::min(queued->deadline_monotonic_ns, DeadlineAfter(NowMonotonicNs(), most_ns));
  LentThread::Leave(
      [self = shared_from_this(), sender, id, own = std::move(*queued)] { self->PerformForCaller(*sender, id, own); });
  return true;
}

// The sender stays in the list as long as it is lent: its own thread waits for a call, and leaves it be.
void HttpSenders::PerformForCaller(Sender& self, uint64_t id, const Queued& queued) {
  std::unique_lock<std::mutex> lock(mutex_);
  Result<Response> result = Perform(self, id, queued, lock);
  self.lent = false;
  if (closed_ || !queue_.empty()) {
    Call(self);
    self.wake->NotifyOne();
  } else {
    idle_.push_back(&self);
  }
  lock.unlock();
  calls_->FinishHere(id, std::move(result));
}

void HttpSenders::Cancel(uint64_t id) {
  calls_->Finish(id, Status(Code::kCancelled, "the call to peer " + address_ + " was cancelled"));
  Abandon(id);
}

void HttpSenders::Abandon(uint64_t id) {
  std::map<uint64_t, Queued>::node_type dropped;  // Destroyed without the lock.
  std::lock_guard<std::mutex> lock(mutex_);
  dropped = queue_.extract(id);
  for (Sender& sender : senders_) {
    if (sender.running == id) sender.connection.Abort();
  }
}

void HttpSenders::Close() {
  calls_->Close();
  std::map<uint64_t, Queued> dropped;
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  dropped.swap(queue_);
  for (Sender& sender : senders_) {
    if (sender.running != 0) sender.connection.Abort();
  }
  for (Sender* sender : idle_) {
    sender->called = true;
    sender->wake->NotifyOne();
  }
  idle_.clear();
}

}  // namespace cohort
