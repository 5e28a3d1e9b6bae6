#include "cluster/tickets.h"

#include <utility>

namespace cohort {
namespace {

void Append(std::vector<uint64_t>* to, const std::vector<uint64_t>& more) {
  to->insert(to->end(), more.begin(), more.end());
}

}  // namespace

wire::Session Tickets::TakeNote() {
  wire::Session note;
  note.id = session_.id;
  note.received.swap(session_.received);
  note.dropped.swap(session_.dropped);
  return note;
}

void Tickets::Restore(wire::Session note) {
  if (note.id != session_.id) return;
  Append(&session_.received, note.received);
  Append(&session_.dropped, note.dropped);
}

uint64_t Tickets::BeginBatch() {
  batches_.emplace(++last_batch_, 0);
  return last_batch_;
}

void Tickets::EndBatch(uint64_t batch) {
  batches_.erase(batch);
  // What has come early and no batch can claim any more belongs to one that was lost.
  const uint64_t oldest = batches_.empty() ? last_batch_ + 1 : batches_.begin()->first;
  std::erase_if(early_, [oldest](const auto& early) { return early.second.last_batch < oldest; });
}

std::optional<wire::BatchAnswer> Tickets::Await(uint64_t ticket, Call call, uint64_t incarnation) {
  if (const auto early = early_.find(ticket); early != early_.end()) {
    wire::BatchAnswer answer = std::move(early->second.answer);
    early_.erase(early);
    return answer;
  }
  calls_[ticket] = {call, incarnation, ++events_};
  return std::nullopt;
}

void Tickets::Drop(uint64_t ticket) {
  if (early_.erase(ticket) != 0) return;
  calls_.erase(ticket);
  session_.dropped.push_back(ticket);
}

void Tickets::Forget(uint64_t ticket) {
  if (early_.erase(ticket) != 0) return;
  if (const auto found = calls_.find(ticket); found != calls_.end()) found->second.call = 0;
}

std::optional<Tickets::Call> Tickets::Receive(const wire::BatchAnswerView& answer) {
  session_.received.push_back(answer.ticket);
  const auto found = calls_.find(answer.ticket);
  if (found == calls_.end()) {
    if (!batches_.empty()) early_[answer.ticket] = {wire::ToOwned(answer), last_batch_};
    return std::nullopt;
  }
  const Call call = found->second.call;
  calls_.erase(found);
  return call != 0 ? std::optional(call) : std::nullopt;
}

std::vector<Tickets::Call> Tickets::TakeLost(uint64_t incarnation, uint64_t sent) {
  std::vector<Call> lost;
  std::erase_if(calls_, [&](const auto& awaited) {
    if (awaited.second.incarnation == incarnation || awaited.second.since > sent) return false;
    if (awaited.second.call != 0) lost.push_back(awaited.second.call);
    return true;
  });
  return lost;
}

std::vector<Tickets::Call> Tickets::Reset(uint64_t session) {
  std::vector<Call> lost;
  for (const auto& [ticket, awaited] : calls_) {
    if (awaited.call != 0) lost.push_back(awaited.call);
  }
  calls_.clear();
  early_.clear();
  session_ = {};
  session_.id = session;
  return lost;
}

}  // namespace cohort
