// The gets that travel alone in plain requests, and where each get goes.
#include "cluster/peer_gets.h"

#include <optional>

#include "cluster/fanout.h"
#include "cluster/life.h"
#include "cluster/peer_answers.h"
#include "runtime/burst.h"
#include "runtime/lent_thread.h"
#include "wire/path.h"

namespace cohort {
namespace {

// A peer of which nothing is known is asked for one key. Its first answer tells how the others go. If that takes longer
// than this, for the key's load is slow, it is asked for nothing at all, which every peer answers at once; should that
// fail, they go plainly.
constexpr int kFirstGets = 1;
constexpr int64_t kFirstAnswerNs = 5'000'000;
constexpr int64_t kIntroductionMs = 2'000;

// A get whose end is a function.
class FunctionGet final : public PeerGet {
 public:
  FunctionGet(std::string_view own_group, std::string_view own_key, int64_t deadline, Peer::GetDone done)
      : group_(own_group), key_(own_key), done_(std::move(done)) {
    group = group_;
    key = key_;
    deadline_ns = deadline;
  }
  int64_t End(PeerAnswer&& answer) override {
    Peer::GetDone done = std::move(done_);  // What it holds goes now, however long this is remembered.
    return done(std::move(answer));
  }

 private:
  const std::string group_;
  const std::string key_;
  Peer::GetDone done_;
};

}  // namespace

PeerGets::PeerGets(std::shared_ptr<PeerLine> line, Runtime& runtime)
    : line_(std::move(line)), runtime_(runtime), alarm_(runtime), tickets_(runtime.random().Next() | 1) {}

PeerGets::CallId PeerGets::Get(std::string_view group, std::string_view key, int64_t timeout_ms, Peer::GetDone done) {
  const Shared get = std::make_shared<FunctionGet>(
      group, key, DeadlineAfterMs(timeout_ms, line_->clock().MonotonicNs()), std::move(done));
  Shared asked = get;
  GetAll({&asked, 1});
  return get->call_.load();
}

PeerAnswer PeerGets::Cancelled() const {
  return FailedAnswer(Status(Code::kCancelled, "the call to peer " + line_->address() + " was cancelled"));
}

PeerGets::CallId PeerGets::Add(Shared get) {
  PeerGet& added = *get;
  added.id_ = gets_.Add(std::move(get));
  added.call_.store(added.id_);
  return added.id_;
}

void PeerGets::GetAll(std::span<Shared> gets) {
  const bool batched = line_->TakesTickets();
  const bool known = line_->IsKnown();
  std::vector<Ended> refused;
  std::vector<Shared> plain;
  std::vector<CallId> at_once;
  std::vector<CallId> given_up;
  bool some_wait = false;
  bool may_wait = false;
  bool put_off = false;
  {
    std::lock_guard lock(mutex_);
    const bool go_at_once = batched && GoAtOnce(gets);
    if (go_at_once) at_once.reserve(gets.size());
    for (Shared& get : gets) {
      if (get->given_up_.load()) {
        refused.push_back({std::move(get), Cancelled()});
        continue;
      }
      const Result<Health::Permit> permit = line_->AskLeave();
      if (!permit.ok()) {
        refused.push_back({std::move(get), FailedAnswer(permit.status())});
        continue;
      }
      PeerGet& added = *get;
      added.permit_ = *permit;
      if (go_at_once) {
        at_once.push_back(Add(std::move(get)));
        deadlines_.Add(added);
      } else if (!closed_ && (batched || (!known && plain_ >= kFirstGets))) {
        Enqueue(Add(std::move(get)), added);
        some_wait = true;
      } else {
        plain.push_back(get);
        Add(std::move(get));
        added.way_ = Way::kPlain;
        ++plain_;
      }
      if (added.given_up_.load()) given_up.push_back(added.id_);
    }
    if (some_wait && !known) AwaitFirstAnswer();
    if (!at_once.empty()) begun_ = BeginBatch(at_once);
    if (some_wait || !at_once.empty()) ArmTimer();
    if (batched && (sending_.at_work() || !HasSlot())) {
      may_wait = true;  // Who pumps looks again, and so does the end of each request.
    } else if (some_wait && batched && slots_taken_ > 0 && Burst::open()) {
      may_wait = true;  // In a burst, others may follow at once, and a request is on its way whose end pumps, too.
      put_off = !std::exchange(pump_put_off_, true);
    }
  }
  if (!refused.empty()) Run(std::move(refused));
  for (const Shared& get : plain) SendPlain(get->call_.load(), get, Form::kAny, gets.size() == 1);
  if (!at_once.empty()) {
    Pump();
  } else if (put_off) {
    Burst::PutOff([self = shared_from_this()] { self->PumpAfterBurst(); });
  } else if (some_wait && !may_wait && (known || line_->IsKnown())) {
    Pump();
  }
  for (const CallId id : given_up) Cancel(id);
}

void PeerGets::PumpAfterBurst() {
  {
    std::lock_guard lock(mutex_);
    pump_put_off_ = false;
  }
  Pump();
}

void PeerGets::AwaitFirstAnswer() {
  if (awaiting_first_) return;
  awaiting_first_ = true;
  runtime_.timers().After(kFirstAnswerNs, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    if (self->line_->IsKnown()) return self->EndIntroduction();
    self->Introduce();
  });
}

