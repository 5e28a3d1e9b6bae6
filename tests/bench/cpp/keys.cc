#include "keys.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {

std::string Key(int64_t i) {
  char text[32];
  std::snprintf(text, sizeof(text), "key-%08lld", static_cast<long long>(i));
  return text;
}

int64_t NumberOf(const char* key, size_t size) { return std::atoll(std::string(key, size).c_str() + 4); }

std::vector<std::string> Keys(int64_t n) {
  std::vector<std::string> keys;
  keys.reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) keys.push_back(Key(i));
  return keys;
}

uint64_t Random::Next() {
  uint64_t x = state_ += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

void WriteValue(int64_t i, void* value, size_t size) {
  const uint64_t word = Random(static_cast<uint64_t>(i)).Next();
  for (size_t at = 0; at < size; at += sizeof(word)) {
    std::memcpy(static_cast<char*>(value) + at, &word, std::min(sizeof(word), size - at));
  }
}

std::string Value(int64_t i, size_t size) {
  std::string value(size, '\0');
  WriteValue(i, value.data(), size);
  return value;
}

bool IsValue(int64_t i, const void* value, size_t size) { return std::memcmp(value, Value(i, size).data(), size) == 0; }

std::vector<uint32_t> ZipfOrder(int64_t n, uint64_t seed) {
  std::vector<double> sums(static_cast<size_t>(n));
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sums[static_cast<size_t>(i)] = sum += std::pow(static_cast<double>(i + 1), -0.99);
  Random random(seed);
  std::vector<uint32_t> order(kOrder);
  for (auto& at : order) {
    const auto found = std::lower_bound(sums.begin(), sums.end(), random.Unit() * sum);
    const int64_t rank = std::min<int64_t>(found - sums.begin(), n - 1);
    at = static_cast<uint32_t>(rank * 48271 % n);
  }
  return order;
}

std::vector<uint32_t> UniformOrder(int64_t n, uint64_t seed) {
  Random random(seed);
  std::vector<uint32_t> order(kOrder);
  for (auto& at : order) at = static_cast<uint32_t>(random.Next() % static_cast<uint64_t>(n));
  return order;
}

}  // namespace bench
