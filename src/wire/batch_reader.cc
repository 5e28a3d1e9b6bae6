#include "wire/batch_reader.h"

#include <algorithm>
#include <limits>

#include "wire/cohort_wire.pb.h"

namespace cohort::wire {
namespace {

constexpr uint32_t kStartGroup = 3;
constexpr uint32_t kEndGroup = 4;
constexpr int kMaxDepth = 100;  // Protobuf's own.

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return value;
}

// A repeated fixed64 comes packed or one by one, whatever the schema says.
bool ReadTickets(const Field& field, std::vector<uint64_t>* tickets) {
  if (field.type == Field::kFixed64) {
    tickets->push_back(field.value);
    return true;
  }
  if (field.type != Field::kBytes) return true;
  if (field.bytes.size() % 8 != 0) return false;
  for (size_t i = 0; i < field.bytes.size(); i += 8) tickets->push_back(LittleEndian(field.bytes.substr(i, 8)));
  return true;
}

bool ReadSession(std::string_view message, Session* session) {
  FieldReader reader(message);
  for (Field field; reader.Next(&field);) {
    if (field.number == SessionNote::kIdFieldNumber && field.type == Field::kFixed64) {
      session->id = field.value;
    } else if (field.number == SessionNote::kReceivedFieldNumber) {
      if (!ReadTickets(field, &session->received)) return false;
    } else if (field.number == SessionNote::kDroppedFieldNumber) {
      if (!ReadTickets(field, &session->dropped)) return false;
    }
  }
  return !reader.broken();
}

// A field of that number with a payload of that type.
constexpr uint32_t Tag(int number, uint32_t type) { return static_cast<uint32_t>(number) << 3 | type; }

bool ReadEntry(std::string_view message, BatchEntryView* entry) {
  using Entry = Batch::Entry;
  entry->op = static_cast<BatchOp>(0);
  FieldReader reader(message);
  for (Field field; reader.Next(&field);) {
    const auto number = static_cast<int64_t>(field.value);
    switch (field.number << 3 | field.type) {
      case Tag(Entry::kOpFieldNumber, Field::kVarint):
        entry->op = static_cast<BatchOp>(static_cast<int32_t>(number));
        break;
      case Tag(Entry::kGroupFieldNumber, Field::kBytes):
        entry->group = field.bytes;
        break;
      case Tag(Entry::kKeyFieldNumber, Field::kBytes):
        entry->key = field.bytes;
        break;
      case Tag(Entry::kValueFieldNumber, Field::kBytes):
        entry->value = field.bytes;
        break;
      case Tag(Entry::kLifeMsFieldNumber, Field::kVarint):
        entry->life_ms = number >= 0 ? number : -1;
        break;
      case Tag(Entry::kTimeoutMsFieldNumber, Field::kVarint):
        entry->timeout_ms = number > 0 ? number : 0;
        break;
      default:
        break;
    }
  }
  return !reader.broken();
}

// A code of a newer node is no final answer here: the asker loads for itself.
Code ToCode(int32_t code) {
  const bool known = code >= static_cast<int32_t>(Code::kOk) && code <= static_cast<int32_t>(Code::kInternal);
  return known ? static_cast<Code>(code) : Code::kInternal;
}

bool ReadAnswer(std::string_view message, BatchAnswerView* answer) {
  using Answer = BatchAnswers::Answer;
  FieldReader reader(message);
  for (Field field; reader.Next(&field);) {
    if (field.type == Field::kBytes) {
      if (field.number == Answer::kMessageFieldNumber) answer->message = field.bytes;
      if (field.number == Answer::kValueFieldNumber) answer->value = field.bytes;
    } else if (field.type == Field::kVarint) {
      const auto number = static_cast<int64_t>(field.value);
      if (field.number == Answer::kCodeFieldNumber) answer->code = ToCode(static_cast<int32_t>(number));
      if (field.number == Answer::kLifeMsFieldNumber) answer->life_ms = number >= 0 ? number : -1;
      if (field.number == Answer::kDiscardFieldNumber) answer->keep = number == 0;
    } else if (field.type == Field::kFixed64 && field.number == Answer::kTicketFieldNumber) {
      answer->ticket = field.value;
    }
  }
  return !reader.broken();
}

bool FitsProtobuf(std::string_view body) { return body.size() <= static_cast<size_t>(std::numeric_limits<int>::max()); }

}  // namespace

// ---- fields

bool FieldReader::ReadVarint(unsigned most, uint64_t* value) {
  uint64_t read = 0;
  for (unsigned i = 0; i < most; ++i) {
    if (at_ == end_) return false;
    const auto byte = static_cast<uint8_t>(*at_++);
    read |= static_cast<uint64_t>(byte & 0x7F) << 7 * i;  // What does not fit is lost, as in protobuf.
    if (byte < 0x80) {
      *value = read;
      return true;
    }
  }
  return false;
}

