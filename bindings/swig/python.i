// python.i says how the C ABI looks from Python: handles are objects that own what they stand for, str and bytes-like
// objects are read in place, failures are raised, and events come as tuples. bindings/python/csrc has the C that this takes.

// PyPy and the limited API are not served: the buffer protocol is used as CPython has it.
%begin %{
#define SWIG_PYTHON_STRICT_BYTE_CHAR
#define PY_SSIZE_T_CLEAN
%}
%feature("python:annotations", "c");

%{
#include <limits.h>
#include <string.h>
#include "convert.h"
#include "handle.h"
#include "value.h"
#include "events.h"
#include "calls.h"
#include "getter.h"
#include "upcalls.h"

_Static_assert(sizeof(void *) == 8, "the Python binding needs a 64-bit platform");
%}

// ---- handles
%define %py_handle(T, KIND)
%typemap(in) T *, const T * {
  $1 = ($1_ltype)handle_borrow($input, KIND);
  if ($1 == NULL) SWIG_fail;
}
%typemap(out) T * { $result = handle_wrap(KIND, (void *)$1); }
%typemap(in) T *ended (PyObject *object) {
  object = $input;
  $1 = ($1_ltype)handle_borrow(object, KIND);
  if ($1 == NULL) SWIG_fail;
}
// Taken when every other argument has been converted, so that a call with a bad one leaves it open.
%typemap(check) T *ended {
  $1 = ($1_ltype)handle_take(object$argnum, KIND);
  if ($1 == NULL) SWIG_fail;
}
%enddef
%py_handle(cohort_instance_options_t, HANDLE_INSTANCE_OPTIONS)
%py_handle(cohort_instance_t, HANDLE_INSTANCE)
%py_handle(cohort_group_options_t, HANDLE_GROUP_OPTIONS)
%py_handle(cohort_group_t, HANDLE_GROUP)
%py_handle(cohort_load_t, HANDLE_LOAD)
%py_handle(cohort_queue_t, HANDLE_QUEUE)
%py_handle(cohort_transport_t, HANDLE_TRANSPORT)
%py_handle(cohort_request_t, HANDLE_REQUEST)
%py_handle(cohort_response_t, HANDLE_RESPONSE)
// A get that only peeks has no queue.
%typemap(in) cohort_queue_t *queue_or_none {
  $1 = NULL;
  if ($input != Py_None) {
    $1 = ($1_ltype)handle_borrow($input, HANDLE_QUEUE);
    if ($1 == NULL) SWIG_fail;
  }
}
// The calls that end a load or a request take it away from its object, so that it is ended once.
%apply cohort_load_t *ended { cohort_load_t *load_ended };
%apply cohort_request_t *ended { cohort_request_t *request_ended };

// ---- values go out as objects
%typemap(out) cohort_value_t * { $result = value_wrap($1, $1 == NULL ? 0 : cohort_value_expire_unix_ns($1), 0, 0); }

// ---- failures are raised
%typemap(in, numinputs=0) cohort_error_t *error { $1 = error_borrow(); }
%typemap(argout) cohort_error_t *error {
  if (cohort_error_status($1) != COHORT_OK) {
    error_raise($1);
    SWIG_fail;
  }
}
%typemap(freearg) cohort_error_t *error { error_return($1); }
%typemap(arginit) cohort_error_t *error { $1 = NULL; }
%typemap(out) cohort_status_t {
  $result = Py_None;
  Py_INCREF($result);
}

// ---- text that is the library's own
%typemap(out) const char * { $result = PyUnicode_FromString($1); }

// ---- bytes
%define %py_bytes(SIGNATURE)
%typemap(arginit) SIGNATURE { memset(&bytes$argnum, 0, sizeof bytes$argnum); }
%typemap(in) SIGNATURE (bytes_arg bytes) {
  if (bytes_get($input, &bytes) != 0) SWIG_fail;
  $1 = ($1_ltype)bytes.data;
  $2 = ($2_ltype)bytes.size;
}
%typemap(freearg) SIGNATURE { bytes_done(&bytes$argnum); }
%enddef
%py_bytes((const char *name, size_t name_size))
%py_bytes((const char *path, size_t path_size))
%py_bytes((const char *address, size_t address_size))
%py_bytes((const char *addresses, size_t addresses_size))
%py_bytes((const char *self, size_t self_size))
%py_bytes((const char *key, size_t key_size))
%py_bytes((const char *message, size_t message_size))
%py_bytes((const char *method, size_t method_size))
%py_bytes((const char *target, size_t target_size))
%py_bytes((const char *headers, size_t headers_size))
%py_bytes((const char *ca_file, size_t ca_file_size))
%py_bytes((const char *cert_file, size_t cert_file_size))
%py_bytes((const char *key_file, size_t key_file_size))
%py_bytes((const void *value, size_t value_size))
%py_bytes((const void *body, size_t body_size))

