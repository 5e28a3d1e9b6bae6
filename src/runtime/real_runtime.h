// The real Runtime: the machine's clocks, one timer thread, a small executor and an elastic pool for what may block.
// Threads are made when first needed; those of the pools leave when idle.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/runtime.h"

namespace cohort {

struct RealRuntimeOptions {
  std::string name = "cohort";  // Begins the name of every thread.
  size_t max_blocking_threads = 64;
};

// The runtime's destructor stops it.
std::unique_ptr<Runtime> NewRealRuntime(RealRuntimeOptions options = {});

}  // namespace cohort