// Protobuf takes no size of 2 GiB or more.
bool FieldReader::ReadSize(size_t* size) {
  uint64_t read = 0;
  if (!ReadVarint(5, &read) || read > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) return false;
  *size = static_cast<size_t>(read);
  return true;
}

bool FieldReader::ReadBytes(size_t size, std::string_view* bytes) {
  if (size > static_cast<size_t>(end_ - at_)) return false;
  *bytes = {at_, size};
  at_ += size;
  return true;
}

bool FieldReader::ReadTag(uint32_t* number, uint32_t* type) {
  uint64_t tag = 0;
  if (!ReadVarint(5, &tag)) return false;
  *number = static_cast<uint32_t>(tag) >> 3;
  *type = static_cast<uint32_t>(tag & 7);
  return *number != 0;
}

bool FieldReader::ReadPayload(uint32_t number, uint32_t type, int depth, Field* field) {
  switch (type) {
    case Field::kVarint:
      return ReadVarint(10, &field->value);
    case Field::kFixed64:
    case Field::kFixed32:
      if (!ReadBytes(type == Field::kFixed64 ? 8 : 4, &field->bytes)) return false;
      field->value = LittleEndian(field->bytes);
      return true;
    case Field::kBytes: {
      size_t size = 0;
      return ReadSize(&size) && ReadBytes(size, &field->bytes);
    }
    case kStartGroup:
      return SkipGroup(number, depth + 1);
    default:
      return false;
  }
}

bool FieldReader::SkipGroup(uint32_t number, int depth) {
  if (depth > kMaxDepth) return false;
  for (;;) {
    uint32_t inner = 0;
    uint32_t type = 0;
    if (!ReadTag(&inner, &type)) return false;
    if (type == kEndGroup) return inner == number;
    Field skipped;
    if (!ReadPayload(inner, type, depth, &skipped)) return false;
  }
}

bool FieldReader::NextAny(Field* field) {
  broken_ = !ReadTag(&field->number, &field->type) || !ReadPayload(field->number, field->type, 0, field);
  if (broken_) at_ = end_;
  return !broken_;
}

// ---- messages

namespace {

// All entries of a message are about as long as its first: room for them is made once. Not for more than a body of
// short ones needs, whoever says what.
template <typename Views>
void MakeRoom(std::string_view body, size_t first_bytes, Views* views) {
  constexpr size_t kMostGuessed = 1024;
  constexpr size_t kFewestBytes = 8;
  if (views->empty()) views->reserve(std::min(body.size() / std::max(first_bytes, kFewestBytes) + 1, kMostGuessed));
}

}  // namespace

bool ReadGetResponse(std::string_view body, GetResponseView* response) {
  FieldReader reader(body);
  for (Field field; reader.Next(&field);) {
    if (field.number == ValueReply::kValueFieldNumber && field.type == Field::kBytes) {
      response->value = field.bytes;
    } else if (field.number == ValueReply::kExpireFieldNumber && field.type == Field::kVarint) {
      response->expire_unix_ns = static_cast<int64_t>(field.value);
    }
  }
  return !reader.broken() && FitsProtobuf(body);
}

bool ReadBatch(std::string_view body, std::vector<BatchEntryView>* entries, Session* session) {
  FieldReader reader(body);
  for (Field field; reader.Next(&field);) {
    if (field.type != Field::kBytes) continue;
    if (field.number == Batch::kEntriesFieldNumber) {
      MakeRoom(body, field.bytes.size(), entries);
      if (!ReadEntry(field.bytes, &entries->emplace_back())) return false;
    }
    if (field.number == Batch::kSessionFieldNumber && !ReadSession(field.bytes, session)) return false;
  }
  return !reader.broken() && FitsProtobuf(body);
}

bool ReadBatchAnswers(std::string_view body, std::vector<BatchAnswerView>* answers, uint64_t* incarnation) {
  FieldReader reader(body);
  for (Field field; reader.Next(&field);) {
    if (field.number == BatchAnswers::kAnswersFieldNumber && field.type == Field::kBytes) {
      MakeRoom(body, field.bytes.size(), answers);
      if (!ReadAnswer(field.bytes, &answers->emplace_back())) return false;
    } else if (field.number == BatchAnswers::kIncarnationFieldNumber && field.type == Field::kFixed64) {
      *incarnation = field.value;
    }
  }
  return !reader.broken() && FitsProtobuf(body);
}

}  // namespace cohort::wire
