// BatchReader reads the bodies of batches, of their answers and of plain answers field by field, because these carry
// most of what members say to each other: names and values stay where they came, and nothing is allocated for them. It
// takes what protobuf's own parser takes, and refuses the rest: unknown fields are skipped, and numbers may be written
// longer than they need, a tag or a size in up to five bytes, any other in up to ten.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "wire/messages.h"

namespace cohort::wire {

// What one field of a message holds. `bytes` points into the message.
struct Field {
  uint32_t number = 0;
  uint32_t type = 0;  // kVarint, ...
  uint64_t value = 0;
  std::string_view bytes;

  static constexpr uint32_t kVarint = 0;
  static constexpr uint32_t kFixed64 = 1;
  static constexpr uint32_t kBytes = 2;
  static constexpr uint32_t kFixed32 = 5;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : at_(message.data()), end_(message.data() + message.size()) {}

  // The next field; false at the end, or where the message is broken.
  bool Next(Field* field) {
    if (at_ == end_) return false;
    return NextShort(field) || NextAny(field);
  }
  bool broken() const { return broken_; }

 private:
  // Most fields have a tag of one byte and a number of one or two behind it. False, and nothing read: not this one.
  bool NextShort(Field* field);
  bool NextAny(Field* field);
  // False: it is longer than `most` bytes.
  bool ReadVarint(unsigned most, uint64_t* value);
  bool ReadSize(size_t* size);
  bool ReadBytes(size_t size, std::string_view* bytes);
  // Groups are of protobuf's past: they are skipped with all that is in them.
  bool SkipGroup(uint32_t number, int depth);
  bool ReadTag(uint32_t* number, uint32_t* type);
  bool ReadPayload(uint32_t number, uint32_t type, int depth, Field* field);

  const char* at_;
  const char* const end_;
  bool broken_ = false;
};

inline bool FieldReader::NextShort(Field* field) {
  constexpr unsigned kMore = 0x80;
  const auto byte = [this](size_t i) { return static_cast<unsigned>(static_cast<uint8_t>(at_[i])); };
  const auto left = static_cast<size_t>(end_ - at_);
  if (left < 3) return false;
  const unsigned tag = byte(0);
  if (tag >= kMore || tag < 8) return false;
  uint64_t number = byte(1);
  size_t head = 2;
  if (number >= kMore) {
    if (byte(2) >= kMore) return false;
    number = (number & 0x7F) | byte(2) << 7;
    head = 3;
  }
  field->number = tag >> 3;
  field->type = tag & 7;
  if (field->type == Field::kVarint) {
    field->value = number;
    at_ += head;
    return true;
  }
  if (field->type != Field::kBytes || number > left - head) return false;
  field->bytes = {at_ + head, number};
  at_ += head + number;
  return true;
}

// False: not a message. All appended views point into `body`.
bool ReadGetResponse(std::string_view body, GetResponseView* response);
bool ReadBatch(std::string_view body, std::vector<BatchEntryView>* entries, Session* session);
bool ReadBatchAnswers(std::string_view body, std::vector<BatchAnswerView>* answers, uint64_t* incarnation);

}  // namespace cohort::wire
