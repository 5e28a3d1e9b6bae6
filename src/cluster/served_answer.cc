#include "cluster/served_answer.h"

#include <utility>

#include "cluster/life.h"
#include "wire/value_bodies.h"

namespace cohort {
namespace {

constexpr std::string_view kValueIsGone = "the value is gone";
constexpr std::string_view kTooLarge = "the values of this batch are too large to travel together";

// From this size on a value is sent from its own memory. Where that begins to pay was measured with 10,000 values and
// batches of 100 (tests/bench, GetMany), in microseconds of the owner's CPU per key, copied and lent: 0.36 and 0.47 at
// 256 bytes, 0.43 and 0.43 at 1 KiB, 0.70 and 0.52 at 2 KiB, 3.1 and 2.2 at 16 KiB.
constexpr size_t kLentBytes = 1536;

bool IsLent(const Value& value) { return value.bytes().size() >= kLentBytes; }

Hold HoldOf(ValueRef value) {
  return {value.release(), [](void* held) { static_cast<Value*>(held)->Unref(); }};
}

wire::BatchAnswerView ViewOf(const ServedGroup::Answer& answer, int64_t now_unix_ns) {
  wire::BatchAnswerView view;
  view.code = answer.status.code();
  view.message = answer.status.message();
  // What failed here failed remotely for the asker; nobody here asks another node, so it can have failed nowhere else.
  if (view.code == Code::kRemoteFailed) view.code = Code::kInternal;
  if (view.code == Code::kLoadFailed) view.code = Code::kRemoteFailed;
  if (view.code != Code::kOk) return view;
  if (!answer.value) {
    view.code = Code::kInternal;
    view.message = kValueIsGone;
    return view;
  }
  view.value = answer.value->bytes();
  view.keep = answer.keep;
  view.life_ms = RemainingLifeMs(answer.value->expire_unix_ns(), now_unix_ns);
  return view;
}

}  // namespace

Body EncodeServedAnswers(std::vector<ServedAnswer>* answers, uint64_t incarnation, int64_t now_unix_ns) {
  size_t copied_bytes = 0;
  size_t lent = 0;
  for (const ServedAnswer& served : *answers) {
    copied_bytes += served.answer.status.message().size();
    if (!served.answer.value) continue;
    if (IsLent(*served.answer.value)) {
      ++lent;
    } else {
      copied_bytes += served.answer.value->bytes().size();
    }
  }
  wire::BatchAnswersWriter writer(answers->size(), copied_bytes, lent);
  int64_t room_bytes = kMaxValuesBytes;
  for (ServedAnswer& served : *answers) {
    wire::BatchAnswerView view;
    if (served.kind == ServedAnswer::Kind::kGet) view = ViewOf(served.answer, now_unix_ns);
    view.ticket = served.ticket;
    const auto bytes = static_cast<int64_t>(view.value.size());
    if (answers->size() > 1 && bytes > room_bytes) {
      view.code = Code::kTooLarge;
      view.message = kTooLarge;
      view.value = {};
      view.life_ms = -1;
      view.keep = true;
    } else {
      room_bytes -= bytes;
    }
    if (!view.value.empty() && IsLent(*served.answer.value)) {
      writer.Lend(view, HoldOf(std::move(served.answer.value)));
    } else {
      writer.Add(view);
    }
  }
  return std::move(writer).Finish(incarnation);
}

Body EncodeServedValue(ValueRef value, int64_t expire_unix_ns) {
  if (!IsLent(*value)) return wire::EncodeGetResponse(value->bytes(), expire_unix_ns);
  const std::string_view bytes = value->bytes();
  return wire::LendGetResponse(bytes, HoldOf(std::move(value)), expire_unix_ns);
}

}  // namespace cohort
