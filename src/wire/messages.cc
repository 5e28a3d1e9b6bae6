#include "wire/messages.h"

#include <google/protobuf/io/coded_stream.h>

#include <limits>
#include <utility>

#include "wire/batch_reader.h"
#include "wire/cohort_wire.pb.h"

namespace cohort::wire {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr uint8_t kFieldBytes = 2;  // The wire types of a protobuf tag.
constexpr uint8_t kFieldVarint = 0;
constexpr uint8_t kFieldFixed64 = 1;

Status BadFormat() { return Status(Code::kInvalidArgument, "proto: cannot parse invalid wire-format data"); }

// Required fields are looked at afterwards, so that the error can name them.
template <typename Message>
bool Parse(std::string_view body, Message* message) {
  return body.size() <= static_cast<size_t>(std::numeric_limits<int>::max()) &&
         message->ParsePartialFromArray(body.data(), static_cast<int>(body.size()));
}

void AppendVarint(uint64_t value, std::string* out) {
  uint8_t bytes[10];
  const uint8_t* end = CodedOutputStream::WriteVarint64ToArray(value, bytes);
  for (const uint8_t* at = bytes; at != end; ++at) out->push_back(static_cast<char>(*at));
}

// The messages that carry whole values are written by hand: their bytes are copied once, into the body.
void AppendBytes(int field, std::string_view bytes, std::string* out) {
  out->push_back(static_cast<char>((field << 3) | kFieldBytes));
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

void AppendInt(int field, int64_t value, std::string* out) {
  out->push_back(static_cast<char>((field << 3) | kFieldVarint));
  AppendVarint(static_cast<uint64_t>(value), out);
}

void AppendFixed64(int field, uint64_t value, std::string* out) {
  uint8_t bytes[8];
  CodedOutputStream::WriteLittleEndian64ToArray(value, bytes);
  out->push_back(static_cast<char>((field << 3) | kFieldFixed64));
  out->append(bytes, bytes + sizeof bytes);
}

size_t VarintBytes(uint64_t value) { return CodedOutputStream::VarintSize64(value); }
size_t BytesBytes(std::string_view bytes) { return 1 + VarintBytes(bytes.size()) + bytes.size(); }
size_t IntBytes(int64_t value) { return 1 + VarintBytes(static_cast<uint64_t>(value)); }

size_t EntryBytes(const BatchEntryView& entry) {
  size_t bytes = IntBytes(static_cast<int64_t>(entry.op)) + BytesBytes(entry.group) + BytesBytes(entry.key);
  if (!entry.value.empty()) bytes += BytesBytes(entry.value);
  if (entry.life_ms >= 0) bytes += IntBytes(entry.life_ms);
  if (entry.timeout_ms > 0) bytes += IntBytes(entry.timeout_ms);
  return bytes;
}

void AppendEntry(const BatchEntryView& entry, std::string* out) {
  using Entry = Batch::Entry;
  AppendInt(Entry::kOpFieldNumber, static_cast<int64_t>(entry.op), out);
  AppendBytes(Entry::kGroupFieldNumber, entry.group, out);
  AppendBytes(Entry::kKeyFieldNumber, entry.key, out);
  if (!entry.value.empty()) AppendBytes(Entry::kValueFieldNumber, entry.value, out);
  if (entry.life_ms >= 0) AppendInt(Entry::kLifeMsFieldNumber, entry.life_ms, out);
  if (entry.timeout_ms > 0) AppendInt(Entry::kTimeoutMsFieldNumber, entry.timeout_ms, out);
}

size_t AnswerBytes(const BatchAnswerView& answer) {
  size_t bytes = 0;
  if (answer.code != Code::kOk) bytes += IntBytes(static_cast<int64_t>(answer.code));
  if (!answer.message.empty()) bytes += BytesBytes(answer.message);
  if (!answer.value.empty()) bytes += BytesBytes(answer.value);
  if (answer.life_ms >= 0) bytes += IntBytes(answer.life_ms);
  if (!answer.keep) bytes += IntBytes(1);
  if (answer.ticket != 0) bytes += 9;
  return bytes;
}

void AppendAnswer(const BatchAnswerView& answer, std::string* out) {
  using Answer = BatchAnswers::Answer;
  if (answer.code != Code::kOk) AppendInt(Answer::kCodeFieldNumber, static_cast<int64_t>(answer.code), out);
  if (!answer.message.empty()) AppendBytes(Answer::kMessageFieldNumber, answer.message, out);
  if (!answer.value.empty()) AppendBytes(Answer::kValueFieldNumber, answer.value, out);
  if (answer.life_ms >= 0) AppendInt(Answer::kLifeMsFieldNumber, answer.life_ms, out);
  if (!answer.keep) AppendInt(Answer::kDiscardFieldNumber, 1, out);
  if (answer.ticket != 0) AppendFixed64(Answer::kTicketFieldNumber, answer.ticket, out);
}

void ToMessage(const Session& session, SessionNote* out) {
  out->set_id(session.id);
  for (const uint64_t ticket : session.received) out->add_received(ticket);
  for (const uint64_t ticket : session.dropped) out->add_dropped(ticket);
}

Session FromMessage(const SessionNote& in) {
  Session session;
  session.id = in.id();
  session.received.assign(in.received().begin(), in.received().end());
  session.dropped.assign(in.dropped().begin(), in.dropped().end());
  return session;
}

}  // namespace

std::string EncodeGetResponse(std::string_view value, int64_t expire_unix_ns) {
  std::string out;
  out.reserve(value.size() + 22);
  AppendBytes(ValueReply::kValueFieldNumber, value, &out);
  AppendInt(ValueReply::kExpireFieldNumber, expire_unix_ns, &out);
  return out;
}

Result<GetResponse> DecodeGetResponse(std::string_view body) {
  ValueReply message;
  if (!Parse(body, &message)) return BadFormat();
  GetResponse response;
  response.value = std::move(*message.mutable_value());
  response.expire_unix_ns = message.expire();
  return response;
}

std::string EncodeSetRequest(std::string_view group, std::string_view key, std::string_view value,
                             int64_t expire_unix_ns) {
  std::string out;
  out.reserve(group.size() + key.size() + value.size() + 44);
  AppendBytes(PutBody::kGroupFieldNumber, group, &out);
  AppendBytes(PutBody::kKeyFieldNumber, key, &out);
  AppendBytes(PutBody::kValueFieldNumber, value, &out);
  AppendInt(PutBody::kExpireFieldNumber, expire_unix_ns, &out);
  return out;
}

Result<SetRequest> DecodeSetRequest(std::string_view body) {
  PutBody message;
  if (!Parse(body, &message)) return BadFormat();
  if (!message.has_group()) {
    return Status(Code::kInvalidArgument, "proto: required field pb.SetRequest.group not set");
  }
  if (!message.has_key()) return Status(Code::kInvalidArgument, "proto: required field pb.SetRequest.key not set");
  SetRequest request;
  request.group = std::move(*message.mutable_group());
  request.key = std::move(*message.mutable_key());
  request.value = std::move(*message.mutable_value());
  request.expire_unix_ns = message.expire();
  return request;
}

std::string EncodeBatch(const std::vector<BatchEntryView>& entries, const Session& session) {
  SessionNote note;
  if (session.id != 0) ToMessage(session, &note);
  const size_t note_bytes = session.id != 0 ? note.ByteSizeLong() : 0;
  size_t all = note_bytes + 6;
  for (const BatchEntryView& entry : entries) all += EntryBytes(entry) + 6;
  std::string out;
  out.reserve(all);
  for (const BatchEntryView& entry : entries) {
    out.push_back(static_cast<char>((Batch::kEntriesFieldNumber << 3) | kFieldBytes));
    AppendVarint(EntryBytes(entry), &out);
    AppendEntry(entry, &out);
  }
  if (session.id != 0) {
    out.push_back(static_cast<char>((Batch::kSessionFieldNumber << 3) | kFieldBytes));
    AppendVarint(note_bytes, &out);
    note.AppendPartialToString(&out);
  }
  return out;
}

std::string EncodeBatch(const std::vector<BatchEntry>& entries, const Session& session) {
  std::vector<BatchEntryView> views;
  views.reserve(entries.size());
  for (const BatchEntry& entry : entries) {
    views.push_back({entry.op, entry.group, entry.key, entry.value, entry.life_ms, entry.timeout_ms});
  }
  return EncodeBatch(views, session);
}

Result<std::vector<BatchEntryView>> ViewBatch(std::string_view body, Session* session) {
  std::vector<BatchEntryView> entries;
  if (!ReadBatch(body, &entries, session)) return BadFormat();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].op < BatchOp::kGet || entries[i].op > BatchOp::kRemove) {
      return Status(Code::kInvalidArgument, "entry " + std::to_string(i) + " of the batch has operation " +
                                                std::to_string(static_cast<int32_t>(entries[i].op)) +
                                                ", which this node does not know");
    }
  }
  return entries;
}

