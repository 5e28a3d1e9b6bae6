// Loads: a getter's open tasks. Each is ended once; one that is freed open passes to the next waiter that can lead.
#include "capi/check.h"
#include "capi/fence.h"
#include "capi/handles.h"

using cohort::Code;
using cohort::Load;
using cohort::Status;
using cohort::Value;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace {

bool Unusable(const cohort_load_t* load) { return load == nullptr || load->inherited(); }

// Takes the load out of its handle, which goes.
std::unique_ptr<Load> Take(cohort_load_t* handle) {
  std::unique_ptr<Load> load = std::move(handle->load);
  delete handle;
  return load;
}

}  // namespace

extern "C" {

const char* cohort_load_key(const cohort_load_t* load) { return Unusable(load) ? "" : load->load->key().data(); }

int64_t cohort_load_key_size(const cohort_load_t* load) {
  return Unusable(load) ? 0 : static_cast<int64_t>(load->load->key().size());
}

int64_t cohort_load_time_left_ms(const cohort_load_t* load) {
  return Unusable(load) ? 0 : FenceQuiet<int64_t>(0, [&] { return load->load->TimeLeftMs(); });
}

int32_t cohort_load_cancelled(const cohort_load_t* load) {
  return Unusable(load) ? 1 : FenceQuiet<int32_t>(1, [&] { return load->load->Cancelled() ? 1 : 0; });
}

cohort_status_t cohort_load_watch(cohort_load_t* load, cohort_queue_t* queue, uint64_t tag, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(load, "load").Handle(queue, "queue").ok()) return check.status();
    return load->load->Watch(queue->queue, tag);
  });
}

void cohort_load_leave(cohort_load_t* load) {
  if (Unusable(load)) return;
  FenceVoid([&] { load->load->Leave(); });
}

cohort_status_t cohort_load_complete(cohort_load_t* load, const void* value, size_t value_size, int64_t expire_unix_ns,
                                     cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(load, "load").ok()) return check.status();
    const std::unique_ptr<Load> open = Take(load);
    if (!check.Bytes(value, value_size, kMaxValueBytes, "value").ok()) {
      Status status = check.status();
      open->Fail(Code::kLoadFailed, status.message(), 0);
      return status;
    }
    open->Complete(Value::Copy(open->key(), {static_cast<const char*>(value), value_size}, expire_unix_ns));
    return Status();
  });
}

cohort_status_t cohort_load_complete_value(cohort_load_t* load, const cohort_value_t* value, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(load, "load").ok()) return check.status();
    const std::unique_ptr<Load> open = Take(load);
    if (!check.NotNull(value, "value").ok()) {
      Status status = check.status();
      open->Fail(Code::kLoadFailed, status.message(), 0);
      return status;
    }
    open->Complete(Share(value));
    return Status();
  });
}

int64_t cohort_load_fail(cohort_load_t* load, cohort_status_t status, const char* message, size_t message_size,
                         uint64_t error_tag) {
  if (Unusable(load)) return 0;
  return FenceQuiet<int64_t>(0, [&] {
    const std::unique_ptr<Load> open = Take(load);
    const char* const otherwise = status == COHORT_NOT_FOUND ? "not found" : "the getter failed and gave no reason";
    return open->Fail(static_cast<Code>(status), ClipMessage(message, message_size, otherwise), error_tag);
  });
}

void cohort_load_free(cohort_load_t* load) { FreeHandle(load); }

}  // extern "C"
