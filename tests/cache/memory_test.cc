// Memory wastes little, keeps blocks apart whichever threads take and give them, and gives back what is no longer
// needed.
#include "cache/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "cache/cache_fixture.h"
#include "cache/failing_new.h"
#include "cache/memory_classes.h"
#include "cache/memory_heap.h"
#include "cache/memory_large.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COHORT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COHORT_SANITIZED 1
#endif
#endif

namespace cohort {
namespace {

using memory::BlockBytesOf;
using memory::BlockStore;
using memory::BytesOf;
using memory::ClassOf;
using memory::kChunkBytes;
using memory::kClasses;
using memory::kLargeChunkBytes;
using memory::kLargePageBytes;
using memory::kLargestBlock;
using memory::kLargestRun;
using memory::LargeStore;

// A block that knows what is in it.
struct Block {
  char* data;
  size_t size;
  char mark;
};

Block Take(BlockStore* store, size_t size, char mark) {
  char* const data = static_cast<char*>(store->Allocate(size));
  std::memset(data, mark, size);
  return {data, size, mark};
}

bool Intact(const Block& block) {
  return std::all_of(block.data, block.data + block.size, [&](char c) { return c == block.mark; });
}

// Of this process, in bytes; -1 where the system does not say.
int64_t Resident() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  int64_t resident = -1;
  file >> pages >> resident;
  return resident < 0 ? -1 : resident * ::sysconf(_SC_PAGESIZE);
}

TEST(MemoryClasses, EachSizeHasTheSmallestClassThatHoldsIt) {
  for (uint32_t c = 1; c < kClasses; ++c) ASSERT_LT(BytesOf(c - 1), BytesOf(c));
  for (size_t size = 0; size <= kLargestBlock; ++size) {
    const uint32_t c = ClassOf(size);
    ASSERT_LT(c, kClasses);
    ASSERT_GE(BytesOf(c), size);
    ASSERT_EQ(BlockBytesOf(size), BytesOf(c)) << size;
    if (c > 0) {
      ASSERT_LT(BytesOf(c - 1), size);
    }
  }
}

TEST(MemoryClasses, WasteIsAtMostASixteenth) {
  for (size_t size = 1; size <= 256; ++size) ASSERT_LT(BytesOf(ClassOf(size)) - size, 8U);
  for (size_t size = 257; size <= kLargestBlock; ++size)
    ASSERT_LE(BytesOf(ClassOf(size)) - size, size / 16 + 1) << size;
  EXPECT_EQ(Memory::BlockBytes(136), 136);
  EXPECT_EQ(Memory::BlockBytes(137), 144);
  EXPECT_EQ(Memory::BlockBytes(kLargestBlock), static_cast<int64_t>(kLargestBlock));
  EXPECT_EQ(Memory::BlockBytes(kLargestBlock + 1), 32 << 10);
}

TEST(MemoryClasses, SpansLeaveLittleOver) {
  for (uint32_t c = 0; c < kClasses; ++c) {
    const size_t span = memory::UnitsOf(c) * memory::kUnitBytes;
    EXPECT_LE(span % BytesOf(c) * 32, span) << BytesOf(c);
  }
}

TEST(Memory, MillionBlocksCostTheirSizesAndAFewPerMille) {
  constexpr int64_t kBlocks = 1'000'000;
  BlockStore store(1);
  std::vector<void*> blocks;
  for (int64_t i = 0; i < kBlocks; ++i) blocks.push_back(store.Allocate(136));
  EXPECT_EQ(store.used_bytes(), kBlocks * 136);
  EXPECT_LE(store.mapped_bytes(), kBlocks * 136 * 1005 / 1000 + static_cast<int64_t>(kChunkBytes));
  for (void* block : blocks) store.Free(block);
  EXPECT_EQ(store.used_bytes(), 0);
}

TEST(Memory, BlocksAreAlignedAndApart) {
  BlockStore store(1);
  std::vector<Block> blocks;
  for (int round = 0; round < 3; ++round) {
    for (size_t size = 1; size <= kLargestBlock; size += 1 + size / 64) {
      blocks.push_back(Take(&store, size, static_cast<char>(blocks.size())));
      const size_t alignment = BytesOf(ClassOf(size)) % 16 == 0 ? 16 : 8;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back().data) % alignment, 0U) << size;
    }
  }
  for (const Block& block : blocks) ASSERT_TRUE(Intact(block)) << block.size;
  for (const Block& block : blocks) store.Free(block.data);
}

