#include "floor.h"

#include <sys/mman.h>

#include <cstring>

#include "session.h"

namespace bench {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// Zeroed memory on pages of 2 MiB, or on none of them.
char* Map(size_t bytes, bool huge_pages) {
  void* mapped = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) Die("there is not enough memory for the flat table");
  const auto at = (reinterpret_cast<uintptr_t>(mapped) + kHugePage - 1) / kHugePage * kHugePage;
  auto* memory = reinterpret_cast<char*>(at);
  madvise(memory, bytes, huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return memory;
}

}  // namespace

FlatTable::FlatTable(int64_t entries, size_t value_bytes, bool huge_pages)
    : value_bytes_(value_bytes), stride_((kKeyBytes + value_bytes + 7) / 8 * 8), mask_(1) {
  while (mask_ < static_cast<size_t>(entries) * 3 / 2) mask_ *= 2;
  slots_ = Map(static_cast<size_t>(entries) * stride_, huge_pages);
  index_ = reinterpret_cast<uint32_t*>(Map(mask_ * sizeof(uint32_t), huge_pages));
  --mask_;
}

uint64_t FlatTable::Hash(std::string_view key) {
  uint64_t low = 0;
  uint32_t high = 0;
  std::memcpy(&low, key.data(), 8);
  std::memcpy(&high, key.data() + 8, 4);
  const auto mixed = static_cast<unsigned __int128>(low ^ 0x9e3779b97f4a7c15) * (high ^ 0xd6e8feb86659fd93);
  return static_cast<uint64_t>(mixed) ^ static_cast<uint64_t>(mixed >> 64);
}

void FlatTable::Insert(std::string_view key, const void* value) {
  if (key.size() != 12) Die("the flat table takes keys of 12 bytes");
  char* slot = slots_ + count_ * stride_;
  std::memcpy(slot, key.data(), key.size());
  std::memcpy(slot + kKeyBytes, value, value_bytes_);
  size_t at = Hash(key) & mask_;
  while (index_[at] != 0) at = (at + 1) & mask_;
  index_[at] = ++count_;
}

const char* FlatTable::Find(std::string_view key) const {
  for (size_t at = Hash(key) & mask_; index_[at] != 0; at = (at + 1) & mask_) {
    const char* slot = slots_ + (index_[at] - 1) * stride_;
    if (std::memcmp(slot, key.data(), 12) == 0) return slot + kKeyBytes;
  }
  return nullptr;
}

}  // namespace bench
