#include "wire/messages.h"

#include <cstring>
#include <limits>
#include <utility>

#include "wire/batch_reader.h"
#include "wire/cohort_wire.pb.h"
#include "wire/writing.h"

namespace cohort::wire {
namespace {

Status BadFormat() { return Status(Code::kInvalidArgument, "proto: cannot parse invalid wire-format data"); }

// Required fields are looked at afterwards, so that the error can name them.
template <typename Message>
bool Parse(std::string_view body, Message* message) {
  return body.size() <= static_cast<size_t>(std::numeric_limits<int>::max()) &&
         message->ParsePartialFromArray(body.data(), static_cast<int>(body.size()));
}

size_t EntryBytes(const BatchEntryView& entry) {
  size_t bytes =
      IntBytes(static_cast<int64_t>(entry.op)) + BytesBytes(entry.group.size()) + BytesBytes(entry.key.size());
  if (!entry.value.empty()) bytes += BytesBytes(entry.value.size());
  if (entry.life_ms >= 0) bytes += IntBytes(entry.life_ms);
  if (entry.timeout_ms > 0) bytes += IntBytes(entry.timeout_ms);
  return bytes;
}

// With its tag and size. All but a value goes there in one piece, unless the names are long.
void AppendEntry(const BatchEntryView& entry, std::string* out) {
  using Entry = Batch::Entry;
  constexpr size_t kNames = 200;
  char bytes[kNames + 7 * kMostTaggedBytes];  // What is not in the body yet.
  char* end = PutTagged(Batch::kEntriesFieldNumber, kFieldBytes, EntryBytes(entry), bytes);
  const auto move_out = [&] { out->append(bytes, static_cast<size_t>(std::exchange(end, bytes) - bytes)); };
  const bool is_short = entry.group.size() + entry.key.size() <= kNames;
  const auto put = [&](int field, std::string_view text, bool here) {
    end = PutTagged(field, kFieldBytes, text.size(), end);
    if (here) {
      if (!text.empty()) std::memcpy(end, text.data(), text.size());
      end += text.size();
    } else {
      move_out();
      out->append(text);
    }
  };
  end = PutTagged(Entry::kOpFieldNumber, kFieldVarint, static_cast<uint64_t>(entry.op), end);
  put(Entry::kGroupFieldNumber, entry.group, is_short);
  put(Entry::kKeyFieldNumber, entry.key, is_short);
  if (!entry.value.empty()) put(Entry::kValueFieldNumber, entry.value, false);
  if (entry.life_ms >= 0) {
    end = PutTagged(Entry::kLifeMsFieldNumber, kFieldVarint, static_cast<uint64_t>(entry.life_ms), end);
  }
  if (entry.timeout_ms > 0) {
    end = PutTagged(Entry::kTimeoutMsFieldNumber, kFieldVarint, static_cast<uint64_t>(entry.timeout_ms), end);
  }
  move_out();
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

Result<GetResponse> DecodeGetResponse(std::string_view body) {
  ValueReply message;
  if (!Parse(body, &message)) return BadFormat();
  GetResponse response;
  response.value = std::move(*message.mutable_value());
  response.expire_unix_ns = message.expire();
  return response;
}

Result<GetResponseView> ViewGetResponse(std::string_view body) {
  GetResponseView response;
  if (!ReadGetResponse(body, &response)) return BadFormat();
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
  size_t all = note_bytes + kMostTaggedBytes;
  for (const BatchEntryView& entry : entries) {
    all += 4 * kMostTaggedBytes + entry.group.size() + entry.key.size() + entry.value.size();  // About.
  }
  std::string out;
  out.reserve(all);
  for (const BatchEntryView& entry : entries) AppendEntry(entry, &out);
  if (session.id != 0) {
    AppendBytesHead(Batch::kSessionFieldNumber, note_bytes, &out);
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