TEST(Memory, WholeSpansOfEachClassFitTheirPlaces) {
  // More blocks than any span has, so that spans at the start and in the middle of a chunk are filled to the end.
  BlockStore store(1);
  for (uint32_t c = 0; c < kClasses; ++c) {
    const size_t size = BytesOf(c);
    std::vector<Block> blocks;
    const size_t many = 2 * kChunkBytes / size;
    for (size_t i = 0; i < many; ++i) blocks.push_back({static_cast<char*>(store.Allocate(size)), size, 0});
    std::sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) { return a.data < b.data; });
    for (size_t i = 0; i < many; ++i) {
      if (i > 0) {
        ASSERT_GE(blocks[i].data, blocks[i - 1].data + size);
      }
      ASSERT_EQ(memory::Chunk::Of(blocks[i].data), memory::Chunk::Of(blocks[i].data + size - 1));
      ASSERT_GE(blocks[i].data, reinterpret_cast<char*>(memory::Chunk::Of(blocks[i].data)) + sizeof(memory::Chunk));
      std::memset(blocks[i].data, 0xff, size);
    }
    for (const Block& block : blocks) store.Free(block.data);
    ASSERT_EQ(store.used_bytes(), 0) << size;
  }
}

TEST(Memory, HeadersOfBlocksOfOneSizeAreSpreadOverTheCachesSets) {
  for (const size_t size : {512U, 1024U, 2048U, 4096U, 8192U, 16384U}) {
    BlockStore store(1);
    std::vector<void*> blocks;
    std::set<uintptr_t> sets;
    for (int i = 0; i < 2000; ++i) {
      blocks.push_back(store.Allocate(size));
      sets.insert(reinterpret_cast<uintptr_t>(blocks.back()) / 64 % 64);
    }
    EXPECT_GE(sets.size(), 16U) << size;
    for (void* block : blocks) store.Free(block);
  }
}

TEST(Memory, ManyThatAreFreedTogetherLeaveNothingBehind) {
  BlockStore store(1);
  std::mt19937 random(7);
  std::vector<Block> kept;
  std::vector<void*> given;
  for (size_t i = 0; i < 60'000; ++i) {
    const Block block = Take(&store, 1 + random() % 3000, static_cast<char>(i));
    if (i % 5 == 0) {
      kept.push_back(block);
    } else {
      given.push_back(block.data);
    }
  }
  int64_t left = 0;
  for (const Block& block : kept) left += static_cast<int64_t>(BytesOf(ClassOf(block.size)));
  std::shuffle(given.begin(), given.end(), random);
  for (size_t at = 0; at < given.size();) {
    const size_t count = std::min<size_t>(random() % 40, given.size() - at);
    store.FreeAll(given.data() + at, count);
    at += count;
  }
  EXPECT_EQ(store.used_bytes(), left);
  for (const Block& block : kept) ASSERT_TRUE(Intact(block));
  given.clear();
  for (const Block& block : kept) given.push_back(block.data);
  store.FreeAll(given.data(), given.size());  // Spans and chunks become empty on the way.
  EXPECT_EQ(store.used_bytes(), 0);
  EXPECT_LE(store.mapped_bytes(), static_cast<int64_t>(2 * kChunkBytes));
}

