// Entry is a Value as the cache that holds it sees it: links for the policy's lists, the bits of its hash that find its
// slot again, the tier, and what it is charged. Every Value is made as an Entry, so that filling allocates nothing.
#pragma once

#include "cache/value.h"

namespace cohort {

class Entry final : public Value {
 public:
  static constexpr unsigned kDirectoryBits = 12;

  static Entry* Of(Value* value) { return static_cast<Entry*>(value); }

  // Takes the links for one cache; false if another cache, tier or fill has them. The same value may be filled twice:
  //   1. fill A claims the value and links it;
  //   2. fill B, of another tier, fails to claim it and makes an entry of its own around it (Value::Wrap).
  // Without the claim, B would overwrite A's links.
  bool Claim() { return (refs_.fetch_or(kHeld, std::memory_order_acquire) & kHeld) == 0; }
  // REQUIRES: claimed, and in no list or index any more.
  void Unclaim() { refs_.fetch_and(~kHeld, std::memory_order_release); }

  // The parts of the key's hash by which the index finds the entry. REQUIRES (of all setters): claimed; once it is in a
  // shard, that shard's exclusive lock.
  void SetHash(uint64_t hash) {
    tag_ = TagOf(hash);
    directory_ = DirectoryOf(hash) & ((1U << kDirectoryBits) - 1);
  }
  static uint16_t TagOf(uint64_t hash) { return static_cast<uint16_t>(hash); }
  static uint32_t DirectoryOf(uint64_t hash) {
    return static_cast<uint32_t>(hash >> 16) & ((1U << kDirectoryBits) - 1);
  }
  uint16_t tag() const { return static_cast<uint16_t>(tag_); }
  uint32_t directory() const { return directory_; }

  // 0: main, 1: hot.
  unsigned tier() const { return tier_; }
  void set_tier(unsigned tier) { tier_ = tier & 1U; }
  // Three bits for the policy; once the entry has left, for the graveyard.
  unsigned mark() const { return mark_; }
  void set_mark(unsigned mark) { mark_ = mark & 7U; }

  // Key and value.
  int64_t PayloadBytes() const { return static_cast<int64_t>(key_size_ + size_); }
  // What keeping the entry costs: its allocation as malloc rounds it, bytes that live elsewhere, its share of the
  // index.
  int64_t ChargedBytes() const;

  Entry* prev = nullptr;
  Entry* next = nullptr;

 private:
  friend class Value;
  struct Host {
    const char* data;
    DestroyFn destroy;
    void* user;
  };

  using Value::Value;
  ~Entry() = default;

  static Entry* Make(Kind kind, std::string_view key, uint64_t size, int64_t expire_unix_ns);
  static size_t AllocationBytes(Kind kind, size_t key_size, uint64_t size);
  // Behind the key, aligned. REQUIRES: that kind.
  Host* host() { return static_cast<Host*>(Behind()); }
  Value** source() { return static_cast<Value**>(Behind()); }
  void* Behind();
  int64_t FootprintBytes() const;
};

}  // namespace cohort
