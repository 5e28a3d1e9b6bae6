#include "cache/lru.h"

namespace cohort {

void Lru::OnHit(Entry* entry) {
  if (entry == latest_) return;
  Unlink(entry);
  PushFront(entry);
}

void Lru::PushFront(Entry* entry) {
  entry->prev = nullptr;
  entry->next = latest_;
  (latest_ == nullptr ? oldest_ : latest_->prev) = entry;
  latest_ = entry;
}

void Lru::Unlink(Entry* entry) {
  (entry->prev == nullptr ? latest_ : entry->prev->next) = entry->next;
  (entry->next == nullptr ? oldest_ : entry->next->prev) = entry->prev;
}

}  // namespace cohort
