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
  alarm_.Set(deadlines_.DueNs(), [weak = weak_from_this()](uint64_t set) {
    if (const auto self = weak.lock()) self->OnTimer(set);
  });
}

void PeerGets::OnTimer(uint64_t set) {
  std::vector<Ended> ended;
  std::vector<Health::Permit> unused;
  {
    std::lock_guard lock(mutex_);
    if (!alarm_.HasRung(set)) return;
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
  if (begun_ != nullptr) {
    return [self = shared_from_this(), sent = std::move(begun_)] { self->SendBatch(sent); };
  }
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

  // The peer may be another program than it was when they came.
  if (!batches) {
    std::vector<Shared> gets;
    gets.reserve(ids.size());
    for (const CallId id : ids) BecomePlain(*gets.emplace_back(*gets_.Find(id)));
    return [self = shared_from_this(), gets = std::move(gets)] {
      for (const Shared& get : gets) self->SendPlain(get->call_.load(), get, Form::kAny);
    };
  }
  return [self = shared_from_this(), sent = BeginBatch(ids)] { self->SendBatch(sent); };
}

void PeerGets::BecomePlain(PeerGet& get) {
  get.way_ = Way::kPlain;
  ++plain_;
  deadlines_.Remove(get);
}

// ---- batches

bool PeerGets::GoAtOnce(std::span<const Shared> gets) const {
  if (closed_ || sending_.at_work() || !HasSlot() || begun_ != nullptr || !queue_.empty() || !alone_.empty()) {
    return false;
  }
  if (gets.size() > kMostKeys || (slots_taken_ > 0 && Burst::open())) return false;
  size_t bytes = 0;
  for (const Shared& get : gets) bytes += get->group.size() + get->key.size();
  return gets.size() == 1 || bytes <= kMostKeyBytes;
}

// The body is written under the lock, as long as they are certain to be there: so a batch holds none of them.
std::shared_ptr<PeerGets::Sent> PeerGets::BeginBatch(const std::vector<CallId>& ids) {
  auto sent = std::make_shared<Sent>();
  sent->gets.reserve(ids.size());
  std::vector<wire::BatchEntryView> entries;
  entries.reserve(ids.size());
  const int64_t now_ns = line_->clock().MonotonicNs();
  for (const CallId id : ids) {
    PeerGet& get = **gets_.Find(id);
    get.way_ = Way::kBatch;
    get.asked_ = true;
    sent->permit = std::max(sent->permit, get.permit_);
    sent->gets.push_back({id, get.deadline_ns});
    wire::BatchEntryView& entry = entries.emplace_back();
    entry.group = get.group;
    entry.key = get.key;
    entry.timeout_ms = std::max<int64_t>(1, MillisecondsUntil(get.deadline_ns, now_ns));
    sent->latest_ms = std::max(sent->latest_ms, entry.timeout_ms);
  }
  ++slots_taken_;
  sent->number = tickets_.BeginBatch();
  sent->note = tickets_.TakeNote();
  sent->body = wire::EncodeBatch(entries, sent->note);
  return sent;
}

void PeerGets::SendBatch(const std::shared_ptr<Sent>& sent) {
  const LentThread::Offer offer;  // It is answered soon.
  line_->Send(sent->permit, BatchRequest(line_->base_path(), std::move(sent->body)),
              std::min(kNetworkMs, sent->latest_ms + kGraceMs),
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
  std::vector<wire::BatchAnswerView> answers;
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
    answers = std::move(*read);
  }

  std::vector<Told> told;
  std::vector<Ended> ended;
  std::vector<Shared> plain;
  {
    std::lock_guard lock(mutex_);
    if (failure.ok()) {
      ReadBatch(*sent, answers, incarnation, &told, &ended);
    } else {
      tickets_.Restore(std::move(sent->note));
      for (const auto& [id, deadline_ns] : sent->gets) {
        const Shared* const get = FindInBatch(id);
        if (get == nullptr) continue;
        if (refused) {
          BecomePlain(*plain.emplace_back(*get));
        } else {
          TakeEnded(id, FailedAnswer(failure), &ended);
        }
      }
    }
    tickets_.EndBatch(sent->number);
  }
  Pump();  // Tickets are collected from now on.
  for (const Shared& get : plain) SendPlain(get->call_.load(), get, Form::kPlain);
  // The slot is free when all have been told, so that what they ask for next travels together.
  {
    const Burst burst;
    RunTold(std::move(told));
    Run(std::move(ended));
  }
  {
    std::lock_guard lock(mutex_);
    --slots_taken_;
  }
  Pump();
}

const PeerGets::Shared* PeerGets::FindInBatch(CallId id) const {
  const Shared* const found = gets_.Find(id);
  return found != nullptr && (*found)->way_ == Way::kBatch ? found : nullptr;
}

void PeerGets::ReadBatch(const Sent& sent, const std::vector<wire::BatchAnswerView>& answers, uint64_t incarnation,
                         std::vector<Told>* told, std::vector<Ended>* ended) {
  const bool same_session = sent.note.id == tickets_.session();
  const int64_t now_ns = line_->clock().MonotonicNs();
  told->reserve(answers.size());
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto& [id, deadline_ns] = sent.gets[i];
    const wire::BatchAnswerView& said = answers[i];
    const Shared* const found = FindInBatch(id);
    if (found == nullptr) {
      if (said.ticket == 0 || !same_session) continue;
      if (deadline_ns <= now_ns) {
        tickets_.Await(said.ticket, 0, incarnation);  // As those that OnTimer forgets.
      } else {
        tickets_.Drop(said.ticket);
      }
      continue;
    }
    PeerGet& get = **found;
    if (said.ticket != 0) {
      if (!same_session) {
        AskAgain(id, ended);
        continue;
      }
      std::optional<wire::BatchAnswer> early = tickets_.Await(said.ticket, id, incarnation);
      if (!early) {
        get.way_ = Way::kTicket;
        get.ticket_ = said.ticket;
        continue;
      }
      EndOrAskAlone(id, get, early->code,
                    ReadBatchAnswer(*line_, get.key, wire::ToView(*early), HeardAt(line_->clock())), ended);
      continue;
    }
    if (AskAlone(id, get, said.code)) continue;
    deadlines_.Remove(get);
    told->push_back({gets_.Take(id), &said});
  }
}

// Values are copied here, with no lock held, each just before those who wait for it get it.
void PeerGets::RunTold(std::vector<Told> told) const {
  const HeardAt now(line_->clock());
  for (Told& end : told) {
    const Shared get = std::move(end.get);
    get->End(ReadBatchAnswer(*line_, get->key, *end.said, now));
  }
}

bool PeerGets::AskAlone(CallId id, PeerGet& get, Code said) {
  if (said != Code::kTooLarge || get.alone_ || closed_) return false;
  get.alone_ = true;
  get.ticket_ = 0;
  Enqueue(id, get);
  ArmTimer();
  return true;
}

void PeerGets::EndOrAskAlone(CallId id, PeerGet& get, Code said, PeerAnswer&& answer, std::vector<Ended>* ended) {
  if (!AskAlone(id, get, said)) TakeEnded(id, std::move(answer), ended);
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
