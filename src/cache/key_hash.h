// The hash by which a cache finds a key: XXH3 (Y. Collet), the same for equal keys in this process only.
#pragma once

// The whole of it is compiled into the caller: for short keys a call would cost as much as the hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace cohort {

inline uint64_t KeyHash(std::string_view key) { return XXH3_64bits(key.data(), key.size()); }

}  // namespace cohort
