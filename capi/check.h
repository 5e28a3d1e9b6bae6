// Check looks at the arguments of one call in turn and keeps the first complaint: one line that names the argument and,
// for a size, the bound.
#pragma once

#include <cohort/cohort.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace cohort::capi {

inline constexpr size_t kMaxKeyBytes = size_t{64} << 10;
inline constexpr size_t kMaxValueBytes = size_t{1} << 30;
inline constexpr size_t kMaxNameBytes = 255;
inline constexpr size_t kMaxAddressBytes = 255;
inline constexpr size_t kMaxPeers = 10'000;
inline constexpr size_t kMaxKeys = 1'000'000;  // In one call.
inline constexpr size_t kMaxMessageBytes = size_t{64} << 10;
inline constexpr size_t kMaxPathBytes = 4'096;
inline constexpr size_t kMaxTargetBytes = size_t{256} << 10;
inline constexpr size_t kMaxHeadersBytes = size_t{64} << 10;
inline constexpr size_t kMaxBodyBytes = kMaxValueBytes + (size_t{1} << 20);
inline constexpr int64_t kMaxTimeoutMs = int64_t{10} * 365 * 24 * 3600 * 1000;  // Ten years: as good as none.

// A duration that arithmetic cannot overflow.
inline int64_t ClampTimeout(int64_t timeout_ms) { return timeout_ms > kMaxTimeoutMs ? kMaxTimeoutMs : timeout_ms; }

// A failure's message as the engine takes it: one that is too long is cut, in place of none comes `otherwise`.
std::string_view ClipMessage(const char* message, size_t message_size, std::string_view otherwise);

class Check {
 public:
  // Not NULL, and made by this process.
  template <typename T>
  Check& Handle(const T* handle, const char* name) {
    if (ok_ && handle == nullptr) Null(name);
    if (ok_ && handle->inherited()) Inherited(name);  // NOLINT(clang-analyzer-core.CallAndMessage): Null clears ok_
    return *this;
  }
  // NULL, or made by this process.
  template <typename T>
  Check& OptionalHandle(const T* handle, const char* name) {
    if (ok_ && handle != nullptr && handle->inherited()) Inherited(name);
    return *this;
  }
  template <typename T>
  Check& NotNull(T* pointer, const char* name) {
    if (ok_ && pointer == nullptr) Null(name);
    return *this;
  }
  // NULL only with size 0; at most `limit` bytes.
  Check& Bytes(const void* data, size_t size, size_t limit, const char* name) {
    if (ok_ && data == nullptr && size != 0) Null(name);
    if (ok_ && size > limit) TooLarge(size, limit, name);
    return *this;
  }
  Check& Key(const char* key, size_t key_size) { return Bytes(key, key_size, kMaxKeyBytes, "key"); }
  Check& Range(int64_t value, int64_t lowest, int64_t highest, const char* name) {
    if (ok_ && (value < lowest || value > highest)) OutOfRange(value, lowest, highest, name);
    return *this;
  }
  Check& That(bool holds, const char* complaint) {
    if (ok_ && !holds) Fail({Code::kInvalidArgument, complaint});
    return *this;
  }
  Check& Also(Status status) {
    if (ok_ && !status.ok()) Fail(std::move(status));
    return *this;
  }

  bool ok() const { return ok_; }
  Status status() { return std::move(status_); }

 private:
  void Null(const char* name);
  void Inherited(const char* name);
  void TooLarge(size_t size, size_t limit, const char* name);
  void OutOfRange(int64_t value, int64_t lowest, int64_t highest, const char* name);
  void Fail(Status status) {
    ok_ = false;
    status_ = std::move(status);
  }

  bool ok_ = true;
  Status status_;
};

}  // namespace cohort::capi
