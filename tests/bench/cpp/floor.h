// The floor: a flat hash table without a lock, eviction, expiry or statistics, and a bare copy. Nothing that keeps
// values of 1 KiB in memory and finds them by their keys can be much faster, so what stands between a cache and it is
// the cache's own.
#ifndef COHORT_BENCH_FLOOR_H
#define COHORT_BENCH_FLOOR_H

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bench {

class FlatTable {
 public:
  // Room for `entries` of `value_bytes` each under keys of 12 bytes.
  FlatTable(int64_t entries, size_t value_bytes, bool huge_pages);

  void Insert(std::string_view key, const void* value);
  // The value, or nullptr.
  const char* Find(std::string_view key) const;
  // The value of the i-th entry that was inserted, without looking for it.
  const char* At(int64_t i) const { return slots_ + static_cast<size_t>(i) * stride_ + kKeyBytes; }

 private:
  static constexpr size_t kKeyBytes = 16;  // 12, rounded so that values are aligned.
  static uint64_t Hash(std::string_view key);

  size_t value_bytes_, stride_, mask_;
  char* slots_;      // [key, value] one after the other
  uint32_t* index_;  // hash -> number of the slot + 1; 0: none
  uint32_t count_ = 0;
};

}  // namespace bench

#endif