TEST(Memory, FreedBlockIsTheNextToBeGivenOut) {
  BlockStore store(1);
  std::vector<void*> blocks;
  for (int i = 0; i < 10'000; ++i) blocks.push_back(store.Allocate(100));
  const int64_t mapped = store.mapped_bytes();
  for (size_t i = 0; i < blocks.size(); i += 7) {
    void* const block = blocks[i];
    store.Free(block);
    EXPECT_EQ(store.Allocate(100), block);
  }
  EXPECT_EQ(store.mapped_bytes(), mapped);
  for (void* block : blocks) store.Free(block);
}

TEST(Memory, SparseSpansDrainWhileFullerOnesAreReused) {
  BlockStore store(1);
  std::vector<void*> blocks;
  for (int i = 0; i < 100'000; ++i) blocks.push_back(store.Allocate(256));
  const int64_t full = store.mapped_bytes();
  // The first half of the spans keeps one block in 16, the second half 15 in 16.
  std::vector<void*> sparse;
  std::vector<void*> dense;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const bool first_half = i < blocks.size() / 2;
    if ((i % 16 == 0) == first_half) {
      (first_half ? sparse : dense).push_back(blocks[i]);
    } else {
      store.Free(blocks[i]);
    }
  }
  // The young take the places of the dense half, and when the few old ones go, so do their spans.
  for (int i = 0; i < 3000; ++i) dense.push_back(store.Allocate(256));
  for (void* block : sparse) store.Free(block);
  EXPECT_LE(store.mapped_bytes(), full / 2 + 3 * static_cast<int64_t>(kChunkBytes));
  for (void* block : dense) store.Free(block);
}

TEST(Memory, EmptyChunksGoBackToTheSystem) {
  BlockStore store(1);
  const int64_t before = Resident();
  std::mt19937_64 random(1);
  for (int round = 0; round < 3; ++round) {
    std::vector<Block> blocks;
    int64_t bytes = 0;
    while (bytes < int64_t{64} << 20) {
      const size_t size = random() % 8 == 0 ? random() % kLargestBlock : random() % 300;
      blocks.push_back(Take(&store, size, 'x'));
      bytes += static_cast<int64_t>(size);
    }
    EXPECT_GE(store.mapped_bytes(), int64_t{64} << 20);
    EXPECT_LE(store.mapped_bytes(), int64_t{80} << 20);
    std::shuffle(blocks.begin(), blocks.end(), random);
    for (const Block& block : blocks) store.Free(block.data);
    EXPECT_EQ(store.used_bytes(), 0);
    EXPECT_LE(store.mapped_bytes(), static_cast<int64_t>(kChunkBytes));
  }
#ifndef COHORT_SANITIZED
  if (before >= 0) {
    EXPECT_LE(Resident() - before, int64_t{24} << 20);
  }
#else
  static_cast<void>(before);
#endif
}

TEST(Memory, FreeUnitsOfSparseChunksGoBackToTheSystem) {
  constexpr size_t kSize = 8000;
  BlockStore store(1);
  std::vector<Block> blocks;
  for (int i = 0; i < 16'000; ++i) blocks.push_back(Take(&store, kSize, static_cast<char>(i)));
  const int64_t full = store.held_bytes();
  const int64_t resident = Resident();
  EXPECT_GE(full, 16'000 * static_cast<int64_t>(kSize));
  EXPECT_EQ(full, store.mapped_bytes());
  // One in 500 keeps most chunks from being empty.
  std::vector<Block> kept;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i % 500 == 0) {
      kept.push_back(blocks[i]);
    } else {
      store.Free(blocks[i].data);
    }
  }
#ifdef __linux__
  EXPECT_GE(store.mapped_bytes(), static_cast<int64_t>(kept.size() * kChunkBytes));
  EXPECT_LE(store.held_bytes(), full / 5);
#ifndef COHORT_SANITIZED
  EXPECT_LE(Resident(), resident - full / 2);
#endif
#endif
  static_cast<void>(resident);
  // The holes are filled again.
  for (const Block& block : kept) EXPECT_TRUE(Intact(block));
  for (int i = 0; i < 16'000 - 32; ++i) kept.push_back(Take(&store, kSize, static_cast<char>(i)));
  EXPECT_LE(store.mapped_bytes(), full + static_cast<int64_t>(kChunkBytes));
  EXPECT_GE(store.held_bytes(), full / 10 * 9);
  for (const Block& block : kept) {
    ASSERT_TRUE(Intact(block));
    store.Free(block.data);
  }
  EXPECT_EQ(store.used_bytes(), 0);
  EXPECT_LE(store.mapped_bytes(), static_cast<int64_t>(kChunkBytes));
}

TEST(Memory, FirstBlocksCostAFewPagesOnly) {
  const int64_t before = Resident();
  if (before < 0) GTEST_SKIP() << "no /proc here";
#ifdef COHORT_SANITIZED
  GTEST_SKIP() << "a sanitizer's shadow counts as well";
#endif
  BlockStore store(8);
  std::vector<Block> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(Take(&store, 136, 'x'));
  EXPECT_LE(Resident() - before, 512 << 10);
  for (const Block& block : blocks) store.Free(block.data);
}

TEST(Memory, ThreadsTakeAndGiveEachOthersBlocks) {
  constexpr int kThreads = 4;
  constexpr size_t kPlaces = 512;
#ifdef COHORT_SANITIZED
  constexpr int kRounds = 2'000;
#else
  constexpr int kRounds = 40'000;
#endif
  BlockStore store(kThreads);
  struct Place {
    std::mutex mutex;
    Block block{nullptr, 0, 0};
  };
  std::vector<Place> places(kPlaces);
  std::vector<std::thread> threads;
  std::atomic<int> broken{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t));
      for (int i = 0; i < kRounds; ++i) {
        const uint64_t what = random();
        Place& place = places[what % kPlaces];
        const size_t size = what % 3 == 0 ? (what >> 20) % kLargestBlock : (what >> 20) % 400;
        Block fresh = (what >> 10) % 4 == 0 ? Block{nullptr, 0, 0} : Take(&store, size, static_cast<char>(what >> 50));
        {
          std::lock_guard<std::mutex> lock(place.mutex);
          std::swap(fresh, place.block);
        }
        if (fresh.data == nullptr) continue;
        if (!Intact(fresh)) broken.fetch_add(1);
        store.Free(fresh.data);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(broken.load(), 0);
  int64_t bytes = 0;
  for (const Place& place : places) {
    if (place.block.data != nullptr) bytes += static_cast<int64_t>(BytesOf(ClassOf(place.block.size)));
  }
  EXPECT_EQ(store.used_bytes(), bytes);
  for (const Place& place : places) {
    if (place.block.data == nullptr) continue;
    EXPECT_TRUE(Intact(place.block));
    store.Free(place.block.data);
  }
  EXPECT_EQ(store.used_bytes(), 0);
  EXPECT_LE(store.mapped_bytes(), static_cast<int64_t>(kChunkBytes));
}

TEST(Memory, WhatAThreadLeftBehindIsNotLost) {
  BlockStore store(4);
  std::vector<Block> blocks;
  for (int t = 0; t < 8; ++t) {
    std::thread([&] {
      for (int i = 0; i < 1000; ++i) blocks.push_back(Take(&store, 1000, static_cast<char>(i)));
      for (int i = 0; i < 500; ++i) {
        store.Free(blocks.back().data);
        blocks.pop_back();
      }
    }).join();
  }
  for (const Block& block : blocks) {
    ASSERT_TRUE(Intact(block));
    store.Free(block.data);
  }
  EXPECT_EQ(store.used_bytes(), 0);
  EXPECT_LE(store.mapped_bytes(), static_cast<int64_t>(kChunkBytes));
}

TEST(Memory, ChildOfABusyProcessTakesAndGives) {
#ifdef COHORT_SANITIZED
  GTEST_SKIP() << "a sanitizer's own locks do not all survive a fork of a busy process";
#endif
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      std::vector<void*> mine;
      while (!stop.load()) {
        for (int i = 0; i < 500; ++i) mine.push_back(Memory::Allocate(100));
        for (void* block : mine) Memory::Free(block, 100);
        mine.clear();
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    void* const inherited = Memory::Allocate(200);
    const pid_t child = fork();
    if (child == 0) {
      ::alarm(60);
      Memory::Free(inherited, 200);
      std::vector<void*> own;
      for (size_t size = 1; size < 80'000; size += 150) own.push_back(Memory::Allocate(size));
      size_t size = 1;
      for (void* block : own) {
        Memory::Free(block, size);
        size += 150;
      }
      _exit(0);
    }
    Memory::Free(inherited, 200);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << WTERMSIG(status);
    ASSERT_EQ(WEXITSTATUS(status), 0);
  }
  stop.store(true);
  for (auto& thread : threads) thread.join();
}

// A large block that knows what is at both ends of each of its pages.
Block TakePages(LargeStore* store, size_t size, char mark) {
  char* const data = static_cast<char*>(store->Allocate(size));
  for (size_t at = 0; at < size; at += kLargePageBytes) {
    data[at] = mark;
    data[std::min(at + kLargePageBytes, size) - 1] = mark;
  }
  return {data, size, mark};
}

bool PagesIntact(const Block& block) {
  for (size_t at = 0; at < block.size; at += kLargePageBytes) {
    if (block.data[at] != block.mark) return false;
    if (block.data[std::min(at + kLargePageBytes, block.size) - 1] != block.mark) return false;
  }
  return true;
}

TEST(LargeStore, HoldsRunsOfAllSizesApart) {
  LargeStore store;
  std::mt19937_64 random(1);
  std::vector<Block> blocks;
  int64_t used = 0;
  int64_t most = 0;
  const auto pages = [](size_t size) { return static_cast<int64_t>(memory::WholePages(size)); };
  for (int i = 0; i < 4000; ++i) {
    if (used < int64_t{48} << 20) {
      const size_t size = i % 3 == 0 ? 1 + random() % kLargestRun : 1 + random() % (kLargestRun / 8);
      blocks.push_back(TakePages(&store, size, static_cast<char>(random())));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(blocks.back().data) % kLargePageBytes, 0U);
      used += pages(size);
    } else {
      std::swap(blocks.back(), blocks[random() % blocks.size()]);
      ASSERT_TRUE(PagesIntact(blocks.back()));
      store.Free(blocks.back().data, blocks.back().size);
      used -= pages(blocks.back().size);
      blocks.pop_back();
    }
    ASSERT_EQ(store.used_bytes(), used);
    ASSERT_LE(store.held_bytes(), store.mapped_bytes());
    most = std::max(most, store.held_bytes());
  }
  EXPECT_LE(most, int64_t{68} << 20);
  for (const Block& block : blocks) {
    ASSERT_TRUE(PagesIntact(block));
    store.Free(block.data, block.size);
  }
  EXPECT_EQ(store.used_bytes(), 0);
  EXPECT_LE(store.mapped_bytes(), static_cast<int64_t>(kLargeChunkBytes));
}

TEST(LargeStore, FillsAChunkToTheLastPage) {
  LargeStore store;
  std::vector<void*> blocks;
  for (size_t i = 1; i < kLargeChunkBytes / kLargePageBytes; ++i) blocks.push_back(store.Allocate(1));
  EXPECT_EQ(store.mapped_bytes(), static_cast<int64_t>(kLargeChunkBytes));
  EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), blocks.size());
  // What was freed between two others is one hole, and is filled before more is mapped.
  for (size_t i = 100; i < 356; ++i) store.Free(blocks[i], 1);
  void* const large = store.Allocate(kLargestRun);
  EXPECT_EQ(large, blocks[100]);
  EXPECT_EQ(store.mapped_bytes(), static_cast<int64_t>(kLargeChunkBytes));
  store.Free(large, kLargestRun);
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i < 100 || i >= 356) store.Free(blocks[i], 1);
  }
  EXPECT_EQ(store.used_bytes(), 0);
}

