// Getting: begin and what is built on it. A hit allocates nothing.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include "cache/key_hash.h"
#include "capi/callback.h"
#include "capi/check.h"
#include "capi/fence.h"
#include "capi/handles.h"
#include "capi/keys.h"
#include "runtime/lent_thread.h"

using cohort::Asks;
using cohort::Begun;
using cohort::CallbackWaiter;
using cohort::Code;
using cohort::EventKind;
using cohort::EventNode;
using cohort::EventQueue;
using cohort::FoundCopy;
using cohort::GetAnswer;
using cohort::Group;
using cohort::HeldValue;
using cohort::KeyHash;
using cohort::LentThread;
using cohort::LocalCache;
using cohort::Look;
using cohort::Outcome;
using cohort::QueueWaiter;
using cohort::Result;
using cohort::Source;
using cohort::Status;
using cohort::Value;
using cohort::ValueRef;
using cohort::Waiter;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace {

static_assert(sizeof(cohort_answer_t) == 48);
static_assert(offsetof(cohort_answer_t, size) == 0);
static_assert(offsetof(cohort_answer_t, expire_unix_ns) == 8);
static_assert(offsetof(cohort_answer_t, value) == 16);
static_assert(offsetof(cohort_answer_t, load) == 24);
static_assert(offsetof(cohort_answer_t, ticket) == 32);
static_assert(offsetof(cohort_answer_t, source) == 40);
static_assert(offsetof(cohort_answer_t, reserved) == 44);

static_assert(COHORT_GET_CAN_LEAD == cohort::kCanLead);
static_assert(COHORT_GET_LOCAL == cohort::kLocal);
static_assert(COHORT_GET_PEEK == cohort::kPeek);
constexpr int32_t kAllFlags = COHORT_GET_CAN_LEAD | COHORT_GET_LOCAL | COHORT_GET_PEEK | COHORT_GET_LEND;

// Of a get that has ended: no wait ever has it, since no table holds so many slots.
constexpr uint64_t kUsedTicket = UINT64_MAX;

// What a waiter in a queue is made from. Its maker captures one reference, so that handing it over needs no memory.
struct QueuePlace {
  const std::shared_ptr<EventQueue>& queue;
  uint64_t tag;
  bool can_lead;
  bool announced = false;
  std::unique_ptr<Waiter> Make() const { return std::make_unique<QueueWaiter>(queue, tag, can_lead, announced); }
};

// Copies the value to the buffer if it fits. False: it does not.
bool CopyOut(const ValueRef& value, void* buf, size_t cap) {
  const std::string_view bytes = value->bytes();
  if (bytes.size() > cap) return false;
  if (!bytes.empty()) std::memcpy(buf, bytes.data(), bytes.size());
  return true;
}

void ShowHit(const Value& value, Source source, cohort_answer_t* answer) {
  answer->size = static_cast<int64_t>(value.bytes().size());
  answer->expire_unix_ns = value.expire_unix_ns();
  answer->source = static_cast<int32_t>(source);
}
void ShowValue(HeldValue value, Source source, cohort_answer_t* answer) {
  ShowHit(*value.get(), source, answer);
  answer->value = ToHandle(value);
}

Status ClosedGroup(const Group& group) { return {Code::kClosed, "group '" + group.name() + "' is closed"}; }

Check CheckGet(const cohort_group_t* group, const char* key, size_t key_size, int32_t flags) {
  Check check;
  check.Handle(group, "group").Key(key, key_size);
  check.That((flags & ~kAllFlags) == 0, "flags holds a bit that is no COHORT_GET_*");
  return check;
}

// Whether a hit needs no closer look at the arguments: then it is looked for first, with nothing prepared for anything
// else. What is not as it should be is complained of on the long way.
bool MayHit(const cohort_group_t* group, const char* key, size_t key_size, int32_t flags) {
  return group != nullptr && !group->inherited() && key != nullptr && key_size <= kMaxKeyBytes &&
         (flags & ~kAllFlags) == 0;
}

// The hashes of many keys, asked for in order. Has what finding the next few will need fetched from memory meanwhile.
class Ahead {
 public:
  Ahead(const Group* group, const char* keys, const int64_t* key_sizes, size_t count)
      : group_(*group), key_(keys), key_sizes_(key_sizes), count_(count) {}

  uint64_t HashOf(size_t i) {
    if (i == end_) Next();
    return hashes_[i % hashes_.size()];
  }

 private:
  void Next() {
    const size_t begin = end_;
    end_ = std::min(count_, begin + hashes_.size());
    for (size_t i = begin; i < end_; key_ += key_sizes_[i], ++i) {
      hashes_[i - begin] = KeyHash({key_, static_cast<size_t>(key_sizes_[i])});
    }
    group_.Fetch(hashes_.data(), end_ - begin);
  }

  const Group& group_;
  const char* key_;
  const int64_t* const key_sizes_;
  const size_t count_;
  size_t end_ = 0;
  std::array<uint64_t, LocalCache::kMostFetched> hashes_{};
};

// Whether a hit may be found at a glance (LocalCache::Glance).
bool MayGlance(const cohort_group_t* group, const char* key, size_t key_size) {
  return group != nullptr && !group->inherited() && key != nullptr && LocalCache::MayGlance({key, key_size});
}

// The two ways to find a hit, each lent or copied. At a glance: compiled into what calls them, as all that a glance
// needs. REQUIRES: MayGlance.
struct AtAGlance {
  [[gnu::always_inline]] static HeldValue Lend(cohort_group_t* group, std::string_view key, Source* source) {
    return group->group->Glance(key, KeyHash(key), source);
  }
  [[gnu::always_inline]] static bool Copy(cohort_group_t* group, std::string_view key, void* buf, size_t cap,
                                          FoundCopy* found) {
    return group->group->GlanceCopy(key, KeyHash(key), static_cast<char*>(buf), cap, found);
  }
};
// REQUIRES: MayHit.
struct WithACloserLook {
  static HeldValue Lend(cohort_group_t* group, std::string_view key, Source* source) {
    return group->group->Lend(key, KeyHash(key), source);
  }
  static bool Copy(cohort_group_t* group, std::string_view key, void* buf, size_t cap, FoundCopy* found) {
    return group->group->FindHitCopy(key, KeyHash(key), static_cast<char*>(buf), cap, found);
  }
};

// A hit as an answer: lent if there is no buffer. False: there is none, and nothing is shown.
template <typename Find>
bool FindAnswer(cohort_group_t* group, std::string_view key, void* buf, size_t cap, cohort_answer_t* answer) {
  if (cap == 0) {
    Source source = Source::kNone;
    const HeldValue value = Find::Lend(group, key, &source);
    if (!value) return false;
    *answer = cohort_answer_t();
    ShowValue(value, source, answer);
    return true;
  }
  FoundCopy found;
  if (!Find::Copy(group, key, buf, cap, &found)) return false;
  *answer = cohort_answer_t();
  answer->size = found.size;
  answer->expire_unix_ns = found.expire_unix_ns;
  answer->source = static_cast<int32_t>(Group::SourceOf(found.tier));
  if (found.value) answer->value = ToHandle(std::move(found.value));
  return true;
}

void ReportOk(cohort_error_t* error) {
  if (error != nullptr && !error->status.ok()) error->status = Status();
}

[[gnu::noinline]] int64_t CopySlowly(cohort_group_t* group, const char* key, size_t key_size, void* buf, size_t cap) {
  if (group == nullptr || group->inherited() || (key == nullptr && key_size != 0)) return -1;
  return FenceQuiet<int64_t>(-1, [&]() -> int64_t {
    FoundCopy found;
    const size_t room = buf == nullptr ? 0 : cap;
    if (!WithACloserLook::Copy(group, {key, key_size}, buf, room, &found)) {
      group->group->CountMiss();
      return -1;
    }
    return found.size;
  });
}

[[gnu::noinline]] cohort_value_t* LookUpSlowly(cohort_group_t* group, const char* key, size_t key_size) {
  if (group == nullptr || group->inherited() || (key == nullptr && key_size != 0)) return nullptr;
  return FenceQuiet<cohort_value_t*>(nullptr, [&] { return ToHandle(group->group->Lookup({key, key_size})); });
}

}  // namespace

