#include "engine/flight.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace cohort {

FlightTable::~FlightTable() {
  for (Shard& shard : shards_) {
    for (const std::shared_ptr<Flight>& flight : Open(shard)) End(shard, *flight);
  }
}

Flight* FlightTable::Find(Shard& shard, std::string_view key, uint64_t hash, bool misrouted) {
  if (shard.in_table == 0) return nullptr;
  for (Flight* flight = BucketOf(shard, hash); flight != nullptr; flight = flight->below) {
    if (flight->hash == hash && flight->misrouted == misrouted && flight->key == key) return flight;
  }
  return nullptr;
}

void FlightTable::Reserve(Shard& shard) {
  if (shard.in_table < shard.buckets.size()) return;
  std::vector<Flight*> before(std::max<size_t>(8, shard.buckets.size() * 2));
  before.swap(shard.buckets);
  for (Flight* flight : before) {
    while (flight != nullptr) {
      Flight* const next = flight->below;
      Flight*& bucket = BucketOf(shard, flight->hash);
      flight->below = std::exchange(bucket, flight);
      flight = next;
    }
  }
}

Flight& FlightTable::Insert(Shard& shard, std::shared_ptr<Flight> open) {
  Flight& flight = *open;
  Flight*& bucket = BucketOf(shard, flight.hash);
  flight.below = std::exchange(bucket, &flight);
  ++shard.in_table;
  flight.open = std::move(open);
  Shard::List& list = shard.ListOf(flight.asking != nullptr);
  flight.open_before = list.last;
  (list.last != nullptr ? list.last->open_after : list.first) = &flight;
  list.last = &flight;
  ++shard.open;
  return flight;
}

std::vector<std::shared_ptr<Flight>> FlightTable::Open(Shard& shard) {
  std::vector<std::shared_ptr<Flight>> flights;
  {
    std::lock_guard lock(shard.mutex);
    flights.reserve(static_cast<size_t>(shard.open));
    for (const Shard::List& list : {shard.asking, shard.loading}) {
      for (const Flight* flight = list.first; flight != nullptr; flight = flight->open_after) {
        flights.push_back(flight->open);
      }
    }
  }
  std::sort(flights.begin(), flights.end(), [](const auto& a, const auto& b) {
    return std::tie(a->key, a->deadline_ns, a->misrouted) < std::tie(b->key, b->deadline_ns, b->misrouted);
  });
  return flights;
}

void FlightTable::Leave(Shard& shard, Flight& flight) {
  if (!flight.in_table) return;
  flight.in_table = false;
  Flight** place = &BucketOf(shard, flight.hash);
  while (*place != &flight) place = &(*place)->below;
  *place = std::exchange(flight.below, nullptr);
  --shard.in_table;
}

void FlightTable::End(Shard& shard, Flight& flight) {
  Leave(shard, flight);
  flight.step = Flight::Step::kDone;
  ++flight.attempt;
  if (flight.open == nullptr) return;
  Shard::List& list = shard.ListOf(flight.asking != nullptr);
  (flight.open_before != nullptr ? flight.open_before->open_after : list.first) = flight.open_after;
  (flight.open_after != nullptr ? flight.open_after->open_before : list.last) = flight.open_before;
  flight.open_before = flight.open_after = nullptr;
  --shard.open;
  flight.open.reset();
}

void FlightTable::MarkStale(Shard& shard, std::string_view key, uint64_t hash) {
  for (const bool misrouted : {false, true}) {
    if (Flight* const flight = Find(shard, key, hash, misrouted)) {
      flight->stale = true;
      Leave(shard, *flight);
    }
  }
}

// A ticket is (generation, slot, shard): a wait that has ended leaves a generation that matches no more.
uint64_t FlightTable::NewTicket(Shard& shard, Waiter* waiter) {
  uint32_t slot;
  if (shard.free_slots.empty()) {
    slot = static_cast<uint32_t>(shard.slots.size());
    shard.slots.emplace_back();
  } else {
    slot = shard.free_slots.back();
    shard.free_slots.pop_back();
  }
  shard.slots[slot].waiter = waiter;
  const auto shard_index = static_cast<uint64_t>(&shard - shards_.data());
  return (uint64_t{shard.slots[slot].generation} << 32) | (uint64_t{slot} << kShardBits) | shard_index;
}

void FlightTable::FreeTicket(Shard& shard, uint64_t ticket) {
  const auto slot = static_cast<uint32_t>((ticket & 0xffffffff) >> kShardBits);
  shard.slots[slot].waiter = nullptr;
  if (++shard.slots[slot].generation == 0) shard.slots[slot].generation = 1;
  shard.free_slots.push_back(slot);
}

Waiter* FlightTable::OfTicketLocked(Shard& shard, uint64_t ticket) {
  const uint64_t slot = (ticket & 0xffffffff) >> kShardBits;
  if (slot >= shard.slots.size() || shard.slots[slot].generation != ticket >> 32) return nullptr;
  return shard.slots[slot].waiter;
}

void FlightTable::Append(Shard& shard, Flight& flight, std::unique_ptr<Waiter> owned) {
  Waiter* waiter = owned.release();
  waiter->flight = &flight;
  waiter->prev = flight.last;
  waiter->next = nullptr;
  (flight.last != nullptr ? flight.last->next : flight.first) = waiter;
  flight.last = waiter;
  ++flight.waiting;
  ++shard.waiting;
}

std::unique_ptr<Waiter> FlightTable::Remove(Shard& shard, Waiter* waiter) {
  Flight& flight = *waiter->flight;
  (waiter->prev != nullptr ? waiter->prev->next : flight.first) = waiter->next;
  (waiter->next != nullptr ? waiter->next->prev : flight.last) = waiter->prev;
  waiter->prev = waiter->next = nullptr;
  waiter->flight = nullptr;
  shard.DeadlinesOf(waiter->local).Remove(*waiter);
  --flight.waiting;
  --shard.waiting;
  if (waiter->ticket != 0) FreeTicket(shard, waiter->ticket);
  waiter->ticket = 0;
  return std::unique_ptr<Waiter>(waiter);
}

Waiter* FlightTable::RemoveAll(Shard& shard, Flight& flight) {
  Waiter* const first = flight.first;
  for (Waiter* waiter = first; waiter != nullptr; waiter = waiter->next) {
    waiter->prev = nullptr;
    waiter->flight = nullptr;
    shard.DeadlinesOf(waiter->local).Remove(*waiter);
    if (waiter->ticket != 0) FreeTicket(shard, waiter->ticket);
    waiter->ticket = 0;
  }
  shard.waiting -= flight.waiting;
  flight.waiting = 0;
  flight.first = flight.last = nullptr;
  return first;
}

Waiter* FlightTable::FirstLeader(const Flight& flight) {
  for (Waiter* waiter = flight.first; waiter != nullptr; waiter = waiter->next) {
    if (waiter->can_lead()) return waiter;
  }
  return nullptr;
}

}  // namespace cohort
