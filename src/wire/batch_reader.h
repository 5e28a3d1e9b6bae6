// BatchReader reads the bodies of batches and of their answers field by field, because these carry most of what members
// say to each other: names and values stay where they came, and nothing is allocated for them. It takes what protobuf's
// own parser takes, unknown fields included, and refuses the rest.
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
  bool Next(Field* field);
  bool broken() const { return broken_; }

 private:
  bool ReadVarint(uint64_t* value);
  bool ReadBytes(size_t size, std::string_view* bytes);
  // Groups are of protobuf's past: they are skipped with all that is in them.
  bool SkipGroup(uint32_t number, int depth);
  bool ReadTag(uint32_t* number, uint32_t* type);
  bool ReadPayload(uint32_t number, uint32_t type, int depth, Field* field);

  const char* at_;
  const char* const end_;
  bool broken_ = false;
};

// False: not a message. All appended views point into `body`.
bool ReadBatch(std::string_view body, std::vector<BatchEntryView>* entries, Session* session);
bool ReadBatchAnswers(std::string_view body, std::vector<BatchAnswerView>* answers, uint64_t* incarnation);

}  // namespace cohort::wire
