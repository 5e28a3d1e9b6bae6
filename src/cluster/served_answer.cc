#include "cluster/served_answer.h"

#include "cluster/life.h"

namespace cohort {
namespace {

constexpr std::string_view kValueIsGone = "the value is gone";
constexpr std::string_view kTooLarge = "the values of this batch are too large to travel together";

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

std::string EncodeServedAnswers(const std::vector<ServedAnswer>& answers, uint64_t incarnation, int64_t now_unix_ns) {
  std::vector<wire::BatchAnswerView> views;
  views.reserve(answers.size());
  int64_t room_bytes = kMaxValuesBytes;
  for (const ServedAnswer& served : answers) {
    wire::BatchAnswerView view;
    if (served.kind == ServedAnswer::Kind::kGet) view = ViewOf(served.answer, now_unix_ns);
    view.ticket = served.ticket;
    const auto bytes = static_cast<int64_t>(view.value.size());
    if (answers.size() > 1 && bytes > room_bytes) {
      view.code = Code::kTooLarge;
      view.message = kTooLarge;
      view.value = {};
      view.life_ms = -1;
      view.keep = true;
    } else {
      room_bytes -= bytes;
    }
    views.push_back(view);
  }
  return wire::EncodeBatchAnswers(views, incarnation);
}

}  // namespace cohort
