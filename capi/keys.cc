#include "capi/keys.h"

#include "capi/check.h"

namespace cohort::capi {

Status CheckKeys(const char* keys, size_t keys_size, const int64_t* key_sizes, size_t count) {
  Check check;
  check.Bytes(keys, keys_size, kMaxKeys * kMaxKeyBytes, "keys");
  check.That(key_sizes != nullptr || count == 0, "key_sizes is NULL");
  if (check.ok() && count > kMaxKeys) {
    return {Code::kTooLarge,
            "count is " + std::to_string(count) + "; at most " + std::to_string(kMaxKeys) + " keys go in one call"};
  }
  uint64_t sum = 0;  // Cannot overflow: 10^6 keys of 64 KiB.
  for (size_t i = 0; check.ok() && i < count; ++i) {
    const int64_t size = key_sizes[i];  // NOLINT(clang-analyzer-core.NullDereference): check.That made sure of it
    if (size < 0 || static_cast<uint64_t>(size) > kMaxKeyBytes) {
      return {size < 0 ? Code::kInvalidArgument : Code::kTooLarge,
              "key_sizes[" + std::to_string(i) + "] is " + std::to_string(size) + "; it must be from 0 to " +
                  std::to_string(kMaxKeyBytes)};
    }
    sum += static_cast<uint64_t>(size);
  }
  if (check.ok() && sum != keys_size) {
    return {Code::kInvalidArgument,
            "key_sizes add up to " + std::to_string(sum) + ", but keys_size is " + std::to_string(keys_size)};
  }
  return check.status();
}

}  // namespace cohort::capi