%typemap(arginit) const bytes_arg *key { memset(&bytes$argnum, 0, sizeof bytes$argnum); }
%typemap(in) const bytes_arg *key (bytes_arg bytes) {
  if (bytes_get($input, &bytes) != 0) SWIG_fail;
  $1 = &bytes;
}
%typemap(freearg) const bytes_arg *key { bytes_done(&bytes$argnum); }

// ---- many keys
%typemap(arginit) (const char *keys, size_t keys_size, const int64_t *key_sizes, size_t count) {
  memset(&keys$argnum, 0, sizeof keys$argnum);
}
%typemap(in) (const char *keys, size_t keys_size, const int64_t *key_sizes, size_t count) (keys_arg keys) {
  if (keys_get($input, &keys) != 0) SWIG_fail;
  $1 = keys.data;
  $2 = keys.size;
  $3 = keys.sizes;
  $4 = keys.count;
}
%typemap(freearg) (const char *keys, size_t keys_size, const int64_t *key_sizes, size_t count) { keys_done(&keys$argnum); }
%typemap(arginit) const keys_arg *keys { memset(&keys$argnum, 0, sizeof keys$argnum); }
%typemap(in) const keys_arg *keys (keys_arg keys) {
  if (keys_get($input, &keys) != 0) SWIG_fail;
  $1 = &keys;
}
%typemap(freearg) const keys_arg *keys { keys_done(&keys$argnum); }

// ---- callables that the engine keeps
%typemap(in) PyObject *callable {
  if (!PyCallable_Check($input)) {
    PyErr_SetString(PyExc_TypeError, "a callable is needed");
    SWIG_fail;
  }
  $1 = $input;
}

// Structs are tuples here.
%rename("$ignore", %$isclass) "";
%ignore COHORT_API_LEVEL;

// ---- what objects do by themselves: they free what they own
%rename("$ignore", regextarget=1, %$isfunction) "^cohort_(\\w+_free|error_\\w+|value_\\w+|event_release)$";
// ---- what has a form of its own below
%ignore cohort_queue_wait;
%ignore cohort_group_begin;
%ignore cohort_group_begin_many;
%ignore cohort_group_try_copy;
%ignore cohort_group_lookup;
%ignore cohort_group_stats;
%ignore cohort_group_cache_stats;
%ignore cohort_request_view;
%ignore cohort_response_view;
%ignore cohort_load_key;
%ignore cohort_load_key_size;
%ignore cohort_group_name;
%ignore cohort_group_name_size;
%ignore cohort_load_complete;
%ignore cohort_load_complete_value;
%ignore cohort_load_fail;
%ignore cohort_request_reply;
%ignore cohort_request_reply_raw;
%ignore cohort_request_fail;
// ---- what takes a function of C: it has a queue twin, or an upcall below
%ignore cohort_instance_options_set_hash;
%ignore cohort_instance_options_set_logger;
%ignore cohort_instance_handle_request_async;
%ignore cohort_group_options_set_getter;
%ignore cohort_group_options_set_eviction_listener;
%ignore cohort_group_options_set_cache;
%ignore cohort_group_get_async;
%ignore cohort_group_set_async;
%ignore cohort_group_remove_async;
%ignore cohort_group_remove_keys_async;
%ignore cohort_transport_new_custom;
// ---- what waits where no signal would be handled: its queue twin is waited for instead
%ignore cohort_group_get;
%ignore cohort_group_set;
%ignore cohort_group_remove;
%ignore cohort_group_remove_keys;

// ---- The GIL is released by what may wait or take long; the rest would lose more by letting go of it.
%nothread;
%thread cohort_instance_new;
%thread cohort_instance_listen;
%thread cohort_instance_stop_listening;
%thread cohort_instance_set_peers;
%thread cohort_instance_owner;
%thread cohort_instance_new_group;
%thread cohort_instance_remove_group;
%thread cohort_instance_shutdown;
%thread cohort_instance_handle_request;
%thread cohort_queue_close;
%thread cohort_group_cancel;
%thread cohort_group_set_queue;
%thread cohort_group_remove_queue;
%thread cohort_group_remove_keys_queue;
%thread cohort_group_local_set;
%thread cohort_group_local_remove;
%thread cohort_group_reset_cache;
%thread load_complete;
%thread load_fail;
%thread load_abandon;
%thread request_reply;
%thread request_reply_raw;
%thread request_fail;

