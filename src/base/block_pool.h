// BlockPool keeps blocks of one size for objects that one thread makes and another drops, which is what the general
// allocator is slowest at: each thread has a few at hand, and whole rows of them go from thread to thread.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "base/sanitizers.h"

namespace cohort {

// Under a sanitizer each block is operator new's.
template <size_t kBytes>
class BlockPool {
 public:
  static void* Take() {
    if (Free* const block = Pop()) return block;
    return ::operator new(kBytes);
  }
  static void Give(void* block) {
    if (block != nullptr && !Push(block)) ::operator delete(block);
  }

 private:
  static_assert(kBytes >= 2 * sizeof(void*));
#if defined(COHORT_THREAD_SANITIZER) || defined(COHORT_ADDRESS_SANITIZER)
  static constexpr bool kPlain = true;
#else
  static constexpr bool kPlain = false;
#endif
  static constexpr size_t kRow = 16;
  static constexpr size_t kMostRows = 256;  // Between threads; what is more goes back.

  struct Free {
    Free* next;
    Free* next_row;  // Of a row's first.
  };
  struct Rows {
    std::mutex mutex;
    Free* first = nullptr;
    size_t count = 0;
  };
  // One row that is being filled or emptied, and one that is full or absent: a thread that takes and gives in turns
  // does not go to the others each time.
  struct Own {
    Free* first = nullptr;
    size_t count = 0;
    Free* full = nullptr;
  };
  struct Keeper {
    Keeper() { mine = &own; }
    ~Keeper() {
      mine = nullptr;
      gone = true;
      for (Free* row : {std::exchange(own.first, nullptr), std::exchange(own.full, nullptr)}) Drop(row);
    }
    Own own;
  };

  static void Drop(Free* row) {
    while (row != nullptr) ::operator delete(std::exchange(row, row->next));
  }

  // Never destroyed: objects may live longer than anything. Nobody waits for its lock, which a fork may have left
  // locked for ever in the child: the general allocator helps out.
  static Rows& Shared() {
    static Rows* const rows = new Rows();
    return *rows;
  }

  // Null: this thread is ending, and keeps nothing.
  static Own* Mine() {
    if (mine != nullptr) [[likely]] {
      return mine;
    }
    if (gone) return nullptr;
    static thread_local Keeper keeper;
    return &keeper.own;
  }

  static Free* Pop() {
    if (kPlain) return nullptr;
    Own* const own = Mine();
    if (own == nullptr) return nullptr;
    if (own->first == nullptr) {
      own->first = std::exchange(own->full, nullptr);
      if (own->first == nullptr) own->first = TakeRow();
      if (own->first == nullptr) return nullptr;
      own->count = kRow;
    }
    --own->count;
    return std::exchange(own->first, own->first->next);
  }

  static bool Push(void* block) {
    if (kPlain) return false;
    Own* const own = Mine();
    if (own == nullptr) return false;
    if (own->count == kRow) {
      if (own->full != nullptr && !GiveRow(own->full)) return false;
      own->full = std::exchange(own->first, nullptr);
      own->count = 0;
    }
    own->first = new (block) Free{own->first, nullptr};
    ++own->count;
    return true;
  }

  static Free* TakeRow() {
    Rows& rows = Shared();
    const std::unique_lock lock(rows.mutex, std::try_to_lock);
    if (!lock.owns_lock() || rows.first == nullptr) return nullptr;
    --rows.count;
    return std::exchange(rows.first, rows.first->next_row);
  }

  static bool GiveRow(Free* row) {
    Rows& rows = Shared();
    const std::unique_lock lock(rows.mutex, std::try_to_lock);
    if (!lock.owns_lock() || rows.count == kMostRows) return false;
    ++rows.count;
    row->next_row = std::exchange(rows.first, row);
    return true;
  }

  // Reading it is one instruction, also in a library that a program loads late: few bytes always fit what the loader
  // keeps for such libraries (as in runtime/epochs.h).
  [[gnu::tls_model("initial-exec")]] static inline constinit thread_local Own* mine = nullptr;
  static inline constinit thread_local bool gone = false;
};

// For std::allocate_shared: the object and its count lie in a block.
template <typename T>
struct PooledAllocator {
  using value_type = T;
  PooledAllocator() = default;
  template <typename U>
  PooledAllocator(const PooledAllocator<U>& /*other*/) {}  // NOLINT(google-explicit-constructor)
  T* allocate(size_t n) {
    static_assert(alignof(T) <= alignof(std::max_align_t));
    if (n != 1) return std::allocator<T>().allocate(n);
    return static_cast<T*>(BlockPool<sizeof(T)>::Take());
  }
  void deallocate(T* block, size_t n) {
    if (n != 1) return std::allocator<T>().deallocate(block, n);
    BlockPool<sizeof(T)>::Give(block);
  }
  template <typename U>
  bool operator==(const PooledAllocator<U>& /*other*/) const {
    return true;
  }
};

template <typename T, typename... Args>
std::shared_ptr<T> MakePooled(Args&&... args) {
  return std::allocate_shared<T>(PooledAllocator<T>(), std::forward<Args>(args)...);
}

}  // namespace cohort
