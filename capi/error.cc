// An error is how the last call that was handed it ended. It belongs to one caller at a time, also after a fork.
#include "capi/fence.h"
#include "capi/handles.h"

extern "C" {

cohort_error_t* cohort_error_new(void) { return new (std::nothrow) cohort_error; }

void cohort_error_free(cohort_error_t* error) { delete error; }

cohort_status_t cohort_error_status(const cohort_error_t* error) {
  return error == nullptr ? COHORT_OK : static_cast<cohort_status_t>(error->status.code());
}

const char* cohort_error_message(const cohort_error_t* error) {
  return error == nullptr ? "" : error->status.message().c_str();
}

int64_t cohort_error_message_size(const cohort_error_t* error) {
  return error == nullptr ? 0 : static_cast<int64_t>(error->status.message().size());
}

const char* cohort_status_name(cohort_status_t status) {
  switch (status) {
    case COHORT_OK:
      return "OK";
    case COHORT_NOT_FOUND:
      return "NOT_FOUND";
    case COHORT_LOAD_FAILED:
      return "LOAD_FAILED";
    case COHORT_REMOTE_FAILED:
      return "REMOTE_FAILED";
    case COHORT_TIMEOUT:
      return "TIMEOUT";
    case COHORT_CANCELLED:
      return "CANCELLED";
    case COHORT_CLOSED:
      return "CLOSED";
    case COHORT_INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case COHORT_UNREACHABLE:
      return "UNREACHABLE";
    case COHORT_NO_GETTER:
      return "NO_GETTER";
    case COHORT_LOAD_ABANDONED:
      return "LOAD_ABANDONED";
    case COHORT_WOULD_DEADLOCK:
      return "WOULD_DEADLOCK";
    case COHORT_TOO_LARGE:
      return "TOO_LARGE";
    case COHORT_ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case COHORT_IO:
      return "IO";
    case COHORT_FORKED:
      return "FORKED";
    case COHORT_NO_MEMORY:
      return "NO_MEMORY";
    case COHORT_UNSUPPORTED:
      return "UNSUPPORTED";
    case COHORT_INTERNAL:
      return "INTERNAL";
    default:
      return "UNKNOWN";
  }
}

}  // extern "C"