%init %{
  if (PyType_Ready(&handle_type) < 0 || PyType_Ready(&value_type) < 0 || PyType_Ready(&getter_type) < 0 ||
      PyModule_AddObjectRef(m, "Handle", (PyObject *)&handle_type) < 0 ||
      PyModule_AddObjectRef(m, "Value", (PyObject *)&value_type) < 0 ||
      PyModule_AddObjectRef(m, "Getter", (PyObject *)&getter_type) < 0) {
    return NULL;
  }
%}

%inline %{
/* From now on failures are what `callable` makes of (status, message). */
static void set_error_factory(PyObject *callable) {
  Py_INCREF(callable);
  Py_XSETREF(error_factory, callable);
}
/* From now on the engine calls nothing of Python's: the interpreter is about to end. */
static void stop_upcalls(void) { upcalls_off = 1; }

static PyObject *group_begin(cohort_group_t *group, const bytes_arg *key, int32_t flags, int64_t timeout_ms,
                             cohort_queue_t *queue_or_none, uint64_t tag, int32_t hit_as, int32_t without_gil) {
  return begin(group, key, flags, timeout_ms, queue_or_none, tag, hit_as, without_gil);
}
static PyObject *group_begin_many(cohort_group_t *group, const keys_arg *keys, int32_t flags, int64_t timeout_ms,
                                  cohort_queue_t *queue_or_none, uint64_t first_tag, int32_t hit_as) {
  return begin_many(group, keys, flags, timeout_ms, queue_or_none, first_tag, hit_as);
}
/* Begins the gets of a group: see csrc/getter.h. */
static PyObject *getter_new(PyObject *group_handle, PyObject *idle, PyObject *callable, int32_t flags, int32_t hit_as,
                            int32_t without_gil) {
  return getter_make(group_handle, idle, callable, flags, hit_as, without_gil);
}
static PyObject *queue_take(cohort_queue_t *queue, int64_t max, int64_t timeout_ms, int32_t fd) {
  return events_take(queue, max, timeout_ms, fd);
}
/* What many gets bring: see csrc/calls.h. */
static PyObject *queue_take_many(cohort_queue_t *queue, PyObject *results, uint64_t first_tag, int32_t hit_as, int32_t fd) {
  return await_many(queue, results, first_tag, hit_as, fd);
}
static PyObject *group_stats(cohort_group_t *group) {
  cohort_group_stats_t stats;
  return counters((const int64_t *)&stats, cohort_group_stats(group, &stats, sizeof stats));
}
static PyObject *group_cache_stats(cohort_group_t *group, int32_t tier) {
  cohort_cache_stats_t stats;
  return counters((const int64_t *)&stats, cohort_group_cache_stats(group, tier, &stats, sizeof stats));
}
static PyObject *response_view(cohort_response_t *response) { return response_parts(response); }
static PyObject *request_view(cohort_request_t *request) { return request_parts(request); }

static cohort_status_t load_complete(cohort_load_t *load_ended, const void *value, size_t value_size,
                                     int64_t expire_unix_ns, cohort_error_t *error) {
  return cohort_load_complete(load_ended, value, value_size, expire_unix_ns, error);
}
static int64_t load_fail(cohort_load_t *load_ended, int32_t status, const char *message, size_t message_size,
                         uint64_t error_tag) {
  return cohort_load_fail(load_ended, status, message, message_size, error_tag);
}
static void load_abandon(cohort_load_t *load_ended) { cohort_load_free(load_ended); }
static void request_reply(cohort_request_t *request_ended, const void *value, size_t value_size,
                          int64_t expire_unix_ns) {
  cohort_request_reply(request_ended, value, value_size, expire_unix_ns);
}
static void request_reply_raw(cohort_request_t *request_ended, int32_t http_status, const char *headers,
                              size_t headers_size, const void *body, size_t body_size) {
  cohort_request_reply_raw(request_ended, http_status, headers, headers_size, body, body_size);
}
static int64_t request_fail(cohort_request_t *request_ended, int32_t status, const char *message, size_t message_size,
                            uint64_t error_tag) {
  return cohort_request_fail(request_ended, status, message, message_size, error_tag);
}

static cohort_status_t group_options_set_eviction_listener(cohort_group_options_t *options, PyObject *callable,
                                                           cohort_error_t *error) {
  Py_INCREF(callable);
  return cohort_group_options_set_eviction_listener(options, upcall_evicted, upcall_destroy, callable, error);
}
static cohort_status_t instance_options_set_hash(cohort_instance_options_t *options, PyObject *callable,
                                                 cohort_error_t *error) {
  Py_INCREF(callable);
  return cohort_instance_options_set_hash(options, upcall_hash, upcall_destroy, callable, error);
}
%}
