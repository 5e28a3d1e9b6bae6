// Entry is a Value as the cache that holds it sees it: how often it was hit of late, its tier, the bits of its hash
// that find its slot again, its place in a policy's queue, and what it is charged. Every Value is made as an Entry, so
// that filling allocates nothing for it.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "cache/memory.h"
#include "cache/value.h"

namespace cohort {

class Entry final : public Value {
 public:
  static constexpr unsigned kDirectoryBits = 12;
  static constexpr unsigned kMostFrequent = 7;

  static Entry* Of(Value* value) { return static_cast<Entry*>(value); }

  // Takes the header's fields for one cache; false if another cache, tier or fill has them. The same value may be
  // filled twice:
  //   1. fill A claims the value and inserts it;
  //   2. fill B, of another tier, fails to claim it and makes an entry of its own around it (Value::Wrap).
  // Without the claim, B would overwrite A's fields.
  bool Claim() { return (state_.fetch_or(kHeld, std::memory_order_acquire) & kHeld) == 0; }
  // The same at once. REQUIRES: nobody else has a reference.
  void ClaimAlone() { SetState(kHeld, kHeld); }
  // REQUIRES: claimed, and in no queue or index any more.
  void Unclaim() {
    hits_.store(0, std::memory_order_relaxed);
    state_.store(0, std::memory_order_release);
  }

  // Of readers and of the policy, at any time: how often it was hit, up to kMostFrequent, since the policy last lowered
  // it. Two hits at once may count as one, and a hit may undo a lowering of that moment.
  unsigned frequency() const { return hits_.load(std::memory_order_relaxed); }
  // Counts a hit; false: it counts no more. Then it is written to nowhere: a branch would depend on memory that was
  // just asked for, and half of the entries take one side of it.
  bool CountHit() {
    std::atomic<uint16_t> nowhere;
    const uint16_t hits = hits_.load(std::memory_order_relaxed);
    std::atomic<uint16_t>* const to = hits < kMostFrequent ? &hits_ : &nowhere;
    to->store(static_cast<uint16_t>(hits + 1), std::memory_order_relaxed);
    return hits < kMostFrequent;
  }
  // Instead, under LRU: the age in which it was last used (ages.h).
  uint16_t stamp() const { return hits_.load(std::memory_order_relaxed); }
  void Stamp(uint16_t age) {
    std::atomic<uint16_t> nowhere;
    std::atomic<uint16_t>* const to = stamp() != age ? &hits_ : &nowhere;
    to->store(age, std::memory_order_relaxed);
  }

  struct State {
    unsigned tier;    // 0: main, 1: hot.
    bool notes_hits;  // Each hit is to be told to the policy in order.
  };
  State state() const {
    const unsigned state = state_.load(std::memory_order_relaxed);
    return {state >> kHotAt & 1, (state & kNotesHits) != 0};
  }
  unsigned tier() const { return state().tier; }

  // Whether its key is `key`, its bytes follow it and it never expires. REQUIRES: MayGlance(key).
  bool IsPlain(std::string_view key) const {
    return shape_ >> kKeySizeAt == key.size() && SameWords(Bytes() + kHeaderBytes, key.data(), key.size());
  }
  // REQUIRES: it is plain, and its key is that long.
  std::string_view PlainBytes(size_t key_size) const {
    return {Bytes() + kHeaderBytes + key_size, static_cast<size_t>(size())};
  }
  // Whether a key can be compared without a call.
  static bool MayGlance(std::string_view key) { return key.size() - 4 <= 32 - 4; }

  // REQUIRES (of all setters): claimed; once it is in a shard, that shard's lock.
  void set_frequency(unsigned frequency) {
    hits_.store(static_cast<uint16_t>(std::min(frequency, kMostFrequent)), std::memory_order_relaxed);
  }
  void set_notes_hits(bool notes) { SetState(kNotesHits, notes ? kNotesHits : 0); }
  void set_tier(unsigned tier) { SetState(kHot, tier != 0 ? kHot : 0); }
  // Eight bits for the policy; once the entry has left, for the graveyard.
  unsigned mark() const { return (state_.load(std::memory_order_relaxed) >> kMarkShift) & kMark; }
  void set_mark(unsigned mark) { SetState(kMark << kMarkShift, (mark & kMark) << kMarkShift); }

  // The parts of the key's hash by which the index finds the entry.
  void SetHash(uint64_t hash) { where_ = (where_ & ~kHashMask) | TagOf(hash) | uint64_t{DirectoryOf(hash)} << 16; }
  static uint16_t TagOf(uint64_t hash) { return static_cast<uint16_t>(hash); }
  static uint32_t DirectoryOf(uint64_t hash) {
    return static_cast<uint32_t>(hash >> 16) & ((1U << kDirectoryBits) - 1);
  }
  uint16_t tag() const { return static_cast<uint16_t>(where_); }
  uint32_t directory() const { return static_cast<uint32_t>(where_ >> 16) & ((1U << kDirectoryBits) - 1); }
  // Both, as they stand in the hash.
  uint64_t hash_bits() const { return where_ & kHashMask; }
  // Where the policy's queues have it (entry_queue.h).
  uint32_t place() const { return static_cast<uint32_t>(where_ >> 32); }
  void set_place(uint32_t place) { where_ = (where_ & UINT32_MAX) | uint64_t{place} << 32; }

