// Several keys in one call: their bytes one after the other, and the size of each.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace cohort::capi {

// Every size is in its bounds and together they are keys_size.
Status CheckKeys(const char* keys, size_t keys_size, const int64_t* key_sizes, size_t count);

}  // namespace cohort::capi
