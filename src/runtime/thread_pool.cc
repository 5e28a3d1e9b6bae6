#include "runtime/thread_pool.h"

#include <algorithm>

#include "runtime/system_clock.h"

namespace cohort {

ThreadPool::ThreadPool(Options options) : options_(std::move(options)) {}

ThreadPool::~ThreadPool() { Stop(); }

bool ThreadPool::Post(Task task) {
  Workers gone;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return false;
    queue_.push_back(std::move(task));
    Staff();
    gone.swap(gone_);
  }
  for (Worker& worker : gone) worker.thread.Join();
  return true;
}

void ThreadPool::Staff() {
  if (!idle_.empty()) {
    Worker* worker = idle_.back();
    idle_.pop_back();
    worker->called = true;
    worker->wake.NotifyOne();
    return;
  }
  if (workers_.size() >= options_.max_threads) return;
  const auto self = workers_.emplace(workers_.end());
  Task body = [this, self] { Run(self); };
  if (!self->thread.Start(options_.thread_name, options_.stack_bytes, body)) workers_.erase(self);
}

void ThreadPool::Run(Workers::iterator self) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    while (!queue_.empty()) {
      Task task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
    if (stopping_) break;
    self->called = false;
    idle_.push_back(&*self);
    const int64_t deadline_ns = DeadlineAfter(SystemClock().MonotonicNs(), options_.idle_ns);
    if (!self->wake.WaitUntil(lock, deadline_ns, [&] { return self->called; })) {
      idle_.erase(std::find(idle_.begin(), idle_.end(), &*self));
      break;
    }
  }
  gone_.splice(gone_.end(), workers_, self);
  if (workers_.empty()) all_gone_.NotifyAll();
}

void ThreadPool::Stop() {
  Workers gone;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    stopping_ = true;
    // Tasks that no thread could be made for are looked after now, or dropped below.
    if (!queue_.empty() && workers_.empty()) Staff();
    for (Worker* worker : idle_) {
      worker->called = true;
      worker->wake.NotifyOne();
    }
    idle_.clear();
    while (!workers_.empty()) all_gone_.Wait(lock);
    gone.swap(gone_);
  }
  for (Worker& worker : gone) worker.thread.Join();
  std::deque<Task> dropped;
  std::unique_lock<std::mutex> lock(mutex_);
  dropped.swap(queue_);
  lock.unlock();
}

size_t ThreadPool::threads() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return workers_.size();
}

}  // namespace cohort
