// The gets that travel in batches, and those that a peer has answered with tickets.
//
// At most two requests are on their way that carry gets or say what need not be answered, and one that collects; with
// the one of PeerChanges there are four. None of them takes longer than the peer's first answer; how long a load takes
// is between the get and its ticket.
#include <algorithm>
#include <utility>

#include "cluster/extension.h"
#include "cluster/fanout.h"
#include "cluster/life.h"
#include "cluster/peer_answers.h"
#include "cluster/peer_gets.h"
#include "runtime/burst.h"
#include "runtime/lent_thread.h"

namespace cohort {
namespace {

constexpr int kSlots = 2;
constexpr size_t kMostKeys = 1'000;                  // Of a batch; more make it no cheaper.
constexpr size_t kMostKeyBytes = size_t{256} << 10;  // With the groups' names.
constexpr int64_t kNetworkMs = 10'000;               // For a request and its answer.
constexpr int64_t kPollMs = 5'000;                   // So long a peer may have nothing to say.
constexpr int64_t kGraceMs = 1'000;                  // A get's own deadline ends it before its request's.
constexpr int kMostPollsLost = 2;

}  // namespace

void PeerGets::Enqueue(CallId id, PeerGet& get) {
  get.way_ = Way::kQueued;
  if (get.alone_) {
    alone_.push_back(id);
  } else {
    queue_.Push(get.group, id, get.group.size() + get.key.size());
  }
  deadlines_.Add(get);
}

PeerGets::Shared PeerGets::Take(CallId id) {
  if (gets_.Find(id) == nullptr) return nullptr;
  Shared get = gets_.Take(id);
  deadlines_.Remove(*get);
  if (get->way_ == Way::kTicket && get->ticket_ != 0) tickets_.Drop(get->ticket_);
  return get;
}

void PeerGets::TakeEnded(CallId id, PeerAnswer&& answer, std::vector<Ended>* ended) {
  if (Shared get = Take(id)) ended->push_back({std::move(get), std::move(answer)});
}

void PeerGets::AskAgain(CallId id, std::vector<Ended>* ended) {
  PeerGet& get = **gets_.Find(id);
  get.ticket_ = 0;
  if (get.asked_again_ || closed_) {
    TakeEnded(id, FailedAnswer(Status(Code::kUnreachable, "peer " + line_->address() + " lost what it was asked for")),
              ended);
    return;
  }
  get.asked_again_ = true;
  Enqueue(id, get);
  ArmTimer();
}

void PeerGets::Run(std::vector<Ended> ended) {
  const Burst burst;
  for (Ended& end : ended) end.get->End(std::move(end.answer));
}

// ---- deadlines

void PeerGets::ArmTimer() {
  if (deadlines_.empty() || !alarm_.IsLate(deadlines_.DueNs())) return;
  alarm_.Set(deadlines_.DueNs(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnTimer();
  });
}

void PeerGets::OnTimer() {
  std::vector<Ended> ended;
  std::vector<Health::Permit> unused;
  {
    std::lock_guard lock(mutex_);
    alarm_.HasRung();
    const int64_t now_ns = line_->clock().MonotonicNs();
    for (Deadlines::Timed* const passed : deadlines_.TakePassed(now_ns)) {
      PeerGet& get = *static_cast<PeerGet*>(passed);
      const CallId id = get.id_;
      if (!get.asked_) unused.push_back(get.permit_);
      if (get.ticket_ != 0) tickets_.Forget(std::exchange(get.ticket_, 0));
      TakeEnded(id, FailedAnswer(Status(Code::kTimeout, "peer " + line_->address() + " had not answered in time")),
                &ended);
    }
    ArmTimer();
  }
  for (const Health::Permit permit : unused) line_->GiveBack(permit);
  if (ended.empty()) return;
  Run(std::move(ended));
  Pump();  // The owner is told.
}

// ---- what is sent next

void PeerGets::Pump() {
  sending_.Run(mutex_, [this] { return NextWork(); });
}

// The get that went before the peer was known takes a place, but never the last.
bool PeerGets::HasSlot() const { return slots_taken_ < std::max(1, kSlots - plain_); }

Task PeerGets::NextWork() {
  if (closed_) return nullptr;
  if (!polling_ && tickets_.waiting()) {
    polling_ = true;
    const auto sent = std::make_shared<Sent>();
    sent->since = tickets_.Now();
    sent->note = tickets_.TakeNote();
    return [self = shared_from_this(), sent] { self->SendCollect(sent, kPollMs); };
  }
  const bool batches = line_->TakesTickets();
  if (batches && !HasSlot()) return nullptr;
  if (Task batch = TakeBatch(batches)) return batch;
  if (!batches || !tickets_.dropping()) return nullptr;
  ++slots_taken_;
  const auto sent = std::make_shared<Sent>();
  sent->note = tickets_.TakeNote();
  return [self = shared_from_this(), sent] { self->SendCollect(sent, 0); };
}

Task PeerGets::TakeBatch(bool batches) {
  const auto wanted = [this](CallId id) {
    const Shared* const found = gets_.Find(id);
    return found != nullptr && (*found)->way_ == Way::kQueued;
  };
  std::vector<CallId> ids;
  while (ids.empty() && !alone_.empty()) {
    if (wanted(alone_.front())) ids.push_back(alone_.front());
    alone_.pop_front();
  }
  if (ids.empty()) ids = queue_.Take(kMostKeys, kMostKeyBytes, wanted);
  if (ids.empty()) return nullptr;

  const auto sent = std::make_shared<Sent>();
  sent->gets.reserve(ids.size());
  for (const CallId id : ids) sent->gets.emplace_back(id, *gets_.Find(id));
  // The peer may be another program than it was when they came.
  if (!batches) {
    for (const auto& [id, get] : sent->gets) {
      get->way_ = Way::kPlain;
      ++plain_;
      deadlines_.Remove(*get);
    }
    return [self = shared_from_this(), sent] {
      for (const auto& [id, get] : sent->gets) self->SendPlain(id, get, Form::kAny);
    };
  }
  ++slots_taken_;
  for (const auto& [id, get] : sent->gets) {
    get->way_ = Way::kBatch;
    get->asked_ = true;
    sent->permit = std::max(sent->permit, get->permit_);
  }
  sent->number = tickets_.BeginBatch();
  sent->note = tickets_.TakeNote();
  return [self = shared_from_this(), sent] { self->SendBatch(sent); };
}

// ---- batches

void PeerGets::SendBatch(const std::shared_ptr<Sent>& sent) {
  const int64_t now_ns = line_->clock().MonotonicNs();
  int64_t latest_ms = 0;
  std::vector<wire::BatchEntryView> entries;
  entries.reserve(sent->gets.size());
  for (const auto& [id, get] : sent->gets) {
    wire::BatchEntryView& entry = entries.emplace_back();
    entry.group = get->group;
    entry.key = get->key;
    entry.timeout_ms = std::max<int64_t>(1, MillisecondsUntil(get->deadline_ns, now_ns));
    latest_ms = std::max(latest_ms, entry.timeout_ms);
  }
  const LentThread::Offer offer;  // It is answered soon.
  line_->Send(sent->permit, BatchRequest(line_->base_path(), wire::EncodeBatch(entries, sent->note)),
              std::min(kNetworkMs, latest_ms + kGraceMs),
              [self = shared_from_this(), sent](Result<Response> end) { self->EndBatch(sent, std::move(end)); });
}

bool PeerGets::IsClosed() {
  std::lock_guard lock(mutex_);
  return closed_;
}

void PeerGets::EndBatch(const std::shared_ptr<Sent>& sent, Result<Response> end) {
  if (IsClosed()) return;
  Status failure;
  const bool refused = end.ok() && PeerLine::RefusesBatches(*end);
  std::vector<Heard> heard;
  uint64_t incarnation = 0;
  if (!end.ok()) {
    failure = end.status();
  } else if (end->status != 200) {
    failure = line_->Unexpected(*end);
  } else if (Result<std::vector<wire::BatchAnswerView>> read = wire::ViewBatchAnswers(end->body, &incarnation);
             !read.ok()) {
    failure = line_->Unreadable(read.status());
  } else if (read->size() != sent->gets.size()) {
    failure = line_->Unreadable(Status(
        Code::kInternal, std::to_string(read->size()) + " answers to a batch of " + std::to_string(sent->gets.size())));
  } else {
    const HeardAt now(line_->clock());
    heard.reserve(read->size());
    for (size_t i = 0; i < read->size(); ++i) {
      Heard& next = heard.emplace_back();
      next.said = (*read)[i];
      if (next.said.ticket == 0) next.answer = ReadBatchAnswer(*line_, sent->gets[i].second->key, next.said, now);
    }
  }

  std::vector<Ended> ended;
  ended.reserve(sent->gets.size());
  std::vector<std::pair<CallId, Shared>> plain;
  {
    std::lock_guard lock(mutex_);
    if (failure.ok()) {
      ReadBatch(*sent, std::move(heard), incarnation, &ended);
    } else {
      tickets_.Restore(std::move(sent->note));
      for (const auto& [id, get] : sent->gets) {
        if (get->way_ != Way::kBatch || gets_.Find(id) == nullptr) continue;
        if (refused) {
          get->way_ = Way::kPlain;
          ++plain_;
          deadlines_.Remove(*get);
          plain.emplace_back(id, get);
        } else {
          TakeEnded(id, FailedAnswer(failure), &ended);
        }
      }
    }
    tickets_.EndBatch(sent->number);
  }
  Pump();  // Tickets are collected from now on.
  for (const auto& [id, get] : plain) SendPlain(id, get, Form::kPlain);
  // The slot is free when all have been told, so that what they ask for next travels together.
  Run(std::move(ended));
  {
    std::lock_guard lock(mutex_);
    --slots_taken_;
  }
  Pump();
}

void PeerGets::ReadBatch(const Sent& sent, std::vector<Heard> heard, uint64_t incarnation, std::vector<Ended>* ended) {
  const bool same_session = sent.note.id == tickets_.session();
  const int64_t now_ns = line_->clock().MonotonicNs();
  for (size_t i = 0; i < heard.size(); ++i) {
    const auto& [id, get] = sent.gets[i];
    const wire::BatchAnswerView& said = heard[i].said;
    const bool waits = get->way_ == Way::kBatch && gets_.Find(id) != nullptr;
    if (!waits) {
      if (said.ticket == 0 || !same_session) continue;
      if (get->deadline_ns <= now_ns) {
        tickets_.Await(said.ticket, 0, incarnation);  // As those that OnTimer forgets.
      } else {
        tickets_.Drop(said.ticket);
      }
      continue;
    }
    if (said.ticket != 0) {
      if (!same_session) {
        AskAgain(id, ended);
        continue;
      }
      std::optional<wire::BatchAnswer> early = tickets_.Await(said.ticket, id, incarnation);
      if (!early) {
        get->way_ = Way::kTicket;
        get->ticket_ = said.ticket;
        continue;
      }
      EndOrAskAlone(id, *get, early->code,
                    ReadBatchAnswer(*line_, get->key, wire::ToView(*early), HeardAt(line_->clock())), ended);
      continue;
    }
    EndOrAskAlone(id, *get, said.code, std::move(heard[i].answer), ended);
  }
}

void PeerGets::EndOrAskAlone(CallId id, PeerGet& get, Code said, PeerAnswer&& answer, std::vector<Ended>* ended) {
  if (said == Code::kTooLarge && !get.alone_ && !closed_) {
    get.alone_ = true;
    get.ticket_ = 0;
    Enqueue(id, get);
    ArmTimer();
  } else {
    TakeEnded(id, std::move(answer), ended);
  }
}

// ---- tickets

void PeerGets::SendCollect(const std::shared_ptr<Sent>& sent, int64_t wait_ms) {
  Request request;
  request.method = "POST";
  request.target = line_->base_path() + kCollectPath;
  request.headers.emplace_back("Content-Type", kProtobufType);
  request.body = wire::EncodeCollect(sent->note, wait_ms);
  line_->Send(0, std::move(request), wait_ms + kNetworkMs,
              [self = shared_from_this(), sent, wait_ms](Result<Response> end) {
                if (wait_ms > 0) return self->EndPoll(sent, std::move(end));
                self->EndTell();
              });
}

// What was not told is no loss: the answers come, and are dropped here.
void PeerGets::EndTell() {
  {
    std::lock_guard lock(mutex_);
    --slots_taken_;
  }
  Pump();
}

// A poll that is lost loses nothing: the next brings the same answers. When that is lost as well, or the peer does not
// understand, it is given up with all that it owes.
void PeerGets::EndPoll(const std::shared_ptr<Sent>& sent, Result<Response> end) {
  if (IsClosed()) return;
  uint64_t incarnation = 0;
  Status failure = end.status();
  bool again = true;  // The gets may be asked again, if the peer has lost them.
  std::vector<wire::BatchAnswerView> answers;
  if (end.ok() && end->status != 200) {
    failure = line_->Unexpected(*end);
  } else if (end.ok()) {
    Result<std::vector<wire::BatchAnswerView>> read = wire::ViewBatchAnswers(end->body, &incarnation);
    if (read.ok()) {
      answers = std::move(*read);
    } else {
      failure = line_->Unreadable(read.status());
    }
  } else {
    again = false;
  }

  std::vector<Ended> ended;
  {
    std::lock_guard lock(mutex_);
    polling_ = false;
    if (closed_) return;
    if (failure.ok()) {
      polls_lost_ = 0;
      ReadPoll(*sent, answers, incarnation, &ended);
    } else if (!again && ++polls_lost_ < kMostPollsLost) {
      tickets_.Restore(std::move(sent->note));
    } else {
      polls_lost_ = 0;
      for (const CallId id : tickets_.Reset(runtime_.random().Next() | 1)) {
        (*gets_.Find(id))->ticket_ = 0;  // It needs no dropping.
        if (again) {
          AskAgain(id, &ended);
        } else {
          TakeEnded(id, FailedAnswer(failure), &ended);
        }
      }
    }
  }
  Run(std::move(ended));
  Pump();
}

void PeerGets::ReadPoll(const Sent& sent, const std::vector<wire::BatchAnswerView>& answers, uint64_t incarnation,
                        std::vector<Ended>* ended) {
  if (sent.note.id != tickets_.session()) return;
  const HeardAt now(line_->clock());
  for (const wire::BatchAnswerView& answer : answers) {
    const std::optional<CallId> id = tickets_.Receive(answer);
    if (!id) continue;
    PeerGet& get = **gets_.Find(*id);
    get.ticket_ = 0;
    EndOrAskAlone(*id, get, answer.code, ReadBatchAnswer(*line_, get.key, answer, now), ended);
  }
  for (const CallId id : tickets_.TakeLost(incarnation, sent.since)) AskAgain(id, ended);
}

}  // namespace cohort
