// Reference implementations of six eviction policies from their papers, for comparison: exact, told of every request,
// and with as much memory of their own as they like.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace cohort::replay {

// Keys are numbers from 0; sizes are in bytes, or all 1.
class Reference {
 public:
  static constexpr std::string_view kNames[] = {"lru", "sieve", "s3fifo", "arc", "wtinylfu", "gdsf"};

  // Null: no such name. `sizes`, of all keys, outlives it.
  static std::unique_ptr<Reference> New(std::string_view name, int64_t capacity, const std::vector<int64_t>& sizes);
  virtual ~Reference() = default;

  // Whether the key is here. It is kept from now on, if it fits and the policy lets it.
  virtual bool Get(uint32_t key) = 0;
};

}  // namespace cohort::replay
