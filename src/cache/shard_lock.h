// ShardLock lets readers in together and writers alone. Entering as a reader is one atomic addition, which also hands
// out a ticket: a number that no other reader gets, so that the same addition counts the get and finds its place in the
// ring.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace cohort {

class ShardLock {
 public:
  static constexpr unsigned kTicketBits = 42;

  // Tickets count up from 0, modulo 2^42.
  uint64_t LockShared() {
    const uint64_t before = word_.fetch_add(kTicket + kReader, std::memory_order_acquire);
    if ((before & kWriter) != 0) [[unlikely]] {
      ReenterShared();
    }
    return before / kTicket;
  }

  void UnlockShared() {
    const uint64_t before = word_.fetch_sub(kReader, std::memory_order_release);
    if ((before & (kWriter | kReaders)) == (kWriter | kReader)) [[unlikely]] {
      WakeWriter();
    }
  }

  void Lock();
  // False if a writer or any reader is in.
  bool TryLock();
  void Unlock();

  // Keeps writers out, lets readers in and out: for looking at what only writers change.
  std::unique_lock<std::mutex> HoldWriters() { return std::unique_lock<std::mutex>(writers_); }
  uint64_t tickets() const { return word_.load(std::memory_order_acquire) / kTicket; }

 private:
  static constexpr uint64_t kReader = 1;
  static constexpr uint64_t kReaders = (uint64_t{1} << 21) - 1;
  static constexpr uint64_t kWriter = uint64_t{1} << 21;
  static constexpr uint64_t kTicket = uint64_t{1} << (64 - kTicketBits);

  void ReenterShared();
  void WakeWriter();

  std::atomic<uint64_t> word_{0};  // From the low end: readers inside, one bit for a writer, tickets.
  std::mutex writers_;             // Held from before the writer's bit is set until after it is cleared.
  std::mutex sleep_;
  std::condition_variable readers_left_;
};

}  // namespace cohort