  // Once it has left: the next in the list of those that have. Takes the place of the hash and the queue's place.
  Entry* next_gone() const { return reinterpret_cast<Entry*>(static_cast<uintptr_t>(where_)); }
  void set_next_gone(Entry* entry) { where_ = reinterpret_cast<uintptr_t>(entry); }

  // Asks for the memory of all that stands before the key.
  void FetchHeader() const {
    __builtin_prefetch(this, 1);
    __builtin_prefetch(Bytes() + kHeaderBytes - 1, 1);
  }

  // Key and value.
  int64_t PayloadBytes() const { return static_cast<int64_t>(key_size() + size()); }
  // What keeping the entry costs: its allocation, bytes that live elsewhere, its share of the index and of the queues.
  int64_t ChargedBytes() const {
    const bool inline_and_lasts = shape_ >> kKindAt == 0;
    return kBesideBytes + (inline_and_lasts
                               ? Memory::BlockBytes(kHeaderBytes + key_size() + static_cast<size_t>(size()))
                               : FootprintBytes());
  }
  // Drops the reference of who lets go of it, if that is the only one and nothing but memory goes with it: *block is to
  // be freed then. False: nothing was done.
  bool EndAlone(Memory::Block* block) {
    if (kind() != Kind::kInline || !OnlyReference()) return false;
    *block = {this, AllocatedBytes()};
    this->~Entry();
    return true;
  }
  // Whether its bytes are the host's, who waits for them to be given back.
  bool IsBorrowed() const;

 private:
  friend class Value;
  struct Host {
    const char* data;
    DestroyFn destroy;
    void* user;
  };

  // state_, from the low end.
  static constexpr unsigned kHeld = 1U << 0;
  static constexpr unsigned kHotAt = 1;
  static constexpr unsigned kHot = 1U << kHotAt;
  static constexpr unsigned kNotesHits = 1U << 2;
  static constexpr unsigned kMarkShift = 8;
  static constexpr unsigned kMark = 0xFF;
  // 8 bytes a slot at 65 to 81 % full (index.h), and the same in blocks that are nearly full (entry_queue.h).
  static constexpr int64_t kIndexBytes = 12;
  static constexpr int64_t kQueueBytes = 9;
  // What the adaptive policy remembers for each entry (history.h); LRU is charged the same.
  static constexpr int64_t kHistoryBytes = 7;
  static constexpr int64_t kBesideBytes = kIndexBytes + kQueueBytes + kHistoryBytes;
  // where_: tag, directory, place.
  static constexpr uint64_t kHashMask = (uint64_t{1} << (16 + kDirectoryBits)) - 1;

  using Value::Value;
  ~Entry() = default;

  template <typename T>
  static T Word(const char* at) {
    T word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }
  template <typename T>
  static bool SameEnds(const char* a, const char* b, size_t size, size_t from) {
    return Word<T>(a + from) == Word<T>(b + from) &&
           Word<T>(a + size - from - sizeof(T)) == Word<T>(b + size - from - sizeof(T));
  }
  // Words that may overlap, from both ends. REQUIRES: 4 to 32 bytes.
  static bool SameWords(const char* a, const char* b, size_t size) {
    if (size < sizeof(uint64_t)) return SameEnds<uint32_t>(a, b, size, 0);
    return SameEnds<uint64_t>(a, b, size, 0) && (size <= 16 || SameEnds<uint64_t>(a, b, size, 8));
  }

  // Nobody else writes there but who tries to claim what is claimed.
  void SetState(unsigned mask, unsigned bits) {
    const unsigned state = state_.load(std::memory_order_relaxed);
    state_.store(static_cast<uint16_t>((state & ~mask) | bits), std::memory_order_relaxed);
  }

  static Entry* Make(Kind kind, std::string_view key, uint64_t size, int64_t expire_unix_ns);
  static size_t AllocationBytes(Kind kind, size_t key_size, uint64_t size, bool expires);
  size_t AllocatedBytes() const { return AllocationBytes(kind(), key_size(), size(), expires()); }
  // Behind the key, aligned. REQUIRES: that kind.
  Host* host() { return static_cast<Host*>(Behind()); }
  Value** source() { return static_cast<Value**>(Behind()); }
  void* Behind();
  int64_t FootprintBytes() const;
};

}  // namespace cohort