TEST(LargeStore, HolesGoBackToTheSystem) {
  constexpr size_t kSize = 100'000;
  LargeStore store;
  std::vector<Block> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.push_back(TakePages(&store, kSize, static_cast<char>(i)));
  }
  const int64_t full = store.held_bytes();
  const int64_t resident = Resident();
  std::vector<Block> kept;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i % 20 == 0) {
      kept.push_back(blocks[i]);
    } else {
      store.Free(blocks[i].data, kSize);
    }
  }
#ifdef __linux__
  EXPECT_LE(store.held_bytes(), full / 5);
#ifndef COHORT_SANITIZED
  EXPECT_LE(Resident(), resident - full / 2);
#endif
#endif
  static_cast<void>(full);
  static_cast<void>(resident);
  for (int i = 0; i < 950; ++i) {
    kept.push_back(TakePages(&store, kSize, static_cast<char>(i)));
  }
  EXPECT_LE(store.mapped_bytes(), full + 2 * static_cast<int64_t>(kLargeChunkBytes));
  for (const Block& block : kept) {
    ASSERT_TRUE(PagesIntact(block));
    store.Free(block.data, kSize);
  }
  EXPECT_LE(store.mapped_bytes(), static_cast<int64_t>(kLargeChunkBytes));
}

TEST(Memory, LargeBlocksComeAndGo) {
  const int64_t used = Memory::Now().used_bytes;
  const size_t sizes[] = {kLargestBlock,   kLargestBlock + 1, size_t{128} << 10,     kLargestRun,
                          kLargestRun + 1, size_t{64} << 20,  (size_t{64} << 20) + 1};
  for (const size_t size : sizes) {
    char* const block = static_cast<char*>(Memory::Allocate(size));
    block[0] = 'a';
    block[size - 1] = 'z';
    EXPECT_GE(Memory::BlockBytes(size), static_cast<int64_t>(size));
    EXPECT_LE(Memory::BlockBytes(size), static_cast<int64_t>(size + size / 8));
    if (!Memory::Plain()) {
      EXPECT_EQ(Memory::Now().used_bytes - used, Memory::BlockBytes(size));
    }
    Memory::Free(block, size);
    EXPECT_EQ(Memory::Now().used_bytes, used);
  }
}

