// Values: bytes that never change, shared by reference count. They hold no thread and no lock, so a child may use what
// it inherited.
#include <string_view>

#include "capi/callback.h"
#include "capi/check.h"
#include "capi/fence.h"
#include "capi/handles.h"

using cohort::Result;
using cohort::Value;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

extern "C" {

cohort_value_t* cohort_value_new(const void* value, size_t value_size, int64_t expire_unix_ns, cohort_error_t* error) {
  return FenceResult<cohort_value_t*>(error, nullptr, [&]() -> Result<cohort_value_t*> {
    Check check;
    if (!check.Bytes(value, value_size, kMaxValueBytes, "value").ok()) return check.status();
    return ToHandle(Value::Copy({}, {static_cast<const char*>(value), value_size}, expire_unix_ns));
  });
}

cohort_value_t* cohort_value_new_borrowed(const void* value, size_t value_size, int64_t expire_unix_ns,
                                          cohort_destroy_fn destroy, void* user, cohort_error_t* error) {
  return FenceResult<cohort_value_t*>(error, nullptr, [&]() -> Result<cohort_value_t*> {
    Check check;
    if (!check.Bytes(value, value_size, kMaxValueBytes, "value").ok()) {
      if (destroy != nullptr) destroy(user);
      return check.status();
    }
    return ToHandle(Value::Borrow({}, {static_cast<const char*>(value), value_size}, expire_unix_ns, destroy, user));
  });
}

cohort_value_t* cohort_value_clone(const cohort_value_t* value) {
  return value == nullptr ? nullptr : ToHandle(Share(value));
}

void cohort_value_free(cohort_value_t* value) {
  if (value != nullptr) Held(value).Free();
}

const void* cohort_value_data(const cohort_value_t* value) {
  if (value == nullptr) return "";
  const std::string_view bytes = FromHandle(value)->bytes();
  return bytes.data() == nullptr ? "" : bytes.data();
}

int64_t cohort_value_size(const cohort_value_t* value) {
  return value == nullptr ? 0 : static_cast<int64_t>(FromHandle(value)->bytes().size());
}

int64_t cohort_value_expire_unix_ns(const cohort_value_t* value) {
  return value == nullptr ? 0 : FromHandle(value)->expire_unix_ns();
}

}  // extern "C"
