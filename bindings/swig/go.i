// go.i says how the C ABI looks from Go: handles are uintptr, keys are strings and values []byte that C reads in place,
// batches of events land in slices of structs with the same layout, and calls back into Go go by integer tags.

// The hash in SWIG's symbols is replaced by a fixed suffix in `generate`, so that these names hold. Only functions that
// can never call back into Go may be listed: C must not hold a pointer into a stack that a callback could move.
%insert(cgo_comment_typedefs) %{
#cgo pkg-config: cohort
#cgo noescape _wrap_cohort_group_stats_cohort_go
#cgo nocallback _wrap_cohort_group_stats_cohort_go
#cgo noescape _wrap_cohort_group_cache_stats_cohort_go
#cgo nocallback _wrap_cohort_group_cache_stats_cohort_go
#cgo noescape _wrap_cohort_request_view_cohort_go
#cgo nocallback _wrap_cohort_request_view_cohort_go
#cgo noescape _wrap_cohort_response_view_cohort_go
#cgo nocallback _wrap_cohort_response_view_cohort_go
%}

// ---- opaque handles: uintptr, so that nothing is boxed into an interface
%define %go_handle(T)
%typemap(gotype) T *, const T * "uintptr"
%typemap(imtype) T *, const T * "uintptr"
%typemap(in) T *, const T * %{ $1 = ($1_ltype)$input; %}
%typemap(out) T *, const T * %{ $result = $1; %}
%typemap(goout) T *, const T * ""
%enddef
%go_handle(cohort_error_t)
%go_handle(cohort_value_t)
%go_handle(cohort_instance_options_t)
%go_handle(cohort_instance_t)
%go_handle(cohort_group_options_t)
%go_handle(cohort_group_t)
%go_handle(cohort_load_t)
%go_handle(cohort_queue_t)
%go_handle(cohort_transport_t)
%go_handle(cohort_request_t)
%go_handle(cohort_response_t)
%go_handle(cohort_go_call_t)
%go_handle(cohort_event_t)

// ---- borrowed memory that comes back: its address; Go reads it in place
%typemap(gotype) const char *, const void * "uintptr"
%typemap(imtype) const char *, const void * "uintptr"
%typemap(out) const char *, const void * %{ *(const void **)&$result = (const void *)$1; %}
%typemap(goout) const char *, const void * ""

