// Flight is one load of one key under way on this node: many wait for it, one attempt at a time works on it.
// FlightTable holds the flights of a group in shards; every field of a flight and of its waiters is guarded by the lock
// of its shard, and so is every fill and drop of its key. That lock is what makes P2 hold:
//
//   1. load begins, its flight stands in the table        1. load begins
//   2. the getter answers: lock, fill, leave the table    2. Remove: lock, mark the flight stale, drop the key, unlock
//   3. Remove: lock, drop what was filled                 3. the getter answers: lock, stale: deliver, fill nothing
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/peer.h"
#include "engine/waiter.h"
#include "runtime/runtime.h"

namespace cohort {

struct Flight;

// What a flight that asks its key's owner keeps alive. Those of one call share it, so that threads which begin and end
// many do not meet at the counts of these two.
struct AskedOf {
  AskedOf(std::shared_ptr<Group> asking_group, std::shared_ptr<Peer> owner)
      : group(std::move(asking_group)), peer(std::move(owner)) {}
  const std::shared_ptr<Group> group;
  const std::shared_ptr<Peer> peer;
};

// The question of a flight to the owner of its key. What is in it stays as it was asked.
struct OwnerGet final : PeerGet {
  int64_t End(PeerAnswer&& answer) override;

  Group* of = nullptr;
  Flight* flight = nullptr;
  uint64_t attempt = 0;
  int64_t asked_ns = 0;
};

struct Flight {
  // What a flight that asks the owner has besides (AskingFlight). Whoever holds a question holds its flight, and so the
  // group.
  struct Asking {
    std::shared_ptr<const AskedOf> of;
    OwnerGet first;
    std::vector<std::unique_ptr<OwnerGet>> more;
    OwnerGet* last = nullptr;
  };

  enum class Step {
    kStarting,  // Just made.
    kPeer,      // The owner has been asked.
    kQueued,    // Waits for a getter thread: a blocked caller may take the lead.
    kGetter,    // A getter runs.
    kDone,
  };

  Flight(std::string_view flight_key, uint64_t key_hash, bool to_main, bool is_misrouted, Asking* asks_owner = nullptr)
      : key(flight_key), hash(key_hash), owned(to_main), misrouted(is_misrouted), asking(asks_owner) {}

  const std::string key;
  const uint64_t hash;
  const bool owned;      // Fills main when loaded here; else hot (if misrouted) or, as a fallback, main.
  const bool misrouted;  // A peer asked for a key that this node does not own.
  Asking* const asking;  // Null: it does not begin with the question to the key's owner.

  Step step = Step::kStarting;
  bool in_table = true;
  bool stale = false;         // A Remove or Set overtook it: it fills nothing and nobody joins.
  bool leader_waits = false;  // The getter runs in its caller, who is in no list.
  bool cancelled = false;     // The last waiter left while a getter ran; who joins later restarts it if it fails.
  bool led_by_group = false;  // The attempt is run by the group's getter.
  uint64_t attempt = 0;       // What comes from an older attempt is ignored.
  int64_t leader_deadline_ns = kNoDeadline;
  int64_t deadline_ns = kNoDeadline;  // The load's longest time.
  Waiter* first = nullptr;
  Waiter* last = nullptr;
  int64_t waiting = 0;

  Peer* peer = nullptr;  // kPeer: who has been asked the last question. Lives as long as the flight.
  std::shared_ptr<EventQueue> watch_queue;
  uint64_t watch_tag = 0;

