#include "transport/http/http_channel.h"

#include <algorithm>
#include <limits>
#include <utility>

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
  queue_.emplace(id, std::move(queued));
  if (!idle_.empty()) {
    Sender* sender = idle_.back();
    idle_.pop_back();
    sender->called = true;
    sender->wake.NotifyOne();
    if (sender->finishing) WatchFinishing();
  } else if (!Employ()) {
    queue_.erase(id);
    lock.unlock();
    calls_->Finish(id, Status(Code::kClosed, "the transport to peer " + address_ + " is closed"));
  }
  return id;
}

bool HttpSenders::Employ() {
  const auto free = std::find_if(idle_.rbegin(), idle_.rend(), [](const Sender* sender) { return !sender->finishing; });
  if (free != idle_.rend()) {
    Sender* sender = *free;
    idle_.erase(std::next(free).base());
    sender->called = true;
    sender->wake.NotifyOne();
    return true;
  }
  if (senders_.size() >= std::max<size_t>(shared_->options.max_connections_per_peer, 1)) return true;
  const auto self = senders_.emplace(senders_.end(), address_, host_port_, *shared_);
  if (shared_->senders.Post([owner = shared_from_this(), self] { owner->Run(self); })) return true;
  senders_.erase(self);
  return !senders_.empty();
}

// A sender counts as free from the moment it completes a call:
//
//   1. It runs `done`, which wakes the caller.
//   2. The caller sends the next call. The sender is free in an instant; a second connection would be wasted.
//
// But a completion might take its time, or even wait for the new call. So while calls wait for finishing senders, a
// timer looks in, and finds them another.
void HttpSenders::WatchFinishing() {
  if (watching_) return;
  watching_ = true;
  runtime_.timers().After(MsToNs(shared_->options.sender_patience_ms), [weak = weak_from_this()] {
    auto self = weak.lock();
    if (self == nullptr) return;
    std::lock_guard<std::mutex> lock(self->mutex_);
    self->watching_ = false;
    if (self->closed_ || self->queue_.empty()) return;
    self->Employ();
    self->WatchFinishing();
  });
}

void HttpSenders::SendNext(Sender& self, std::unique_lock<std::mutex>& lock) {
  auto next = queue_.extract(queue_.begin());
  const uint64_t id = next.key();
  const Queued& queued = next.mapped();
  self.running = id;
  lock.unlock();
  Result<Response> result = Status(Code::kCancelled, "given up");
  if (calls_->IsOpen(id)) result = self.connection.Perform(queued.request, queued.deadline_monotonic_ns);
  lock.lock();
  self.running = 0;
  const bool aborted = self.connection.aborted();
  if (aborted) self.connection.ClearAbort();
  self.called = false;
  self.finishing = true;
  idle_.push_back(&self);
  lock.unlock();

  if (aborted) self.connection.Close();
  calls_->FinishHere(id, std::move(result));

  lock.lock();
  self.finishing = false;
  if (!self.called) idle_.erase(std::find(idle_.begin(), idle_.end(), &self));
}

void HttpSenders::Run(Senders::iterator self) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!closed_) {
    if (!queue_.empty()) {
      SendNext(*self, lock);
      continue;
    }
    self->called = false;
    idle_.push_back(&*self);
    const int64_t deadline_ns = DeadlineAfter(NowMonotonicNs(), MsToNs(shared_->options.idle_timeout_ms));
    if (!self->wake.WaitUntil(lock, deadline_ns, [&] { return self->called; })) {
      idle_.erase(std::find(idle_.begin(), idle_.end(), &*self));
      break;
    }
  }
  // Closing a connection may write, so it happens without the lock, outside of the list.
  Senders gone;
  gone.splice(gone.end(), senders_, self);
  lock.unlock();
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
    sender->wake.NotifyOne();
  }
  idle_.clear();
}

}  // namespace cohort
