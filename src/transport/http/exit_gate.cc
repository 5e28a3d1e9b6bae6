#include "transport/http/exit_gate.h"

#include <time.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

namespace cohort {

namespace {

constexpr int kLongestWaitMs = 1000;

std::once_flag installed;
std::atomic<bool> closed{false};
std::atomic<int> inside_count{0};
thread_local bool inside = false;

void Close() {
  closed.store(true);
  const timespec one_ms = {0, 1'000'000};
  for (int ms = 0; inside_count.load() > (inside ? 1 : 0) && ms < kLongestWaitMs; ms++) nanosleep(&one_ms, nullptr);
}

}  // namespace

void ExitGate::Install(void (*warm_up)()) {
  std::call_once(installed, [warm_up] {
    warm_up();
    std::atexit(Close);
  });
}

bool ExitGate::Enter() {
  if (inside) return true;
  // Counted before asking: so either Close sees the count or this thread sees that the gate is closed.
  inside_count.fetch_add(1);
  if (closed.load()) {
    inside_count.fetch_sub(1);
    return false;
  }
  inside = true;
  return true;
}

void ExitGate::Leave() {
  if (!inside) return;
  inside = false;
  inside_count.fetch_sub(1);
}

}  // namespace cohort
