// Counts what this thread allocates, the library's own allocations included.
#pragma once

#include <cstdint>

namespace capi_test {

// Calls of operator new on this thread; -1 where they cannot be counted.
int64_t Allocations();

}  // namespace capi_test
