#include "cluster/served_batch.h"

#include <algorithm>
#include <utility>

#include "cluster/life.h"
#include "cluster/text.h"

namespace cohort {
namespace {

// Values beyond this are asked for alone, so that one answer's size stays bounded. A batch of one has no limit.
constexpr int64_t kMaxValueBytes = int64_t{32} << 20;

}  // namespace

ServedBatch::ServedBatch(size_t entries, Clock& clock, Done done)
    : answers_(entries), left_(entries + 1), room_bytes_(kMaxValueBytes), clock_(clock), done_(std::move(done)) {}

void ServedBatch::Run(ServedGroups& groups, std::vector<wire::BatchEntry> entries, int64_t limit_ms, Clock& clock,
                      Done done) {
  const std::shared_ptr<ServedBatch> batch(new ServedBatch(entries.size(), clock, std::move(done)));
  std::shared_ptr<ServedGroup> group;
  const std::string* group_name = nullptr;
  for (size_t i = 0; i < entries.size(); ++i) {
    const wire::BatchEntry& entry = entries[i];
    if (group_name == nullptr || *group_name != entry.group) {
      group = groups.FindServed(entry.group);
      group_name = &entry.group;
    }
    if (!group) {
      batch->answers_[i].code = Code::kUnreachable;
      batch->answers_[i].message = "this node has no group " + Quoted(entry.group);
      batch->End();
      continue;
    }
    switch (entry.op) {
      case wire::BatchOp::kGet: {
        int64_t timeout_ms = entry.timeout_ms;
        if (limit_ms > 0) timeout_ms = timeout_ms > 0 ? std::min(timeout_ms, limit_ms) : limit_ms;
        group->ServeGet(entry.key, timeout_ms,
                        [batch, i](const ServedGroup::Answer& answer) { batch->EndGet(i, answer); });
        break;
      }
      case wire::BatchOp::kSet:
        group->ServeSet(entry.key, entry.value, ExpireAfterMs(entry.life_ms, clock.UnixNs()), true);
        batch->End();
        break;
      case wire::BatchOp::kRemove:
        group->ServeRemove(entry.key);
        batch->End();
        break;
    }
  }
  batch->End();
}

void ServedBatch::EndGet(size_t index, const ServedGroup::Answer& answer) {
  wire::BatchAnswer& out = answers_[index];
  out.code = answer.status.code();
  out.message = answer.status.message();
  // What failed here failed remotely for the asker; nobody here asks another node, so it can have failed nowhere else.
  if (out.code == Code::kRemoteFailed) out.code = Code::kInternal;
  if (out.code == Code::kLoadFailed) out.code = Code::kRemoteFailed;
  if (out.code == Code::kOk && !answer.value) {
    out.code = Code::kInternal;
    out.message = "the value is gone";
  }
  if (out.code == Code::kOk) {
    const auto bytes = static_cast<int64_t>(answer.value->bytes().size());
    if (answers_.size() > 1 && room_bytes_.fetch_sub(bytes) < bytes) {
      room_bytes_.fetch_add(bytes);
      out.code = Code::kTooLarge;
      out.message = "the values of this batch are too large to travel together";
    } else {
      out.value = answer.value->bytes();
      out.keep = answer.keep;
      out.life_ms = RemainingLifeMs(answer.value->expire_unix_ns(), clock_.UnixNs());
    }
  }
  End();
}

void ServedBatch::End() {
  if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_(std::move(answers_));
}

}  // namespace cohort
