#include "runtime/process.h"

#include <pthread.h>

#include <array>

#include "runtime/thread.h"

namespace cohort {

namespace process_internal {
std::atomic<uint32_t> generation{0};
}

namespace {

pthread_once_t watch_once = PTHREAD_ONCE_INIT;

std::array<std::atomic<void (*)()>, 8> hooks;

void CountFork() {
  process_internal::generation.fetch_add(1, std::memory_order_relaxed);
  for (const auto& hook : hooks) {
    if (auto* const run = hook.load(std::memory_order_acquire); run != nullptr) run();
  }
}
void Watch() { pthread_atfork(nullptr, nullptr, CountFork); }

}  // namespace

void WatchForks() { pthread_once(&watch_once, Watch); }

void OnForkInChild(void (*hook)()) {
  WatchForks();
  for (auto& place : hooks) {
    void (*none)() = nullptr;
    if (place.compare_exchange_strong(none, hook, std::memory_order_release)) return;
  }
}

bool RunDetached(const std::string& name, Task& task) {
  Thread thread;
  if (!thread.Start(name, 0, task)) return false;
  thread.Detach();
  return true;
}

}  // namespace cohort
