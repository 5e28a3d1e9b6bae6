#include "runtime/process.h"

#include <pthread.h>

#include "runtime/thread.h"

namespace cohort {

namespace process_internal {
std::atomic<uint32_t> generation{0};
}

namespace {

pthread_once_t watch_once = PTHREAD_ONCE_INIT;

void CountFork() { process_internal::generation.fetch_add(1, std::memory_order_relaxed); }
void Watch() { pthread_atfork(nullptr, nullptr, CountFork); }

}  // namespace

void WatchForks() { pthread_once(&watch_once, Watch); }

bool RunDetached(const std::string& name, Task& task) {
  Thread thread;
  if (!thread.Start(name, 0, task)) return false;
  thread.Detach();
  return true;
}

}  // namespace cohort
