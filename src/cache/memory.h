// Memory is what the values and indexes of all caches of this process live in: huge pages where the kernel gives them,
// little waste, and what is no longer needed goes back to the system.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cache/memory_classes.h"

namespace cohort {

// Thread safe; goes on in a forked child.
class Memory {
 public:
  // Aligned to 8 bytes, and to 16 if BlockBytes(size) is a multiple of 16. Throws std::bad_alloc with nothing changed.
  static void* Allocate(size_t size);
  // REQUIRES: `block` is from Allocate(size).
  static void Free(void* block, size_t size);
  struct Block {
    void* block;
    size_t size;
  };
  static constexpr size_t kTogether = 16;
  // The same for many, which take a lock together. REQUIRES: count <= kTogether.
  static void FreeAll(const Block* blocks, size_t count);
  // What a block of that size really takes.
  static int64_t BlockBytes(size_t size) {
    return static_cast<int64_t>(size <= memory::kLargestBlock ? memory::BlockBytesOf(size) : memory::WholePages(size));
  }

  struct Stats {
    int64_t mapped_bytes = 0;  // Of address space, from the system.
    int64_t held_bytes = 0;    // Of these, what may have memory behind it.
    int64_t used_bytes = 0;    // Of these, given out.
  };
  static Stats Now();
  // Whether a sanitizer watches, or the build was told so: then each block is operator new's, and Now() says nothing.
  static bool Plain();

  // For tests: called before each allocation that is not operator new's; may throw std::bad_alloc. Null by default.
  using Hook = void (*)();
  static void SetHook(Hook hook);
};

}  // namespace cohort
