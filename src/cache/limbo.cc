#include "cache/limbo.h"

#include <utility>

#include "cache/loan.h"
#include "cache/memory.h"

namespace cohort {

namespace {

void Drop(Gone* gone) {
  Memory::Block blocks[Memory::kTogether];
  size_t count = 0;
  if (!gone->empty()) CountLoans(*gone);
  while (Entry* const entry = gone->TakeFirst()) {
    entry->Unclaim();  // From here on somebody who still has the value may fill it again.
    if (!entry->EndAlone(&blocks[count])) {
      entry->Unref();
    } else if (++count == Memory::kTogether) {
      Memory::FreeAll(blocks, count);
      count = 0;
    }
  }
  Memory::FreeAll(blocks, count);
}

}  // namespace

void Gone::Add(Entry* entry) {
  ++count_;
  payload_bytes_ += entry->PayloadBytes();
  entry->set_next_gone(nullptr);
  if (first_ == nullptr) {
    first_ = entry;
  } else {
    last_->set_next_gone(entry);
  }
  last_ = entry;
}

void Gone::Append(Gone* other) {
  if (other->first_ == nullptr) return;
  if (first_ == nullptr) {
    first_ = other->first_;
  } else {
    last_->set_next_gone(other->first_);
  }
  last_ = other->last_;
  count_ += other->count_;
  payload_bytes_ += other->payload_bytes_;
  other->first_ = other->last_ = nullptr;
  other->count_ = other->payload_bytes_ = 0;
}

Entry* Gone::TakeFirst() {
  Entry* const entry = first_;
  if (entry == nullptr) return nullptr;
  first_ = entry->next_gone();
  if (first_ == nullptr) last_ = nullptr;
  --count_;
  payload_bytes_ -= entry->PayloadBytes();
  return entry;
}

std::pair<Entry*, Entry*> Gone::Release() {
  count_ = payload_bytes_ = 0;
  return {std::exchange(first_, nullptr), std::exchange(last_, nullptr)};
}

// Entries are put on the pile one thread after the other and taken all together, so nobody mistakes a pile for another
// that begins with the same entry.
bool Limbo::Pile(Gone* gone) {
  const int64_t count = gone->count();
  if (count == 0 || count >= kLotEntries || gone->payload_bytes() > count * kSmallBytes) return false;
  bool addressable = true;
  gone->ForEach(
      [&](const Entry* entry) { addressable = addressable && reinterpret_cast<uintptr_t>(entry) >> kCountAt == 0; });
  if (!addressable) return false;
  const auto [first, last] = gone->Release();
  uint64_t before = pile_.load(std::memory_order_relaxed);
  uint64_t after = 0;
  do {
    last->set_next_gone(reinterpret_cast<Entry*>(before & ((uint64_t{1} << kCountAt) - 1)));
    after = reinterpret_cast<uintptr_t>(first) | ((before >> kCountAt) + static_cast<uint64_t>(count)) << kCountAt;
  } while (!pile_.compare_exchange_weak(before, after, std::memory_order_release, std::memory_order_relaxed));
  return static_cast<int64_t>(after >> kCountAt) < kLotEntries;
}

Gone Limbo::TakePile() {
  const uint64_t pile = pile_.exchange(0, std::memory_order_acquire);
  Gone gone;
  for (auto* entry = reinterpret_cast<Entry*>(pile & ((uint64_t{1} << kCountAt) - 1)); entry != nullptr;) {
    Entry* const next = entry->next_gone();
    gone.Add(entry);
    entry = next;
  }
  return gone;
}

void Limbo::Add(Gone gone, bool now) {
  if (!now && Pile(&gone)) return;
  Gone piled = TakePile();
  Gone free;
  Gone late;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    coming_.Append(&piled);
    coming_.Append(&gone);
    if (!waiting_.empty() && grace_.Passed()) free.Append(&waiting_);
    if (now || waiting_.payload_bytes() + coming_.payload_bytes() > kMostBytes) {
      late.Append(&waiting_);
      late.Append(&coming_);
    } else if (waiting_.empty() && (coming_.count() >= kLotEntries || coming_.payload_bytes() >= kLotBytes)) {
      grace_ = Grace::Begin();
      (grace_.Passed() ? free : waiting_).Append(&coming_);
    }
  }
  if (!late.empty()) Grace::Begin().Await();
  Drop(&free);
  Drop(&late);
}

}  // namespace cohort