TEST(Memory, ExhaustionThrowsAndChangesNothing) {
#ifdef COHORT_SANITIZED
  GTEST_SKIP() << "a sanitizer needs more address space than the test leaves";
#endif
  EXPECT_THROW(Memory::Allocate(SIZE_MAX / 2), std::bad_alloc);
  // In a child, which may be limited without harm.
  const pid_t child = fork();
  if (child == 0) {
    std::vector<void*> blocks;
    blocks.reserve(1'000'000);
    BlockStore store(1);
    const rlim_t limit = rlim_t{512} << 20;
    const rlimit limits{limit, limit};
    ::setrlimit(RLIMIT_AS, &limits);
    int64_t used = 0;
    int failures = 0;
    try {
      for (int i = 0; i < 100'000; ++i) blocks.push_back(store.Allocate(30'000));
    } catch (const std::bad_alloc&) {
      ++failures;
      used = store.used_bytes();
    }
    const int64_t mapped = store.mapped_bytes();
    try {
      while (true) blocks.push_back(store.Allocate(15'000));
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    bool right = failures == 2 && used > 0 && mapped < int64_t{512} << 20 && store.mapped_bytes() == mapped;
    for (void* block : blocks) store.Free(block);
    right = right && store.used_bytes() == 0 && store.mapped_bytes() <= static_cast<int64_t>(kChunkBytes);
    store.Free(store.Allocate(30'000));
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Memory, TestsCanMakeItFail) {
  if (!FailingNew::Works()) GTEST_SKIP() << "operator new is the sanitizer's";
  void* const block = Memory::Allocate(10);
  {
    FailingNew failing(1);
    void* const another = Memory::Allocate(10);
    EXPECT_FALSE(failing.failed());
    EXPECT_THROW(Memory::Allocate(10), std::bad_alloc);
    EXPECT_TRUE(failing.failed());
    Memory::Free(another, 10);
  }
  Memory::Free(block, 10);
}

std::atomic<int> allocations{0};

TEST(Memory, AHitAllocatesNothing) {
  if (Memory::Plain()) GTEST_SKIP() << "each block is operator new's";
  TestCache cache(Bytes(1 << 20));
  Memory::SetHook([] { allocations.fetch_add(1); });
  EXPECT_TRUE(cache.Put("key", "value"));
  EXPECT_GT(allocations.exchange(0), 0) << "the counter does not count";
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(cache.Find("key")->bytes(), "value");
  EXPECT_FALSE(cache.Find("absent"));
  EXPECT_EQ(allocations.load(), 0);
  Memory::SetHook(nullptr);
}

TEST(Memory, SanitizersSeeEachBlock) {
#ifdef COHORT_SANITIZED
  EXPECT_TRUE(Memory::Plain());
#endif
  if (Memory::Plain()) GTEST_SKIP() << "each block is operator new's";
  const Memory::Stats before = Memory::Now();
  void* const block = Memory::Allocate(136);
  EXPECT_EQ(Memory::Now().used_bytes, before.used_bytes + 136);
  EXPECT_GT(Memory::Now().mapped_bytes, 0);
  Memory::Free(block, 136);
  EXPECT_EQ(Memory::Now().used_bytes, before.used_bytes);
}

}  // namespace
}  // namespace cohort
