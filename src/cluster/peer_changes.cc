#include "cluster/peer_changes.h"

#include <algorithm>

#include "cluster/fanout.h"
#include "cluster/life.h"
#include "runtime/burst.h"
#include "wire/messages.h"

namespace cohort {
namespace {

constexpr size_t kMostKeys = 1'000;             // Of a batch; more make it no cheaper.
constexpr size_t kMostBytes = size_t{1} << 20;  // With values. One change alone may have more.
constexpr int64_t kNetworkMs = 10'000;          // For a request and its answer.
constexpr int64_t kGraceMs = 1'000;             // A change's own deadline ends it before its request's.

Status Late(const PeerLine& line) {
  return Status(Code::kTimeout, "peer " + line.address() + " had not answered in time");
}

// How one change ended, by the answers to its entries.
Status StatusOf(const PeerLine& line, const wire::BatchAnswerView* answers, size_t keys) {
  Status first;
  size_t failed = 0;
  for (size_t i = 0; i < keys; ++i) {
    if (answers[i].code == Code::kOk) continue;
    ++failed;
    if (first.ok()) {
      first = Status(Code::kUnreachable, "peer " + line.address() + " answered: " + std::string(answers[i].message));
    }
  }
  return NotAcknowledged(line, failed, keys, first);
}

}  // namespace

void PeerChanges::Tell(Change change, int64_t timeout_ms, Peer::AckDone done) {
  const Result<Health::Permit> permit = line_->AskLeave();
  if (!permit.ok()) return done(permit.status());
  const int64_t deadline_ns = DeadlineAfterMs(timeout_ms, line_->clock().MonotonicNs());
  Shared telling;
  bool closed = false;
  const bool plain = line_->IsKnown() && !line_->TakesTickets();
  {
    std::lock_guard lock(mutex_);
    telling = std::make_shared<Telling>(std::move(change), *permit, Place(deadline_ns, ++last_number_));
    closed = closed_;
    if (!closed) {
      telling->done = std::move(done);
      open_.emplace(telling->place, telling);
      if (!plain) {
        queue_.push_back(telling);
        ArmTimer();
      }
    }
  }
  if (closed) {
    line_->GiveBack(*permit);
    // NOLINTNEXTLINE(bugprone-use-after-move): it was moved only if not closed.
    return done(Status(Code::kClosed, "the connection to peer " + line_->address() + " is closed"));
  }
  if (plain) return SendPlainly(telling, nullptr);
  Pump();
}

Peer::AckDone PeerChanges::Take(const Telling& telling) {
  const auto found = open_.find(telling.place);
  if (found == open_.end()) return nullptr;
  Peer::AckDone done = std::move(found->second->done);
  open_.erase(found);
  return done;
}

// ---- deadlines

void PeerChanges::ArmTimer() {
  if (open_.empty() || !alarm_.IsLate(open_.begin()->first.first)) return;
  alarm_.Set(open_.begin()->first.first, [weak = weak_from_this()](uint64_t set) {
    if (const auto self = weak.lock()) self->OnTimer(set);
  });
}

void PeerChanges::OnTimer(uint64_t set) {
  std::vector<Ended> ended;
  std::vector<Health::Permit> unused;
  {
    std::lock_guard lock(mutex_);
    if (!alarm_.HasRung(set)) return;
    const int64_t now_ns = line_->clock().MonotonicNs();
    while (!open_.empty() && open_.begin()->first.first <= now_ns) {
      const Shared telling = open_.begin()->second;
      if (!telling->asked) unused.push_back(telling->permit);
      ended.push_back({Take(*telling), Late(*line_)});
    }
    ArmTimer();
  }
  for (const Health::Permit permit : unused) line_->GiveBack(permit);
  const Burst burst;
  for (Ended& end : ended) end.done(std::move(end.status));
}

// ---- what is sent next

void PeerChanges::Pump() {
  sending_.Run(mutex_, [this] { return NextWork(); });
}

std::vector<PeerChanges::Shared> PeerChanges::TakeQueued(size_t most) {
  std::vector<Shared> taken;
  while (!queue_.empty() && taken.size() < most) {
    if (open_.count(queue_.front()->place) != 0) taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return taken;
}

Task PeerChanges::NextWork() {
  if (closed_ || on_its_way_) return nullptr;
  if (line_->TakesTickets()) return TakeBatch();
  // Of a peer of which nothing is known, the first shows how the others go.
  const bool first = !line_->IsKnown();
  const std::vector<Shared> taken = TakeQueued(first ? 1 : queue_.size());
  if (taken.empty()) return nullptr;
  on_its_way_ = first;
  return [self = shared_from_this(), taken, first] {
    for (const Shared& telling : taken) {
      Task then;
      if (first) then = [self] { self->EndFirst(); };
      self->SendPlainly(telling, std::move(then));
    }
  };
}

Task PeerChanges::TakeBatch() {
  std::vector<Shared> batch;
  size_t keys = 0;
  size_t bytes = 0;
  while (!queue_.empty()) {
    const Shared& next = queue_.front();
    if (open_.count(next->place) != 0) {
      const size_t next_bytes = BytesOf(next->change);
      const bool fits = keys + next->change.keys.size() <= kMostKeys && bytes + next_bytes <= kMostBytes;
      if (!batch.empty() && !fits) break;
      keys += next->change.keys.size();
      bytes += next_bytes;
      batch.push_back(next);
    }
    queue_.pop_front();
  }
  if (batch.empty()) return nullptr;
  on_its_way_ = true;
  if (keys > kMostKeys) {  // One alone, which has a shorter form.
    return [self = shared_from_this(), batch] { self->SendPlainly(batch[0], [self] { self->Free(); }); };
  }
  for (const Shared& telling : batch) telling->asked = true;
  return [self = shared_from_this(), batch] { self->SendBatch(batch); };
}

void PeerChanges::Free() {
  {
    std::lock_guard lock(mutex_);
    on_its_way_ = false;
  }
  Pump();
}

// ---- requests

void PeerChanges::SendPlainly(const Shared& telling, Task then) {
  Peer::AckDone done;
  {
    std::lock_guard lock(mutex_);
    done = Take(*telling);
  }
  const int64_t left_ms = MillisecondsUntil(telling->place.first, line_->clock().MonotonicNs());
  if (!done || left_ms <= 0) {
    if (done) {
      line_->GiveBack(telling->permit);
      done(Late(*line_));
    }
    if (then) then();
    return;
  }
  Fanout::Run(line_, telling->permit, OrdersOf(*line_, telling->change), left_ms,
              [done = std::move(done), then = std::move(then)](Status status) mutable {
                done(std::move(status));
                if (then) then();
              });
}

// The peer is known now; if not, it has not answered, and each of the others finds that out for itself.
void PeerChanges::EndFirst() {
  std::vector<Shared> others;
  {
    std::lock_guard lock(mutex_);
    on_its_way_ = false;
    if (!line_->IsKnown()) others = TakeQueued(queue_.size());
  }
  for (const Shared& telling : others) SendPlainly(telling, nullptr);
  Pump();
}

void PeerChanges::SendBatch(const std::vector<Shared>& batch) {
  const int64_t now_ns = line_->clock().MonotonicNs();
  const int64_t now_unix_ns = line_->clock().UnixNs();
  int64_t latest_ms = 1;
  Health::Permit permit = 0;
  bool sets = false;
  std::vector<wire::BatchEntryView> entries;
  for (const Shared& telling : batch) {
    const Change& change = telling->change;
    latest_ms = std::max(latest_ms, MillisecondsUntil(telling->place.first, now_ns));
    permit = std::max(permit, telling->permit);
    for (const std::string& key : change.keys) {
      wire::BatchEntryView& entry = entries.emplace_back();
      entry.op = wire::BatchOp::kRemove;
      entry.group = change.group;
      entry.key = key;
      if (!change.value || !change.to_owner) continue;  // Others need no copy: they forget, and ask when they must.
      entry.op = wire::BatchOp::kSet;
      entry.value = change.value->bytes();
      entry.life_ms = RemainingLifeMs(change.value->expire_unix_ns(), now_unix_ns);
      sets = true;
    }
  }
  Request request = BatchRequest(line_->base_path(), wire::EncodeBatch(entries));
  request.once = sets;
  line_->Send(permit, std::move(request), std::min(kNetworkMs, latest_ms + kGraceMs),
              [self = shared_from_this(), batch](const Result<Response>& end) { self->EndBatch(batch, end); });
}

void PeerChanges::EndBatch(const std::vector<Shared>& batch, const Result<Response>& end) {
  if (end.ok() && PeerLine::RefusesBatches(*end)) {
    for (const Shared& telling : batch) SendPlainly(telling, nullptr);
    return Free();
  }
  std::vector<Status> statuses = StatusesOf(batch, end);
  std::vector<Ended> ended;
  {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < batch.size(); ++i) {
      if (Peer::AckDone done = Take(*batch[i])) ended.push_back({std::move(done), std::move(statuses[i])});
    }
  }
  {
    const Burst burst;
    for (Ended& one : ended) one.done(std::move(one.status));
  }
  Free();  // Now that all have been told, so that what they set off travels together.
}

std::vector<Status> PeerChanges::StatusesOf(const std::vector<Shared>& batch, const Result<Response>& end) const {
  size_t keys = 0;
  for (const Shared& telling : batch) keys += telling->change.keys.size();
  Status failure;
  std::vector<wire::BatchAnswerView> answers;
  uint64_t incarnation = 0;
  if (!end.ok()) {
    failure = end.status();
  } else if (end->status != 200) {
    failure = line_->Unexpected(*end);
  } else if (Result<std::vector<wire::BatchAnswerView>> read = wire::ViewBatchAnswers(end->body, &incarnation);
             !read.ok()) {
    failure = line_->Unreadable(read.status());
  } else if (read->size() != keys) {
    failure = line_->Unreadable(
        Status(Code::kInternal, std::to_string(read->size()) + " answers to a batch of " + std::to_string(keys)));
  } else {
    answers = std::move(*read);
  }
  std::vector<Status> statuses;
  statuses.reserve(batch.size());
  size_t at = 0;
  for (const Shared& telling : batch) {
    const size_t own = telling->change.keys.size();
    statuses.push_back(failure.ok() ? StatusOf(*line_, answers.data() + at, own)
                                    : NotAcknowledged(*line_, own, own, failure));
    at += own;
  }
  return statuses;
}

void PeerChanges::Close() {
  std::vector<Ended> ended;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    queue_.clear();
    while (!open_.empty()) {
      const Shared telling = open_.begin()->second;
      ended.push_back(
          {Take(*telling), Status(Code::kClosed, "the connection to peer " + line_->address() + " was closed")});
    }
  }
  for (Ended& end : ended) end.done(std::move(end.status));
}

}  // namespace cohort