Result<std::vector<BatchEntry>> DecodeBatch(std::string_view body, Session* session) {
  Session note;
  const Result<std::vector<BatchEntryView>> views = ViewBatch(body, &note);
  if (!views.ok()) return views.status();
  if (session != nullptr) *session = std::move(note);
  std::vector<BatchEntry> entries;
  entries.reserve(views->size());
  for (const BatchEntryView& view : *views) {
    entries.push_back({view.op, std::string(view.group), std::string(view.key), std::string(view.value), view.life_ms,
                       view.timeout_ms});
  }
  return entries;
}

std::string EncodeCollect(const Session& session, int64_t wait_ms) {
  Collect message;
  ToMessage(session, message.mutable_session());
  if (wait_ms > 0) message.set_wait_ms(wait_ms);
  return message.SerializePartialAsString();
}

Result<Session> DecodeCollect(std::string_view body, int64_t* wait_ms) {
  Collect message;
  if (!Parse(body, &message)) return BadFormat();
  *wait_ms = message.wait_ms();
  return FromMessage(message.session());
}

std::string EncodeBatchAnswers(const std::vector<BatchAnswerView>& answers, uint64_t incarnation) {
  std::vector<size_t> sizes;
  sizes.reserve(answers.size());
  size_t all = 9;
  for (const BatchAnswerView& answer : answers) {
    sizes.push_back(AnswerBytes(answer));
    all += 1 + VarintBytes(sizes.back()) + sizes.back();
  }
  std::string out;
  out.reserve(all);
  for (size_t i = 0; i < answers.size(); ++i) {
    out.push_back(static_cast<char>((BatchAnswers::kAnswersFieldNumber << 3) | kFieldBytes));
    AppendVarint(sizes[i], &out);
    AppendAnswer(answers[i], &out);
  }
  if (incarnation != 0) AppendFixed64(BatchAnswers::kIncarnationFieldNumber, incarnation, &out);
  return out;
}

std::string EncodeBatchAnswers(const std::vector<BatchAnswer>& answers, uint64_t incarnation) {
  std::vector<BatchAnswerView> views;
  views.reserve(answers.size());
  for (const BatchAnswer& answer : answers) {
    views.push_back(ToView(answer));
  }
  return EncodeBatchAnswers(views, incarnation);
}

Result<std::vector<BatchAnswerView>> ViewBatchAnswers(std::string_view body, uint64_t* incarnation) {
  std::vector<BatchAnswerView> answers;
  if (!ReadBatchAnswers(body, &answers, incarnation)) return BadFormat();
  return answers;
}

Result<std::vector<BatchAnswer>> DecodeBatchAnswers(std::string_view body, uint64_t* incarnation) {
  uint64_t of_session = 0;
  const Result<std::vector<BatchAnswerView>> views = ViewBatchAnswers(body, &of_session);
  if (!views.ok()) return views.status();
  if (incarnation != nullptr) *incarnation = of_session;
  std::vector<BatchAnswer> answers;
  answers.reserve(views->size());
  for (const BatchAnswerView& view : *views) answers.push_back(ToOwned(view));
  return answers;
}

}  // namespace cohort::wire
