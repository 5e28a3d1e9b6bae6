// Limbo keeps entries that have left a cache until no get can still be at them, then drops the cache's references; who
// has one of them on loan gets a reference of his own first.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

#include "cache/entry.h"
#include "runtime/epochs.h"

namespace cohort {

// Entries that have left, in order, linked through their own headers.
class Gone {
 public:
  Gone() = default;
  Gone(Gone&& other) noexcept { Append(&other); }
  Gone& operator=(Gone&&) = delete;

  // Takes over the cache's reference and claim.
  void Add(Entry* entry);
  void Append(Gone* other);
  Entry* TakeFirst();
  // The first and the last of all, which are linked, and none is left.
  std::pair<Entry*, Entry*> Release();
  template <typename Each>
  void ForEach(Each&& each) const {
    for (Entry* entry = first_; entry != nullptr; entry = entry->next_gone()) each(entry);
  }
  bool empty() const { return first_ == nullptr; }
  int64_t count() const { return count_; }
  int64_t payload_bytes() const { return payload_bytes_; }

 private:
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  int64_t count_ = 0;
  int64_t payload_bytes_ = 0;
};

// Thread safe. A few that have left stand on a pile, which costs one locked instruction; every lot is moved from there
// under the lock. REQUIRES (of all calls): no lock is held and this thread does not read, since the end of a value may
// run code of the host.
class alignas(64) Limbo {
 public:
  Limbo() = default;
  ~Limbo() { Empty(); }
  Limbo(const Limbo&) = delete;
  Limbo& operator=(const Limbo&) = delete;

  // Most are dropped in lots, a few calls later; `now`: these and all before them when this returns. It waits for
  // readers when it must: then, and when much has come together.
  void Add(Gone gone, bool now);
  void Empty() { Add(Gone(), true); }

 private:
  // A lot: what it costs to look at all readers is shared by as many, and no more than this waits for the next call.
  static constexpr int64_t kLotEntries = 16;
  static constexpr int64_t kLotBytes = int64_t{32} << 10;
  static constexpr int64_t kMostBytes = int64_t{1} << 20;

  // An address, and above it how many there are.
  static constexpr unsigned kCountAt = 48;
  static constexpr int64_t kSmallBytes = kLotBytes / kLotEntries;

  // False: it is not done, or the pile has become a lot.
  bool Pile(Gone* gone);
  Gone TakePile();

  std::atomic<uint64_t> pile_{0};
  std::mutex mutex_;
  Gone waiting_;  // For grace_.
  Grace grace_;
  Gone coming_;
};

}  // namespace cohort
