#include "wire/value_bodies.h"

#include <utility>

#include "wire/cohort_wire.pb.h"
#include "wire/writing.h"

namespace cohort::wire {
namespace {

using Answer = BatchAnswers::Answer;

size_t AnswerBytes(const BatchAnswerView& answer) {
  size_t bytes = 0;
  if (answer.code != Code::kOk) bytes += IntBytes(static_cast<int64_t>(answer.code));
  if (!answer.message.empty()) bytes += BytesBytes(answer.message.size());
  if (!answer.value.empty()) bytes += BytesBytes(answer.value.size());
  if (answer.life_ms >= 0) bytes += IntBytes(answer.life_ms);
  if (!answer.keep) bytes += IntBytes(1);
  if (answer.ticket != 0) bytes += kFixed64Bytes;
  return bytes;
}

}  // namespace

std::string EncodeGetResponse(std::string_view value, int64_t expire_unix_ns) {
  std::string out;
  out.reserve(value.size() + 22);
  AppendBytes(ValueReply::kValueFieldNumber, value, &out);
  AppendInt(ValueReply::kExpireFieldNumber, expire_unix_ns, &out);
  return out;
}

Body LendGetResponse(std::string_view value, Hold hold, int64_t expire_unix_ns) {
  Body body;
  AppendBytesHead(ValueReply::kValueFieldNumber, value.size(), &body.own());
  body.Lend(value, std::move(hold));
  AppendInt(ValueReply::kExpireFieldNumber, expire_unix_ns, &body.own());
  return body;
}

BatchAnswersWriter::BatchAnswersWriter(size_t answers, size_t copied_bytes, size_t lent) {
  constexpr size_t kUsualHeadBytes = 16;
  body_.own().reserve(kFixed64Bytes + answers * kUsualHeadBytes + copied_bytes);
  body_.ReserveLent(lent);
}

void BatchAnswersWriter::Write(const BatchAnswerView& answer, bool copy, Hold hold) {
  std::string& own = body_.own();
  char bytes[4 * kMostTaggedBytes];  // What is not in the body yet.
  char* end = PutTagged(BatchAnswers::kAnswersFieldNumber, kFieldBytes, AnswerBytes(answer), bytes);
  if (answer.code != Code::kOk) {
    end = PutTagged(Answer::kCodeFieldNumber, kFieldVarint, static_cast<uint64_t>(answer.code), end);
  }
  if (!answer.message.empty()) {
    own.append(bytes, static_cast<size_t>(end - bytes));
    AppendBytes(Answer::kMessageFieldNumber, answer.message, &own);
    end = bytes;
  }
  if (!answer.value.empty()) {
    end = PutTagged(Answer::kValueFieldNumber, kFieldBytes, answer.value.size(), end);
    own.append(bytes, static_cast<size_t>(end - bytes));
    if (copy) {
      own.append(answer.value);
    } else {
      body_.Lend(answer.value, std::move(hold));
    }
    end = bytes;
  }
  if (answer.life_ms >= 0) {
    end = PutTagged(Answer::kLifeMsFieldNumber, kFieldVarint, static_cast<uint64_t>(answer.life_ms), end);
  }
  if (!answer.keep) end = PutTagged(Answer::kDiscardFieldNumber, kFieldVarint, 1, end);
  if (end != bytes) own.append(bytes, static_cast<size_t>(end - bytes));
  if (answer.ticket != 0) AppendFixed64(Answer::kTicketFieldNumber, answer.ticket, &own);
}

Body BatchAnswersWriter::Finish(uint64_t incarnation) && {
  if (incarnation != 0) AppendFixed64(BatchAnswers::kIncarnationFieldNumber, incarnation, &body_.own());
  return std::move(body_);
}

std::string EncodeBatchAnswers(const std::vector<BatchAnswerView>& answers, uint64_t incarnation) {
  size_t bytes = 0;
  for (const BatchAnswerView& answer : answers) bytes += answer.message.size() + answer.value.size();
  BatchAnswersWriter writer(answers.size(), bytes, 0);
  for (const BatchAnswerView& answer : answers) writer.Add(answer);
  return std::move(writer).Finish(incarnation).Whole();
}

}  // namespace cohort::wire
