#include "cluster/served_batch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cache/local_cache.h"
#include "cluster/life.h"
#include "cluster/text.h"

namespace cohort {
namespace {

// As long as a batch waits for its entries. Loads that take no longer cost no second request, and none that does costs
// the others more.
constexpr int64_t kMomentNs = 3'000'000;

// Gets that are looked up side by side.
constexpr size_t kSideBySide = LocalCache::kMostFetched;

// An answer that makes the asker load for itself.
ServedAnswer Failed(std::string why) {
  return {ServedAnswer::Kind::kGet, {Status(Code::kUnreachable, std::move(why)), ValueRef(), true}, 0};
}

}  // namespace

ServedBatch::ServedBatch(size_t entries, std::shared_ptr<ServedSession> session, Runtime& runtime, Done done)
    : runtime_(runtime), session_(std::move(session)), answers_(entries), left_(entries + 1), done_(std::move(done)) {}

void ServedBatch::Run(ServedGroups& groups, const std::vector<wire::BatchEntryView>& entries, int64_t limit_ms,
                      std::shared_ptr<ServedSession> session, Runtime& runtime, Done done) {
  const std::shared_ptr<ServedBatch> batch(
      new ServedBatch(entries.size(), std::move(session), runtime, std::move(done)));
  std::shared_ptr<ServedGroup> group;
  std::string_view group_name;
  size_t ended = 0;
  for (size_t i = 0; i < entries.size();) {
    const wire::BatchEntryView& entry = entries[i];
    if (i == 0 || group_name != entry.group) {
      group = groups.FindServed(entry.group);
      group_name = entry.group;
    }
    if (!group) {
      batch->answers_[i++] = Failed("this node has no group " + Quoted(entry.group));
      ++ended;
      continue;
    }
    switch (entry.op) {
      case wire::BatchOp::kGet: {
        size_t end = i + 1;
        while (end < entries.size() && end - i < kSideBySide && entries[end].op == wire::BatchOp::kGet &&
               entries[end].group == group_name) {
          ++end;
        }
        ended += batch->Get(group, entries, i, end, limit_ms);
        i = end;
        continue;
      }
      case wire::BatchOp::kSet:
        group->ServeSet(entry.key, entry.value, ExpireAfterMs(entry.life_ms, runtime.clock().UnixNs()), true);
        break;
      case wire::BatchOp::kRemove:
        group->ServeRemove(entry.key);
        break;
    }
    batch->answers_[i++].kind = ServedAnswer::Kind::kAck;
    ++ended;
  }
  batch->Begun(ended);
}

size_t ServedBatch::Get(const std::shared_ptr<ServedGroup>& group, const std::vector<wire::BatchEntryView>& entries,
                        size_t begin, size_t end, int64_t limit_ms) {
  std::array<std::string_view, kSideBySide> keys;
  std::array<ValueRef, kSideBySide> found;
  for (size_t i = begin; i < end; ++i) keys[i - begin] = entries[i].key;
  group->ServeHits(keys.data(), end - begin, found.data());
  size_t ended = 0;
  for (size_t i = begin; i < end; ++i) {
    if (found[i - begin]) {
      answers_[i].answer.value = std::move(found[i - begin]);
      ++ended;
      continue;
    }
    if (entries_.empty()) entries_.resize(answers_.size());
    int64_t timeout_ms = entries[i].timeout_ms;
    if (limit_ms > 0) timeout_ms = timeout_ms > 0 ? std::min(timeout_ms, limit_ms) : limit_ms;
    // Nobody looks at an entry's wait before the moment is over, and that begins after the last of them.
    const uint64_t wait =
        group->ServeGet(entries[i].key, timeout_ms, [batch = shared_from_this(), i](ServedGroup::Answer answer) {
          batch->End(i, {ServedAnswer::Kind::kGet, std::move(answer), 0});
        });
    if (wait == 0) continue;
    entries_[i].group = group;
    entries_[i].wait = wait;
  }
  return ended;
}

void ServedBatch::End(size_t index, ServedAnswer answer) {
  Done done;
  {
    std::unique_lock lock(mutex_);
    if (cut_) {
      const uint64_t ticket = answers_[index].ticket;
      lock.unlock();
      if (ticket != 0) session_->Ready(ticket, std::move(answer.answer));
      return;
    }
    entries_[index].ended = true;
    answers_[index] = std::move(answer);
    if (--left_ == 0) done = std::move(done_);
  }
  if (done) Answer(std::move(done));
}

void ServedBatch::Begun(size_t ended) {
  Done done;
  {
    std::lock_guard lock(mutex_);
    left_ -= ended + 1;
    if (left_ == 0) done = std::move(done_);
  }
  if (done) return Answer(std::move(done));
  if (!session_) return;
  // A batch that has been answered meanwhile is gone. What it answers may be large, and is no work for a timer's
  // thread.
  runtime_.timers().After(kMomentNs, [weak = weak_from_this()] {
    if (const std::shared_ptr<ServedBatch> batch = weak.lock()) {
      batch->runtime_.executor().Post([batch] { batch->Cut(); });
    }
  });
}

void ServedBatch::Cut() {
  Done done;
  std::vector<Entry> refused;  // Given up without the lock.
  {
    std::lock_guard lock(mutex_);
    if (!done_) return;
    cut_ = true;
    for (size_t i = 0; i < entries_.size(); ++i) {
      Entry& entry = entries_[i];
      if (entry.wait == 0 || entry.ended) continue;
      answers_[i].ticket = session_->Issue(entry.group, entry.wait);
      answers_[i].kind = ServedAnswer::Kind::kLater;
      if (answers_[i].ticket == 0) {
        answers_[i] = Failed("too many gets of one asker wait here");
        refused.push_back(std::move(entry));
      }
    }
    done = std::move(done_);
  }
  for (const Entry& entry : refused) entry.group->ServeCancel(entry.wait);
  Answer(std::move(done));
}

// Loads that have tickets keep the batch, but nothing of the others. Whoever ends one looks at its ticket alone.
void ServedBatch::Answer(Done done) {
  Body body = EncodeServedAnswers(&answers_, session_ ? session_->incarnation() : 0, runtime_.clock().UnixNs());
  entries_.clear();
  if (!cut_) answers_.clear();
  for (ServedAnswer& answer : answers_) answer.answer = {};
  done(std::move(body));
}

}  // namespace cohort
