// Status says how something ended: a code and one line that a person can act on. Result<T> is a value or a Status.
// The codes are those of the C ABI (cohort_status_t), number for number.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace cohort {

enum class Code : int32_t {
  kOk = 0,
  kNotFound = 1,
  kLoadFailed = 2,
  kRemoteFailed = 3,
  kTimeout = 4,
  kCancelled = 5,
  kClosed = 6,
  kInvalidArgument = 7,
  kUnreachable = 8,
  kNoGetter = 9,
  kLoadAbandoned = 10,
  kWouldDeadlock = 11,
  kTooLarge = 12,
  kAlreadyExists = 13,
  kIo = 14,
  kForked = 15,
  kNoMemory = 16,
  kUnsupported = 17,
  kInternal = 18,
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  // REQUIRES: ok().
  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }
  const T& operator*() const { return value(); }
  const T* operator->() const { return &value(); }
  // OK when there is a value.
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace cohort