// ---- text goes in as a string, in place
%define %go_string(NAME)
%typemap(gotype) (const char *NAME, size_t NAME ## _size) "string"
%typemap(imtype) (const char *NAME, size_t NAME ## _size) "string"
%typemap(in) (const char *NAME, size_t NAME ## _size) %{ $1 = ($1_ltype)$input.p; $2 = ($2_ltype)$input.n; %}
%typemap(freearg) (const char *NAME, size_t NAME ## _size) ""
%typemap(argout) (const char *NAME, size_t NAME ## _size) ""
%typemap(goargout) (const char *NAME, size_t NAME ## _size) ""
%enddef
%go_string(name)
%go_string(path)
%go_string(address)
%go_string(addresses)
%go_string(self)
%go_string(key)
%go_string(keys)
%go_string(message)
%go_string(method)
%go_string(target)
%go_string(headers)
%go_string(ca_file)
%go_string(cert_file)
%go_string(key_file)

// ---- bytes go in as []byte, in place
%define %go_bytes(NAME)
%typemap(gotype) (const void *NAME, size_t NAME ## _size) "[]byte"
%typemap(imtype) (const void *NAME, size_t NAME ## _size) "[]byte"
%typemap(in) (const void *NAME, size_t NAME ## _size) %{ $1 = ($1_ltype)$input.array; $2 = ($2_ltype)$input.len; %}
%enddef
%go_bytes(value)
%go_bytes(body)

// ---- C writes into these slices and structs, whose layouts are asserted below and tested in layout_test.go
%typemap(gotype) (void *buf, size_t cap) "[]byte"
%typemap(in) (void *buf, size_t cap) %{ $1 = ($1_ltype)$input.array; $2 = ($2_ltype)$input.len; %}
%typemap(gotype) (cohort_event_t *events, size_t max) "[]Event"
%typemap(imtype) (cohort_event_t *events, size_t max) "[]Event"
%typemap(in) (cohort_event_t *events, size_t max) %{ $1 = ($1_ltype)$input.array; $2 = ($2_ltype)$input.len; %}
%typemap(gotype) (const int64_t *key_sizes, size_t count) "[]int64"
%typemap(in) (const int64_t *key_sizes, size_t count) %{ $1 = ($1_ltype)$input.array; $2 = ($2_ltype)$input.len; %}
%typemap(gotype) cohort_answer_t *answers "[]Answer"
%typemap(in) cohort_answer_t *answers %{ $1 = ($1_ltype)$input.array; %}

%define %go_struct(T, GO)
%typemap(gotype) T * "*GO"
%typemap(in) T * %{ $1 = ($1_ltype)$input; %}
%enddef
%go_struct(cohort_answer_t, Answer)
%go_struct(cohort_request_view_t, RequestView)
%go_struct(cohort_response_view_t, ResponseView)
%typemap(gotype) (cohort_group_stats_t *stats, size_t stats_size) "*GroupStats"
%typemap(in) (cohort_group_stats_t *stats, size_t stats_size) %{ $1 = ($1_ltype)$input; $2 = 23 * 8; %}
%typemap(gotype) (cohort_cache_stats_t *stats, size_t stats_size) "*CacheStats"
%typemap(in) (cohort_cache_stats_t *stats, size_t stats_size) %{ $1 = ($1_ltype)$input; $2 = 9 * 8; %}

// The structs are written in Go (layout.go), the constants are read from the header by `generate` (consts.go).
%rename("$ignore", %$isclass) "";
%rename("$ignore", %$isenum) "";
%rename("$ignore", %$isenumitem) "";
%ignore COHORT_API_LEVEL;

// ---- what takes a function of C: replaced by the registrations below, or by its queue twin
%ignore cohort_value_new_borrowed;
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
// ---- what waits: a goroutine waits on its channel instead, so that no thread is held
%ignore cohort_group_get;
%ignore cohort_group_set;
%ignore cohort_group_remove;
%ignore cohort_group_remove_keys;

%{
#include <string.h>

// Written in Go (upcalls.go) and exported to C. `tag` names what was registered.
extern uint64_t cohortGoHash(uint64_t tag, void *data, size_t size);
extern void *cohortGoCacheGet(uint64_t tag, char *key, size_t key_size);
extern void cohortGoCacheAdd(uint64_t tag, char *key, size_t key_size, void *value);
extern void cohortGoCacheRemove(uint64_t tag, char *key, size_t key_size);
extern void cohortGoDestroy(uint64_t tag);

static uint64_t cohort_go_hash(void *user, const void *data, size_t size) {
  return cohortGoHash((uint64_t)(uintptr_t)user, (void *)data, size);
}
static cohort_value_t *cohort_go_cache_get(void *user, const char *key, size_t key_size) {
  return (cohort_value_t *)cohortGoCacheGet((uint64_t)(uintptr_t)user, (char *)key, key_size);
}
static void cohort_go_cache_add(void *user, const char *key, size_t key_size, const cohort_value_t *value) {
  cohortGoCacheAdd((uint64_t)(uintptr_t)user, (char *)key, key_size, (void *)value);
}
static void cohort_go_cache_remove(void *user, const char *key, size_t key_size) {
  cohortGoCacheRemove((uint64_t)(uintptr_t)user, (char *)key, key_size);
}
static void cohort_go_destroy(void *user) { cohortGoDestroy((uint64_t)(uintptr_t)user); }

// The answer of a get, and where its value lies if it did not fit into the buffer: one call where three would be needed.
// Where the event goes, and the error, stay the same for the life of a Call.
typedef struct cohort_go_call {
  cohort_answer_t answer;
  const void *data;
  cohort_queue_t *queue;
  uint64_t tag;
  cohort_error_t *error;
} cohort_go_call_t;

// How many threads have begun a get; read by gate.go all the time, so it is in a cache line of its own.
static _Alignas(128) int32_t cohort_go_threads_seen[32];

#define COHORT_GO_AT(type, field, offset) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field " moved: update layout.go")
_Static_assert(sizeof(void *) == 8, "the Go binding needs a 64-bit platform");
_Static_assert(sizeof(cohort_event_t) == 88, "cohort_event_t grew: update layout.go");
COHORT_GO_AT(cohort_event_t, kind, 0);
COHORT_GO_AT(cohort_event_t, status, 4);
COHORT_GO_AT(cohort_event_t, tag, 8);
COHORT_GO_AT(cohort_event_t, data, 16);
COHORT_GO_AT(cohort_event_t, size, 24);
COHORT_GO_AT(cohort_event_t, expire_unix_ns, 32);
COHORT_GO_AT(cohort_event_t, error_tag, 40);
COHORT_GO_AT(cohort_event_t, value, 48);
COHORT_GO_AT(cohort_event_t, load, 56);
COHORT_GO_AT(cohort_event_t, request, 64);
COHORT_GO_AT(cohort_event_t, response, 72);
COHORT_GO_AT(cohort_event_t, source, 80);
COHORT_GO_AT(cohort_event_t, flags, 84);
_Static_assert(sizeof(cohort_answer_t) == 48, "cohort_answer_t grew: update layout.go");
COHORT_GO_AT(cohort_answer_t, size, 0);
COHORT_GO_AT(cohort_answer_t, expire_unix_ns, 8);
COHORT_GO_AT(cohort_answer_t, value, 16);
COHORT_GO_AT(cohort_answer_t, load, 24);
COHORT_GO_AT(cohort_answer_t, ticket, 32);
COHORT_GO_AT(cohort_answer_t, source, 40);
COHORT_GO_AT(cohort_go_call_t, data, 48);
COHORT_GO_AT(cohort_go_call_t, queue, 56);
COHORT_GO_AT(cohort_go_call_t, tag, 64);
COHORT_GO_AT(cohort_go_call_t, error, 72);
_Static_assert(sizeof(cohort_request_view_t) == 152, "cohort_request_view_t grew: update layout.go");
COHORT_GO_AT(cohort_request_view_t, peer, 8);
COHORT_GO_AT(cohort_request_view_t, group, 24);
COHORT_GO_AT(cohort_request_view_t, key, 40);
COHORT_GO_AT(cohort_request_view_t, key_sizes, 56);
COHORT_GO_AT(cohort_request_view_t, key_count, 64);
COHORT_GO_AT(cohort_request_view_t, value, 72);
COHORT_GO_AT(cohort_request_view_t, expire_unix_ns, 88);
COHORT_GO_AT(cohort_request_view_t, method, 96);
COHORT_GO_AT(cohort_request_view_t, target, 112);
COHORT_GO_AT(cohort_request_view_t, headers, 128);
COHORT_GO_AT(cohort_request_view_t, time_left_ms, 144);
_Static_assert(sizeof(cohort_response_view_t) == 40, "cohort_response_view_t grew: update layout.go");
COHORT_GO_AT(cohort_response_view_t, headers, 8);
COHORT_GO_AT(cohort_response_view_t, headers_size, 16);
COHORT_GO_AT(cohort_response_view_t, body, 24);
COHORT_GO_AT(cohort_response_view_t, body_size, 32);
// The stats may grow at their ends: C writes no more than the size that it is given.
_Static_assert(sizeof(cohort_group_stats_t) >= 23 * 8, "cohort_group_stats_t shrank");
COHORT_GO_AT(cohort_group_stats_t, removed_keys, 80);
COHORT_GO_AT(cohort_group_stats_t, abandoned_loads, 176);
_Static_assert(sizeof(cohort_cache_stats_t) >= 9 * 8, "cohort_cache_stats_t shrank");
COHORT_GO_AT(cohort_cache_stats_t, rejected, 64);
%}

%inline %{
typedef struct cohort_go_call cohort_go_call_t;

/* Begins a get. What stays the same for a Call's life is in `call`, as is what begin answers. */
static int32_t cohort_go_begin(cohort_group_t *group, const char *key, size_t key_size, void *buf, size_t cap,
                               int32_t flags, int64_t timeout_ms, cohort_go_call_t *call) {
  static __thread int seen;
  if (!seen) {
    seen = 1;
    __atomic_fetch_add(cohort_go_threads_seen, 1, __ATOMIC_RELAXED);
  }
  int32_t began = cohort_group_begin(group, key, key_size, buf, cap, flags, timeout_ms, call->queue, call->tag,
                                     &call->answer, call->error);
  call->data = began == COHORT_BEGIN_HIT && call->answer.value ? cohort_value_data(call->answer.value) : NULL;
  return began;
}
/* Where the number of threads is that have begun a get. */
static const void *cohort_go_threads(void) { return cohort_go_threads_seen; }
/* Copies the values of all hits, one after the other, to a buffer of at least their sizes' sum, and frees them. While one is
   copied, the next is on its way to the processor's caches. */
static void cohort_go_take_hits(cohort_answer_t *answers, const int64_t *key_sizes, size_t count, void *buf, size_t cap) {
  enum { LINE = 64, AHEAD = 1024 };
  char *to = (char *)buf;
  const char *data = NULL;
  size_t i, next;
  (void)key_sizes;
  for (i = 0; i < count; i = next) {
    const char *next_data = NULL;
    for (next = i + 1; next < count && !answers[next].value; next++) {}
    if (next < count) {
      int64_t at, ahead = answers[next].size < AHEAD ? answers[next].size : AHEAD;
      next_data = (const char *)cohort_value_data(answers[next].value);
      for (at = 0; at < ahead; at += LINE) __builtin_prefetch(next_data + at);
    }
    if (answers[i].value) {
      if ((size_t)answers[i].size <= cap) {
        if (!data) data = (const char *)cohort_value_data(answers[i].value);
        memcpy(to, data, (size_t)answers[i].size);
        to += answers[i].size;
        cap -= (size_t)answers[i].size;
      }
      cohort_value_free(answers[i].value);
      answers[i].value = NULL;
    }
    data = next_data;
  }
}

static cohort_status_t cohort_go_set_hash(cohort_instance_options_t *options, uint64_t tag, cohort_error_t *error) {
  return cohort_instance_options_set_hash(options, cohort_go_hash, cohort_go_destroy, (void *)(uintptr_t)tag, error);
}
static cohort_status_t cohort_go_set_cache(cohort_group_options_t *options, int32_t tier, uint64_t tag,
                                           cohort_error_t *error) {
  return cohort_group_options_set_cache(options, tier, cohort_go_cache_get, cohort_go_cache_add, cohort_go_cache_remove,
                                        cohort_go_destroy, (void *)(uintptr_t)tag, error);
}
%}
