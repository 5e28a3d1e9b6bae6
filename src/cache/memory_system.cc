#include "cache/memory_system.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace cohort::memory {

namespace {

char* Map(size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<char*>(memory);
}

size_t Excess(const char* memory, size_t alignment) { return reinterpret_cast<uintptr_t>(memory) & (alignment - 1); }

}  // namespace

// The system often lays one mapping beside the last, and then it is aligned at once.
void* MapAligned(size_t bytes) {
  char* memory = Map(bytes);
  if (Excess(memory, bytes) == 0) return memory;
  Unmap(memory, bytes);
  memory = Map(2 * bytes);
  const size_t excess = Excess(memory, bytes);
  const size_t before = excess == 0 ? 0 : bytes - excess;
  if (before != 0) Unmap(memory, before);
  Unmap(memory + before + bytes, bytes - before);
  return memory + before;
}

void* MapPages(size_t bytes) {
  char* const memory = Map(bytes);
  if (bytes >= kChunkBytes) AdviseHuge(memory, bytes);
  return memory;
}

void Unmap(void* begin, size_t bytes) { ::munmap(begin, bytes); }

void AdviseHuge([[maybe_unused]] void* begin, [[maybe_unused]] size_t bytes) {
#ifdef MADV_HUGEPAGE
  ::madvise(begin, bytes, MADV_HUGEPAGE);
#endif
}

void AdviseOrdinary([[maybe_unused]] void* begin, [[maybe_unused]] size_t bytes) {
#ifdef MADV_NOHUGEPAGE
  ::madvise(begin, bytes, MADV_NOHUGEPAGE);
#endif
}

void GiveBack([[maybe_unused]] char* begin, [[maybe_unused]] char* end) {
#ifdef __linux__
  static const size_t page_bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  if (const size_t excess = Excess(begin, page_bytes); excess != 0) begin += page_bytes - excess;
  end -= Excess(end, page_bytes);
  if (begin < end) ::madvise(begin, static_cast<size_t>(end - begin), MADV_DONTNEED);
#endif
}

}  // namespace cohort::memory
