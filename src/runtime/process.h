// Process tells a forked child from the process that made an object, and runs work that the calling thread must not do
// itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/unique_function.h"

namespace cohort {

namespace process_internal {
extern std::atomic<uint32_t> generation;
}

// How many forks lie between the first call of WatchForks and this process. An object remembers it and knows its own
// process again. Only counts forks that come after WatchForks.
inline uint32_t ProcessGeneration() { return process_internal::generation.load(std::memory_order_relaxed); }
// Counts forks from now on. Idempotent.
void WatchForks();
// Runs `hook` in every forked child from now on, before fork returns there: it must take no lock and no memory. At most
// eight hooks are kept. REQUIRES: it is not there yet.
void OnForkInChild(void (*hook)());

// Runs `task` on a thread of its own that nobody joins. False when the system gives no thread; `task` is then left as
// it was.
bool RunDetached(const std::string& name, Task& task);

}  // namespace cohort
