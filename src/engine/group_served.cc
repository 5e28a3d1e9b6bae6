// What peers ask of this node. None of it asks another peer (P3): a key that this node does not own is answered from
// the cache or loaded here, and kept as a copy.
#include <utility>

#include "engine/group.h"

namespace cohort {

uint64_t Group::ServeGet(std::string_view key, int64_t timeout_ms, UniqueFunction<void(Answer)> done) {
  stats_.Add(Counter::kServedToPeers);
  if (!Owns(context_->peers(), key)) stats_.Add(Counter::kMisrouted);
  // Shared, because only one of the two ends happens: at once, or in the waiter.
  const auto end = std::make_shared<UniqueFunction<void(Answer)>>(std::move(done));
  GetAnswer answer;
  const Begun begun = Begin(
      key, kLocal, timeout_ms,
      [end] {
        return std::make_unique<CallbackWaiter>(
            [end](const Outcome& outcome) {
              if (outcome.ok()) {
                (*end)({Status(), outcome.value, outcome.keep});
              } else {
                (*end)({Status(outcome.code, std::string(outcome.message())), ValueRef(), true});
              }
            },
            nullptr);
      },
      &answer);
  if (begun == Begun::kHit) {
    (*end)({Status(), std::move(answer.value), true});
  } else if (begun == Begun::kFailed) {
    (*end)({std::move(answer.status), ValueRef(), true});
  }
  return begun == Begun::kPending ? answer.ticket : 0;
}

void Group::ServeCancel(uint64_t wait) { EndWait(wait, Code::kCancelled, "the asking peer waits no more"); }

void Group::ServeSet(std::string_view key, std::string_view value, int64_t expire_unix_ns, bool from_cohort) {
  stats_.Add(Counter::kSetsFromPeers);
  const bool mine = Owns(context_->peers(), key);
  const bool expired = expire_unix_ns != 0 && expire_unix_ns <= context_->NowUnixNs();
  if (refusing() || expired || (!mine && from_cohort)) {
    Drop(key);
    return;
  }
  Store(mine ? Tier::kMain : Tier::kHot, key, Value::Copy(key, value, expire_unix_ns));
}

void Group::ServeRemove(std::string_view key) {
  stats_.Add(Counter::kRemovesFromPeers);
  Drop(key);
}

}  // namespace cohort
