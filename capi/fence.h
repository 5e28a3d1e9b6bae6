// The fence around every function of the C ABI: nothing is thrown out of it, and the caller's error says how it ended.
#pragma once

#include <cohort/cohort.h>

#include <exception>
#include <new>
#include <utility>

#include "base/status.h"
#include "capi/handles.h"

namespace cohort::capi {

// What was thrown, as a status. Call it in a catch block.
Status Caught() noexcept;

inline cohort_status_t Report(cohort_error_t* error, Status status) noexcept {
  const auto code = static_cast<cohort_status_t>(status.code());
  if (error != nullptr) error->status = std::move(status);
  return code;
}

// Runs `body`, which returns a Status.
template <typename Body>
cohort_status_t Fence(cohort_error_t* error, Body&& body) noexcept {
  try {
    return Report(error, body());
  } catch (...) {
    return Report(error, Caught());
  }
}

// Runs `body`, which returns a Result<T>; `failed` when it fails.
template <typename T, typename Body>
T FenceResult(cohort_error_t* error, T failed, Body&& body) noexcept {
  try {
    Result<T> result = body();
    if (result.ok()) {
      Report(error, Status());
      return std::move(*result);
    }
    Report(error, result.status());
  } catch (...) {
    Report(error, Caught());
  }
  return failed;
}

// Runs `body` for functions that tell no error; `failed` when it throws.
template <typename T, typename Body>
T FenceQuiet(T failed, Body&& body) noexcept {
  try {
    return body();
  } catch (...) {
    return failed;
  }
}
template <typename Body>
void FenceVoid(Body&& body) noexcept {
  try {
    body();
  } catch (...) {  // A function that cannot say so has nobody to tell.
  }
}

// Frees a handle of this process; one that was inherited is left alone, with all that hangs on it.
template <typename T>
void FreeHandle(T* handle) noexcept {
  if (handle == nullptr || handle->inherited()) return;
  delete handle;
}

}  // namespace cohort::capi
