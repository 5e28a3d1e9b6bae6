#include "cache/limbo.h"

#include "cache/loan.h"

namespace cohort {

namespace {

void Drop(Gone* gone) {
  if (!gone->empty()) CountLoans(*gone);
  while (Entry* const entry = gone->TakeFirst()) {
    entry->Unclaim();  // From here on somebody who still has the value may fill it again.
    entry->Unref();
  }
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

void Limbo::Add(Gone gone, bool now) {
  Gone free;
  Gone late;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
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