void PeerGets::EndIntroduction() {
  {
    std::lock_guard lock(mutex_);
    awaiting_first_ = false;
  }
  Pump();
}

// The answer is an error, and has our header or has not.
void PeerGets::Introduce() {
  Request request;
  request.method = "GET";
  request.target = line_->base_path();
  line_->Send(0, std::move(request), kIntroductionMs,
              [self = shared_from_this()](const Result<Response>&) { self->EndIntroduction(); });
}

void PeerGets::SendPlain(CallId id, const Shared& get, Form form, bool own) {
  const int64_t left_ms = MillisecondsUntil(get->deadline_ns, line_->clock().MonotonicNs());
  if (left_ms <= 0) {
    line_->GiveBack(get->permit_);
    return Finish(id, get,
                  FailedAnswer(Status(Code::kTimeout, "peer " + line_->address() + " had not answered in time")));
  }
  Request request;
  request.method = "GET";
  request.target = wire::KeyPath(line_->base_path(), get->group, get->key);
  const bool either = form == Form::kAny && PeerLine::IsTooLong(request);
  const bool batch = form == Form::kBatch || (either && line_->IsCohort());
  if (batch) {
    const wire::BatchEntryView entry{wire::BatchOp::kGet, get->group, get->key, {}, -1, left_ms};
    request = BatchRequest(line_->base_path(), wire::EncodeBatch(std::vector{entry}));
  }
  int attempt = 0;
  bool cancelled = false;
  {
    std::lock_guard lock(mutex_);
    attempt = ++get->attempt_;
    get->sent_as_ = 0;
    cancelled = get->cancelled_;
  }
  if (cancelled) {
    line_->GiveBack(get->permit_);
    return Finish(id, get, Cancelled());
  }
  std::optional<LentThread::Offer> offer;
  if (own) offer.emplace();  // It is all that the caller waits for.
  const PeerChannel::CallId sent_as =
      line_->Send(get->permit_, std::move(request), left_ms,
                  [self = shared_from_this(), id, get, batch, either, sent_unix_ns = line_->clock().UnixNs()](
                      Result<Response> end) { self->EndPlain(id, get, batch, either, sent_unix_ns, std::move(end)); });
  // Cancel can come before the channel's id is known:
  // 1. Send is under way;       2. Cancel finds no id, and marks the get;   3. we see the mark and cancel the request.
  // The answer can come first as well, and may already have been followed by another attempt, whose id must stay:
  // 1. Send is under way;       2. it ends, attempt 2 is sent and noted;    3. we are attempt 1, and note nothing.
  {
    std::lock_guard lock(mutex_);
    if (get->attempt_ != attempt) return;
    get->sent_as_ = sent_as;
    cancelled = get->cancelled_;
  }
  if (cancelled) line_->channel().Cancel(sent_as);
}

void PeerGets::EndPlain(CallId id, const Shared& get, bool batch, bool other_form_left, int64_t sent_unix_ns,
                        Result<Response> end) {
  if (!end.ok()) return Finish(id, get, FailedAnswer(end.status()));
  if (other_form_left) {
    if (batch && PeerLine::RefusesBatches(*end)) return SendPlain(id, get, Form::kPlain);
    if (!batch && PeerLine::RefusesLongLines(*end)) return SendPlain(id, get, Form::kBatch);
  }
  Finish(id, get,
         batch ? ReadOnlyAnswer(*line_, get->key, *end) : ReadPlainAnswer(*line_, get->key, *end, sent_unix_ns));
}

void PeerGets::Finish(CallId id, const Shared& get, PeerAnswer answer) {
  {
    std::lock_guard lock(mutex_);
    gets_.Take(id);
    --plain_;
  }
  get->End(std::move(answer));
  Pump();  // Others may have waited for what its answer tells of the peer.
}

void PeerGets::Cancel(CallId id) {
  std::vector<Ended> ended;
  bool give_back = false;
  Shared get;
  PeerChannel::CallId sent_as = 0;
  {
    std::lock_guard lock(mutex_);
    const Shared* const found = gets_.Find(id);
    if (found == nullptr) return;
    get = *found;
    if (get->way_ == Way::kPlain) {
      get->cancelled_ = true;
      sent_as = get->sent_as_;
    } else {
      give_back = !get->asked_;
      TakeEnded(id, Cancelled(), &ended);
    }
  }
  if (sent_as != 0) line_->channel().Cancel(sent_as);
  if (ended.empty()) return;
  if (give_back) line_->GiveBack(get->permit_);
  Run(std::move(ended));
  Pump();  // The owner is told.
}

// Plain requests are ended by the channel. What it may still tell of the others finds nothing, and touches nothing: the
// runtime may be gone by then.
void PeerGets::Close() {
  std::vector<Ended> ended;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    std::vector<CallId> open;
    gets_.ForEach([&](CallId id, const Shared& get) {
      if (get->way_ != Way::kPlain) open.push_back(id);
    });
    for (const CallId id : open) {
      TakeEnded(id, FailedAnswer(Status(Code::kClosed, "the connection to peer " + line_->address() + " was closed")),
                &ended);
    }
  }
  Run(std::move(ended));
}

}  // namespace cohort
