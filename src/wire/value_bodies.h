// The bodies that carry values to those who asked, written so that a value's bytes are copied once, or lent to the body
// and not copied at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/body.h"
#include "wire/messages.h"

namespace cohort::wire {

// As EncodeGetResponse writes it, the value lent.
Body LendGetResponse(std::string_view value, Hold hold, int64_t expire_unix_ns);

// Writes a BatchAnswers, answer by answer.
class BatchAnswersWriter {
 public:
  // Room for so many answers and, in them, so many bytes of messages and copied values, and so many that are lent: a
  // guess, to allocate once.
  BatchAnswersWriter(size_t answers, size_t copied_bytes, size_t lent);

  void Add(const BatchAnswerView& answer) { Write(answer, true, Hold()); }
  // The value's bytes are lent: they stay where they are while `hold` is there.
  void Lend(const BatchAnswerView& answer, Hold hold) { Write(answer, false, std::move(hold)); }
  // incarnation: of the session at the owner, 0 = none.
  Body Finish(uint64_t incarnation) &&;

 private:
  void Write(const BatchAnswerView& answer, bool copy, Hold hold);

  Body body_;
};

}  // namespace cohort::wire
