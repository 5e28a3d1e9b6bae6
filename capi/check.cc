#include "capi/check.h"

namespace cohort::capi {

std::string_view ClipMessage(const char* message, size_t message_size, std::string_view otherwise) {
  if (message == nullptr || message_size == 0) return otherwise;
  return {message, message_size < kMaxMessageBytes ? message_size : kMaxMessageBytes};
}

void Check::Null(const char* name) { Fail({Code::kInvalidArgument, std::string(name) + " is NULL"}); }

void Check::Inherited(const char* name) {
  Fail({Code::kForked, std::string(name) + " was made by the parent process; make one of your own after fork"});
}

void Check::TooLarge(size_t size, size_t limit, const char* name) {
  Fail({Code::kTooLarge, std::string(name) + " has " + std::to_string(size) + " bytes; at most " +
                             std::to_string(limit) + " are allowed"});
}

void Check::OutOfRange(int64_t value, int64_t lowest, int64_t highest, const char* name) {
  Fail({Code::kInvalidArgument, std::string(name) + " is " + std::to_string(value) + "; it must be from " +
                                    std::to_string(lowest) + " to " + std::to_string(highest)});
}

}  // namespace cohort::capi
