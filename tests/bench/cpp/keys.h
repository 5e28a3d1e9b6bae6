// Keys and the order in which they are asked for: the same in every language, so that all subjects do the same work.
#ifndef COHORT_BENCH_KEYS_H
#define COHORT_BENCH_KEYS_H

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

constexpr size_t kValueBytes = 1024;
constexpr int kOrder = 1 << 18;  // How many draws an order has; then it begins again.

std::string Key(int64_t i);                      // "key-00000042": 12 bytes up to a hundred million.
int64_t NumberOf(const char* key, size_t size);  // What Key made it of.
std::vector<std::string> Keys(int64_t n);

// A generator of random numbers (splitmix64, Steele, Lea and Flood 2014) that each language has in the same words.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

// Writes the value of the i-th key, which each language makes in the same way: the first word of Random(i), little
// endian, again and again. Every byte is written, so that no value is a page of zeroes that the kernel shares among all
// of them.
void WriteValue(int64_t i, void* value, size_t size);
std::string Value(int64_t i, size_t size);
bool IsValue(int64_t i, const void* value, size_t size);

// kOrder numbers below n by a Zipf distribution with exponent 0.99; popular numbers are spread over all of them.
std::vector<uint32_t> ZipfOrder(int64_t n, uint64_t seed);
// kOrder numbers below n, each as likely as the other.
std::vector<uint32_t> UniformOrder(int64_t n, uint64_t seed);

}  // namespace bench

#endif
