#include "runtime/epochs.h"

#include <sched.h>

#include <cstdlib>
#include <new>

#include "runtime/process.h"

namespace cohort {

namespace epochs_internal {

constinit thread_local ThreadState* mine = nullptr;
std::atomic<uint64_t> current{1};

namespace {

std::atomic<ThreadState*> all{nullptr};
std::atomic<uint32_t> numbers{0};

// Gives the thread's state back when the thread ends.
struct Owner {
  ThreadState* state = nullptr;
  ~Owner() {
    if (state == nullptr) return;
    mine = nullptr;
    state->taken.store(false, std::memory_order_release);
  }
};
thread_local Owner owner;
// Destructors of other thread-local objects may come here after Owner's has run: their state stays with the thread.
constinit thread_local bool owned_before = false;

// In a forked child only this thread is left; what the others had noted would hold up its writers for ever.
void KeepOnlyMine() {
  for (ThreadState* state = all.load(std::memory_order_acquire); state != nullptr; state = state->next) {
    if (state == mine) continue;
    state->epoch.store(0, std::memory_order_relaxed);
    state->taken.store(false, std::memory_order_relaxed);
  }
}

// One that its thread has given back, the lowest number first; else a new one. Null: no memory.
ThreadState* Claim() {
  for (;;) {
    ThreadState* best = nullptr;
    for (ThreadState* state = all.load(std::memory_order_acquire); state != nullptr; state = state->next) {
      if (!state->taken.load(std::memory_order_relaxed) && (best == nullptr || state->number < best->number))
        best = state;
    }
    if (best == nullptr) break;
    if (!best->taken.exchange(true, std::memory_order_acquire)) return best;
  }
  // Nothing here may fail: a hit has no way to say so. Without memory the thread waits until there is some, or another
  // thread has ended.
  void* const memory = std::aligned_alloc(alignof(ThreadState), sizeof(ThreadState));
  if (memory == nullptr) return nullptr;
  auto* const state = new (memory) ThreadState;
  state->number = numbers.fetch_add(1, std::memory_order_relaxed);
  state->next = all.load(std::memory_order_relaxed);
  while (!all.compare_exchange_weak(state->next, state, std::memory_order_release, std::memory_order_relaxed)) {
  }
  return state;
}

}  // namespace

ThreadState* FirstState() { return all.load(std::memory_order_acquire); }

ThreadState* Take() {
  static const bool watching = (OnForkInChild(KeepOnlyMine), true);
  static_cast<void>(watching);
  while ((mine = Claim()) == nullptr) sched_yield();
  if (!owned_before) {
    owned_before = true;
    owner.state = mine;
  }
  return mine;
}

}  // namespace epochs_internal

Grace Grace::Begin() { return Grace(epochs_internal::current.fetch_add(1, std::memory_order_seq_cst)); }

bool Grace::Passed() const {
#if !defined(COHORT_THREAD_SANITIZER)
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  for (const epochs_internal::ThreadState* state = epochs_internal::all.load(std::memory_order_acquire);
       state != nullptr; state = state->next) {
    const uint64_t epoch = state->epoch.load(std::memory_order_seq_cst);
    if (epoch != 0 && epoch <= epoch_) return false;
  }
  return true;
}

void Grace::Await() const {
  while (!Passed()) sched_yield();
}

}  // namespace cohort