  // Its place among the open flights of its shard, which keep it alive.
  std::shared_ptr<Flight> open;
  Flight* open_before = nullptr;
  Flight* open_after = nullptr;
  Flight* below = nullptr;  // In its bucket of the table.
};

struct AskingFlight final : Flight::Asking, Flight {
  AskingFlight(std::string_view flight_key, uint64_t key_hash) : Flight(flight_key, key_hash, false, false, this) {}
};

// Waiters that have left their flight, first come first.
class Waiters {
 public:
  explicit Waiters(Waiter* first = nullptr) : first_(first) {}
  ~Waiters() {
    while (Pop() != nullptr) {
    }
  }
  Waiters(Waiters&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
  Waiters& operator=(Waiters&&) = delete;
  // Null: there is none any more.
  std::unique_ptr<Waiter> Pop() {
    std::unique_ptr<Waiter> waiter(first_);
    if (waiter != nullptr) first_ = std::exchange(waiter->next, nullptr);
    return waiter;
  }
  bool empty() const { return first_ == nullptr; }

 private:
  Waiter* first_;
};

class FlightTable {
 public:
  struct Shard {
    std::mutex mutex;
    // Those that a get may join, or a misrouted get of a peer: by the lowest bits of the key's hash.
    std::vector<Flight*> buckets;
    size_t in_table = 0;
    // Every one that has not ended, stale ones included; those that ask a peer apart from those that do not. They stand
    // in the order in which they began: since all of a group may take equally long, their longest times end so, too.
    struct List {
      Flight* first = nullptr;
      Flight* last = nullptr;
    };
    List asking;
    List loading;
    List& ListOf(bool asks) { return asks ? asking : loading; }
    int64_t open = 0;
    // Counts what the cache has been given under this lock, each time after it. Who looked into the cache between a
    // look at this and another, under the lock, that shows the same has missed no value:
    //   1. a get reads it   2. the cache: nothing   3. (another) lock, fill, count, unlock   4. lock: another number
    std::atomic<uint64_t> fills{0};
    void CountFill() { fills.store(fills.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
    struct Slot {
      Waiter* waiter = nullptr;
      uint32_t generation = 1;
    };
    std::vector<Slot> slots;
    std::vector<uint32_t> free_slots;
    // Of those waiters that an alarm of the group's ends: those of local gets apart from the others.
    std::array<Deadlines, 2> deadlines;
    Deadlines& DeadlinesOf(bool local) { return deadlines[local ? 1 : 0]; }
    int64_t waiting = 0;
  };

  FlightTable() = default;
  // Lets go of the flights that have not ended.
  ~FlightTable();
  FlightTable(const FlightTable&) = delete;
  FlightTable& operator=(const FlightTable&) = delete;

  Shard& OfHash(uint64_t hash) { return shards_[hash >> (64 - kShardBits)]; }
  Shard& OfTicket(uint64_t ticket) { return shards_[ticket & (kShards - 1)]; }
  std::array<Shard, 64>& shards() { return shards_; }

  // Those that have not ended, in an order that does not hang on addresses: the simulator replays it. Locks the shard.
  static std::vector<std::shared_ptr<Flight>> Open(Shard& shard);

  // All below REQUIRE the lock of the shard.
  static Flight* Find(Shard& shard, std::string_view key, uint64_t hash, bool misrouted);
  // Makes room for one more, so that Insert needs no memory.
  static void Reserve(Shard& shard);
  // REQUIRES: Reserve.
  static Flight& Insert(Shard& shard, std::shared_ptr<Flight> open);
  // Takes the flight out, so that nobody joins it; it goes on.
  static void Leave(Shard& shard, Flight& flight);
  // The flight has ended: out of everything. It may be destroyed, unless the caller holds it.
  static void End(Shard& shard, Flight& flight);
  // Marks and takes out the flights of a key, peeked or loading, whoever asked.
  static void MarkStale(Shard& shard, std::string_view key, uint64_t hash);
  // A ticket for the waiter, valid until Remove.
  uint64_t NewTicket(Shard& shard, Waiter* waiter);
  static void FreeTicket(Shard& shard, uint64_t ticket);
  // Null: that wait has ended.
  static Waiter* OfTicketLocked(Shard& shard, uint64_t ticket);
  static void Append(Shard& shard, Flight& flight, std::unique_ptr<Waiter> owned);
  // Takes one waiter out of its flight.
  static std::unique_ptr<Waiter> Remove(Shard& shard, Waiter* waiter);
  // Takes all of them out, first come first.
  static Waiter* RemoveAll(Shard& shard, Flight& flight);
  // The first that can lead, or null; it stays where it is.
  static Waiter* FirstLeader(const Flight& flight);

 private:
  static Flight*& BucketOf(Shard& shard, uint64_t hash) { return shard.buckets[hash & (shard.buckets.size() - 1)]; }

  static constexpr int kShardBits = 6;
  static constexpr uint64_t kShards = uint64_t{1} << kShardBits;
  std::array<Shard, 64> shards_;
};

}  // namespace cohort
