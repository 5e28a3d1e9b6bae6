#include "runtime/timer_queue.h"

namespace cohort {

TimerId TimerQueue::After(int64_t delay_ns, Task task) {
  const int64_t due_ns = DeadlineAfter(clock_.MonotonicNs(), delay_ns);
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_) return 0;
  const TimerId id = next_id_++;
  const auto entry = waiting_.emplace(Key(due_ns, id), std::move(task)).first;
  due_ns_.emplace(id, due_ns);
  if (!thread_.started()) {
    // Where the system gives no thread, the next After asks for one again.
    Task body = [this] { Run(); };
    thread_.Start(thread_name_, 0, body);
  } else if (entry == waiting_.begin()) {
    changed_.NotifyOne();
  }
  return id;
}

bool TimerQueue::Cancel(TimerId id) {
  Task cancelled;  // Destroyed when the lock is no longer held.
  std::lock_guard<std::mutex> lock(mutex_);
  const auto due = due_ns_.find(id);
  if (due == due_ns_.end()) return false;
  const auto entry = waiting_.find(Key(due->second, id));
  cancelled = std::move(entry->second);
  waiting_.erase(entry);
  due_ns_.erase(due);
  return true;
}

void TimerQueue::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) {
      changed_.Wait(lock);
      continue;
    }
    const auto first = waiting_.begin();
    const int64_t due_ns = first->first.first;
    if (clock_.MonotonicNs() < due_ns) {
      changed_.WaitUntil(lock, due_ns);
      continue;
    }
    Task task = std::move(first->second);
    due_ns_.erase(first->first.second);
    waiting_.erase(first);
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

void TimerQueue::Stop() {
  std::map<Key, Task> dropped;
  Thread thread;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    dropped.swap(waiting_);
    due_ns_.clear();
    if (thread_.started()) thread = std::move(thread_);
  }
  thread.Join();
}

}  // namespace cohort