extern "C" {

int32_t cohort_group_begin(cohort_group_t* group, const char* key, size_t key_size, void* buf, size_t cap,
                           int32_t flags, int64_t timeout_ms, cohort_queue_t* queue, uint64_t tag,
                           cohort_answer_t* answer, cohort_error_t* error) {
  std::optional<Look> look;
  if (MayHit(group, key, key_size, flags) && answer != nullptr && (buf != nullptr || cap == 0) &&
      (queue == nullptr ? (flags & COHORT_GET_PEEK) != 0 : !queue->inherited())) {
    if (LocalCache::MayGlance({key, key_size}) && FindAnswer<AtAGlance>(group, {key, key_size}, buf, cap, answer))
        [[likely]] {
      ReportOk(error);
      return COHORT_BEGIN_HIT;
    }
    look = group->group->BeginLook(KeyHash({key, key_size}));
    if (FindAnswer<WithACloserLook>(group, {key, key_size}, buf, cap, answer)) {
      ReportOk(error);
      return COHORT_BEGIN_HIT;
    }
  }
  int32_t begun = 0;
  const cohort_status_t status = Fence(error, [&] {
    Check check = CheckGet(group, key, key_size, flags);
    check.NotNull(answer, "answer").Bytes(buf, cap, SIZE_MAX, "buf");
    if ((flags & COHORT_GET_PEEK) == 0 || queue != nullptr) check.Handle(queue, "queue");
    if (!check.ok()) return check.status();
    *answer = cohort_answer_t();
    GetAnswer found;
    const std::shared_ptr<EventQueue> none;
    const QueuePlace place{queue == nullptr ? none : queue->queue, tag, (flags & COHORT_GET_CAN_LEAD) != 0};
    // What is left to this thread is done when it goes, its ticket shown, and the event is there when begin ends.
    const LentThread lent((flags & COHORT_GET_LEND) != 0 ? Group::LentNs(ClampTimeout(timeout_ms)) : 0);
    const std::string_view this_key(key, key_size);
    const auto make = [&place] { return place.Make(); };
    switch (look ? group->group->Begin(this_key, *look, flags, ClampTimeout(timeout_ms), make, &found)
                 : group->group->Begin(this_key, flags, ClampTimeout(timeout_ms), make, &found)) {
      case Begun::kFailed:
        return std::move(found.status);
      case Begun::kHit:
        ShowHit(*found.value, found.source, answer);
        if (cap == 0 || !CopyOut(found.value, buf, cap)) answer->value = ToHandle(std::move(found.value));
        begun = COHORT_BEGIN_HIT;
        return Status();
      case Begun::kPending:
        answer->ticket = found.ticket;
        begun = COHORT_BEGIN_PENDING;
        return Status();
      case Begun::kLead:
        answer->load = ToHandle(std::move(found.load));
        begun = COHORT_BEGIN_LEAD;
        return Status();
      case Begun::kMiss:
        begun = COHORT_BEGIN_MISS;
        return Status();
    }
    return Status(Code::kInternal, "begin ended in no known way");
  });
  return status == COHORT_OK ? begun : -status;
}

// Every key is announced to the queue before the first get begins, so that one that fails later, because the group or
// the queue is closed meanwhile, still ends in an event:
//   1. key 1 begins and waits   2. (another) closes the queue   3. key 2 cannot wait: its announced event says why
int64_t cohort_group_begin_many(cohort_group_t* group, const char* keys, size_t keys_size, const int64_t* key_sizes,
                                size_t count, int32_t flags, int64_t timeout_ms, cohort_queue_t* queue,
                                uint64_t first_tag, cohort_answer_t* answers, cohort_error_t* error) {
  int64_t hits = 0;
  const cohort_status_t status = Fence(error, [&] {
    const bool peek = (flags & COHORT_GET_PEEK) != 0;
    Check check = CheckGet(group, nullptr, 0, flags);
    check.Also(CheckKeys(keys, keys_size, key_sizes, count));
    check.That(answers != nullptr || count == 0, "answers is NULL");
    if (!peek || queue != nullptr) check.Handle(queue, "queue");
    if (!check.ok()) return check.status();
    if (group->group->refusing()) return ClosedGroup(*group->group);
    const std::shared_ptr<EventQueue> events = peek ? nullptr : queue->queue;
    if (!peek && !events->EnterGets(*group->group, static_cast<int64_t>(count))) {
      return Status(Code::kClosed, "the queue is closed");
    }
    int64_t announced = static_cast<int64_t>(count);
    const char* key = keys;
    Source source = Source::kNone;
    // What is left to this thread is done last of all, when every key has begun.
    const LentThread lent((flags & COHORT_GET_LEND) != 0 ? Group::LentNs(ClampTimeout(timeout_ms)) : 0);
    Asks asks(group->group->context());  // What one peer is asked for travels together.
    Ahead ahead(group->group.get(), keys, key_sizes, count);
    for (size_t i = 0; i < count; key += key_sizes[i], ++i) {
      answers[i] = cohort_answer_t();
      const std::string_view this_key(key, static_cast<size_t>(key_sizes[i]));
      const Look look = group->group->BeginLook(ahead.HashOf(i));
      if (const HeldValue value = group->group->Lend(this_key, look.hash, asks.unix_time(), &source)) {
        ShowValue(value, source, &answers[i]);
        ++hits;
        continue;
      }
      const QueuePlace place{events, first_tag + i, false, true};
      Status failure;
      try {
        GetAnswer found;
        switch (group->group->Begin(
            this_key, look, flags & ~COHORT_GET_CAN_LEAD, ClampTimeout(timeout_ms), [&place] { return place.Make(); },
            &found, &asks)) {
          case Begun::kHit:
            ShowValue(HeldValue(std::move(found.value)), found.source, &answers[i]);
            ++hits;
            continue;
          case Begun::kPending:
            answers[i].ticket = found.ticket;
            --announced;
            continue;
          case Begun::kMiss:
            continue;
          default:
            failure = std::move(found.status);
        }
      } catch (...) {
        failure = Caught();
      }
      if (peek) continue;
      auto node = std::make_unique<EventNode>(EventKind::kGet, place.tag);
      Announced(events, std::move(node))(failure);
      --announced;
    }
    asks.Send();
    if (!peek) events->Leave(announced);
    return Status();
  });
  return status == COHORT_OK ? hits : -int64_t{status};
}

int32_t cohort_group_cancel(cohort_group_t* group, uint64_t ticket) {
  if (group == nullptr || group->inherited() || ticket == 0) return 0;
  return FenceQuiet<int32_t>(
      0, [&] { return group->group->EndWait(ticket, Code::kCancelled, "the get was cancelled") ? 1 : 0; });
}

int64_t cohort_group_try_copy(cohort_group_t* group, const char* key, size_t key_size, void* buf, size_t cap) {
  FoundCopy found;
  if (MayGlance(group, key, key_size) && buf != nullptr && AtAGlance::Copy(group, {key, key_size}, buf, cap, &found))
      [[likely]] {
    return found.size;
  }
  return CopySlowly(group, key, key_size, buf, cap);
}

cohort_value_t* cohort_group_lookup(cohort_group_t* group, const char* key, size_t key_size) {
  if (MayGlance(group, key, key_size)) [[likely]] {
    Source source = Source::kNone;
    if (const HeldValue value = AtAGlance::Lend(group, {key, key_size}, &source)) [[likely]] {
      return ToHandle(value);
    }
  }
  return LookUpSlowly(group, key, key_size);
}

uint64_t cohort_group_get_async(cohort_group_t* group, const char* key, size_t key_size, int32_t flags,
                                int64_t timeout_ms, cohort_get_fn done, void* user, cohort_error_t* error) {
  return FenceResult<uint64_t>(error, 0, [&]() -> Result<uint64_t> {
    Check check = CheckGet(group, key, key_size, flags);
    if (!check.NotNull(done, "done").ok()) return check.status();
    const std::shared_ptr<Group> own = group->group;  // The callback may free the handle.
    GetCall call(done, user, group->instance_id);
    GetAnswer found;
    const Begun begun = own->Begin(
        {key, key_size}, flags & ~COHORT_GET_CAN_LEAD, ClampTimeout(timeout_ms),
        [&] { return std::make_unique<CallbackWaiter>(std::move(call), &own->runtime().executor()); }, &found);
    if (begun == Begun::kPending) return found.ticket;
    if (begun == Begun::kFailed) {
      call.Dismiss();
      return std::move(found.status);
    }
    Outcome outcome;
    if (begun == Begun::kHit) {
      outcome.value = std::move(found.value);
      outcome.source = found.source;
    } else {
      outcome = Outcome::Failed(Code::kNotFound, "not in this process");
    }
    call(outcome);
    return kUsedTicket;
  });
}

cohort_value_t* cohort_group_get(cohort_group_t* group, const char* key, size_t key_size, int32_t flags,
                                 int64_t timeout_ms, cohort_error_t* error) {
  std::optional<Look> look;
  if (MayHit(group, key, key_size, flags)) {
    Source source = Source::kNone;
    if (LocalCache::MayGlance({key, key_size})) {
      if (const HeldValue value = AtAGlance::Lend(group, {key, key_size}, &source)) [[likely]] {
        ReportOk(error);
        return ToHandle(value);
      }
    }
    look = group->group->BeginLook(KeyHash({key, key_size}));
    if (const HeldValue value = WithACloserLook::Lend(group, {key, key_size}, &source)) [[likely]] {
      ReportOk(error);
      return ToHandle(value);
    }
  }
  return FenceResult<cohort_value_t*>(error, nullptr, [&]() -> Result<cohort_value_t*> {
    Check check = CheckGet(group, key, key_size, flags);
    if (!check.ok()) return check.status();
    Outcome outcome =
        group->group->Get({key, key_size}, flags, ClampTimeout(timeout_ms), look.has_value() ? &*look : nullptr);
    if (!outcome.ok()) return Status(outcome.code, std::string(outcome.message()));
    return ToHandle(std::move(outcome.value));
  });
}

}  // extern "C"
