// java.i says how the C ABI looks from Java: handles are long, bytes are byte[] (or the address of a direct buffer),
// batches of events land in memory that Java reads in place, and a failed call throws what `Errors.of` makes of it.

%pragma(java) jniclassclassmodifiers="public final class"

// ---- numbers: every 64-bit one is a long, with or without a sign
%apply long long { int64_t, uint64_t, size_t };

// ---- opaque handles: long
%define %java_handle(T)
%typemap(jni) T *, const T * "jlong"
%typemap(jtype) T *, const T * "long"
%typemap(jstype) T *, const T * "long"
%typemap(in) T *, const T * %{ $1 = ($1_ltype)(intptr_t)$input; %}
%typemap(out) T *, const T * %{ $result = (jlong)(intptr_t)$1; %}
%typemap(javain) T *, const T * "$javainput"
%typemap(javaout) T *, const T * { return $jnicall; }
%enddef
%java_handle(cohort_value_t)
%java_handle(cohort_instance_options_t)
%java_handle(cohort_instance_t)
%java_handle(cohort_group_options_t)
%java_handle(cohort_group_t)
%java_handle(cohort_load_t)
%java_handle(cohort_queue_t)
%java_handle(cohort_transport_t)
%java_handle(cohort_request_t)
%java_handle(cohort_response_t)

// ---- errors: each thread has one error object; what a call leaves in it is thrown
%typemap(in, numinputs=0) cohort_error_t *error %{ $1 = cohort_java_error(); %}
%typemap(argout) cohort_error_t *error %{ if (cohort_error_status($1) != COHORT_OK) cohort_java_throw(jenv, $1); %}

// ---- what JNI functions are handed anyway
%typemap(in, numinputs=0) JNIEnv *jenv %{ $1 = jenv; %}

// ---- bytes and text go in as byte[]: short ones are copied to the stack, others to the heap
%define %java_bytes(TYPE, NAME)
%typemap(jni) (const TYPE *NAME, size_t NAME ## _size) "jbyteArray"
%typemap(jtype) (const TYPE *NAME, size_t NAME ## _size) "byte[]"
%typemap(jstype) (const TYPE *NAME, size_t NAME ## _size) "byte[]"
%typemap(javain) (const TYPE *NAME, size_t NAME ## _size) "$javainput"
%typemap(in) (const TYPE *NAME, size_t NAME ## _size) (cohort_java_bytes_t held) %{
  if (!cohort_java_hold(jenv, $input, &held)) return $null;
  $1 = ($1_ltype)held.data;
  $2 = held.size;
%}
%typemap(freearg) (const TYPE *NAME, size_t NAME ## _size) %{ cohort_java_let_go(&held$argnum); %}
%typemap(argout) (const TYPE *NAME, size_t NAME ## _size) ""
%enddef
%java_bytes(char, name)
%java_bytes(char, path)
%java_bytes(char, address)
%java_bytes(char, addresses)
%java_bytes(char, self)
%java_bytes(char, key)
%java_bytes(char, keys)
%java_bytes(char, message)
%java_bytes(char, method)
%java_bytes(char, target)
%java_bytes(char, headers)
%java_bytes(char, ca_file)
%java_bytes(char, cert_file)
%java_bytes(char, key_file)
%java_bytes(void, value)
%java_bytes(void, body)

// ---- the sizes of packed keys
%typemap(jni) (const int64_t *key_sizes, size_t count) "jlongArray"
%typemap(jtype) (const int64_t *key_sizes, size_t count) "long[]"
%typemap(jstype) (const int64_t *key_sizes, size_t count) "long[]"
%typemap(javain) (const int64_t *key_sizes, size_t count) "$javainput"
%typemap(in) (const int64_t *key_sizes, size_t count) %{
  $2 = (size_t)(*jenv)->GetArrayLength(jenv, $input);
  $1 = ($1_ltype)(*jenv)->GetLongArrayElements(jenv, $input, NULL);
  if (!$1) return $null;
%}
%typemap(freearg) (const int64_t *key_sizes, size_t count) %{
  (*jenv)->ReleaseLongArrayElements(jenv, $input, (jlong *)$1, JNI_ABORT);
%}
%typemap(argout) (const int64_t *key_sizes, size_t count) ""

// ---- statistics land in a long[] that is at least as long as the struct was when this was written
%define %java_stats(T, COUNT)
%typemap(jni) (T *stats, size_t stats_size) "jlongArray"
%typemap(jtype) (T *stats, size_t stats_size) "long[]"
%typemap(jstype) (T *stats, size_t stats_size) "long[]"
%typemap(javain) (T *stats, size_t stats_size) "$javainput"
%typemap(in) (T *stats, size_t stats_size) (int64_t numbers[COUNT]) %{
  memset(numbers, 0, sizeof numbers);
  $1 = ($1_ltype)(void *)numbers;
  $2 = sizeof numbers;
%}
%typemap(argout) (T *stats, size_t stats_size) %{
  (*jenv)->SetLongArrayRegion(jenv, $input, 0, COUNT, (const jlong *)numbers$argnum);
%}
%enddef
%java_stats(cohort_group_stats_t, 23)
%java_stats(cohort_cache_stats_t, 9)

// The structs are read at fixed offsets (Event.java), the constants are read from the header by `generate` (Constants.java).
%rename("$ignore", %$isclass) "";
%rename("$ignore", %$isenum) "";
%rename("$ignore", %$isenumitem) "";
%ignore COHORT_API_LEVEL;

// ---- what takes a function of C: replaced by what is below, or by its queue twin
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
// ---- what waits: Java's threads wait in Java, where virtual ones can be put aside and all can be interrupted
%ignore cohort_group_get;
%ignore cohort_group_set;
%ignore cohort_group_remove;
%ignore cohort_group_remove_keys;
// ---- what hands out memory or structs: replaced by what is below
%ignore cohort_error_new;
%ignore cohort_error_free;
%ignore cohort_error_status;
%ignore cohort_error_message;
%ignore cohort_error_message_size;
%ignore cohort_value_data;
%ignore cohort_load_key;
%ignore cohort_load_key_size;
%ignore cohort_group_name;
%ignore cohort_group_name_size;
%ignore cohort_group_begin;
%ignore cohort_group_begin_many;
%ignore cohort_group_try_copy;
%ignore cohort_group_lookup;
%ignore cohort_event_release;
%ignore cohort_queue_wait;
%ignore cohort_queue_fd;
%ignore cohort_request_view;
%ignore cohort_response_view;

%{
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define COHORT_JAVA_AT(type, field, offset) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field " moved: update what reads it")
_Static_assert(sizeof(void *) == 8, "the Java binding needs a 64-bit platform");
_Static_assert(sizeof(cohort_event_t) == 88, "cohort_event_t grew: update Event.java");
COHORT_JAVA_AT(cohort_event_t, kind, 0);
COHORT_JAVA_AT(cohort_event_t, status, 4);
COHORT_JAVA_AT(cohort_event_t, tag, 8);
COHORT_JAVA_AT(cohort_event_t, data, 16);
COHORT_JAVA_AT(cohort_event_t, size, 24);
COHORT_JAVA_AT(cohort_event_t, expire_unix_ns, 32);
COHORT_JAVA_AT(cohort_event_t, error_tag, 40);
COHORT_JAVA_AT(cohort_event_t, value, 48);
COHORT_JAVA_AT(cohort_event_t, load, 56);
COHORT_JAVA_AT(cohort_event_t, request, 64);
COHORT_JAVA_AT(cohort_event_t, response, 72);
COHORT_JAVA_AT(cohort_event_t, source, 80);
COHORT_JAVA_AT(cohort_event_t, flags, 84);
// The stats may grow at their ends: C writes no more than the size that it is given.
_Static_assert(sizeof(cohort_group_stats_t) >= 23 * 8, "cohort_group_stats_t shrank");
_Static_assert(offsetof(cohort_group_stats_t, abandoned_loads) == 176, "cohort_group_stats_t changed");
_Static_assert(sizeof(cohort_cache_stats_t) >= 9 * 8, "cohort_cache_stats_t shrank");
_Static_assert(offsetof(cohort_cache_stats_t, rejected) == 64, "cohort_cache_stats_t changed");

static JavaVM *cohort_java_vm;
static jclass cohort_java_errors;   // Errors
static jmethodID cohort_java_of;    // Errors.of(int, byte[])
static jclass cohort_java_upcalls;  // Upcalls
static jmethodID cohort_java_evicted;
static jmethodID cohort_java_hash;
static jmethodID cohort_java_forget;
static jclass cohort_java_byte_array;
static pthread_key_t cohort_java_error_key;
static pthread_key_t cohort_java_thread_key;
static __thread cohort_error_t *cohort_java_error_here;

static void cohort_java_free_error(void *error) { cohort_error_free((cohort_error_t *)error); }
static void cohort_java_detach(void *unused) {
  (void)unused;
  (*cohort_java_vm)->DetachCurrentThread(cohort_java_vm);
}

static jclass cohort_java_class(JNIEnv *jenv, const char *name) {
  jclass local = (*jenv)->FindClass(jenv, name);
  return local ? (jclass)(*jenv)->NewGlobalRef(jenv, local) : NULL;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
  JNIEnv *jenv = NULL;
  (void)reserved;
  cohort_java_vm = vm;
  if ((*vm)->GetEnv(vm, (void **)&jenv, JNI_VERSION_1_8) != JNI_OK) return JNI_ERR;
  if (pthread_key_create(&cohort_java_error_key, cohort_java_free_error)) return JNI_ERR;
  if (pthread_key_create(&cohort_java_thread_key, cohort_java_detach)) return JNI_ERR;
  cohort_java_errors = cohort_java_class(jenv, "io/github/cohortcache/cohort/internal/Errors");
  if (!cohort_java_errors) return JNI_ERR;
  cohort_java_of = (*jenv)->GetStaticMethodID(jenv, cohort_java_errors, "of", "(I[B)Ljava/lang/RuntimeException;");
  cohort_java_upcalls = cohort_java_class(jenv, "io/github/cohortcache/cohort/internal/Upcalls");
  if (!cohort_java_of || !cohort_java_upcalls) return JNI_ERR;
  cohort_java_evicted = (*jenv)->GetStaticMethodID(jenv, cohort_java_upcalls, "evicted", "(JII[B[B)V");
  cohort_java_hash = (*jenv)->GetStaticMethodID(jenv, cohort_java_upcalls, "hash", "(J[B)J");
  cohort_java_forget = (*jenv)->GetStaticMethodID(jenv, cohort_java_upcalls, "forget", "(J)V");
  cohort_java_byte_array = cohort_java_class(jenv, "[B");
  if (!cohort_java_evicted || !cohort_java_hash || !cohort_java_forget || !cohort_java_byte_array) return JNI_ERR;
  return JNI_VERSION_1_8;
}

// The error object of this thread; freed when the thread ends.
static cohort_error_t *cohort_java_error(void) {
  if (!cohort_java_error_here) {
    cohort_java_error_here = cohort_error_new();
    pthread_setspecific(cohort_java_error_key, cohort_java_error_here);
  }
  return cohort_java_error_here;
}

static jbyteArray cohort_java_array(JNIEnv *jenv, const void *data, int64_t size) {
  jbyteArray array = (*jenv)->NewByteArray(jenv, (jsize)size);
  if (array && size > 0) (*jenv)->SetByteArrayRegion(jenv, array, 0, (jsize)size, (const jbyte *)data);
  return array;
}

static void cohort_java_throw(JNIEnv *jenv, const cohort_error_t *error) {
  jbyteArray message;
  jobject thrown;
  if ((*jenv)->ExceptionCheck(jenv)) return;
  message = cohort_java_array(jenv, cohort_error_message(error), cohort_error_message_size(error));
  if (!message) return;
  thrown = (*jenv)->CallStaticObjectMethod(jenv, cohort_java_errors, cohort_java_of, (jint)cohort_error_status(error), message);
  if (thrown && !(*jenv)->ExceptionCheck(jenv)) (*jenv)->Throw(jenv, (jthrowable)thrown);
}

// The bytes of an array for the time of a call.
typedef struct cohort_java_bytes {
  void *data;
  void *heap; // NULL: they are in place
  size_t size;
  jbyte place[512];
} cohort_java_bytes_t;

static int cohort_java_hold(JNIEnv *jenv, jbyteArray array, cohort_java_bytes_t *held) {
  jsize size = array ? (*jenv)->GetArrayLength(jenv, array) : 0;
  held->heap = NULL;
  held->data = held->place;
  held->size = (size_t)size;
  if ((size_t)size > sizeof held->place) {
    held->data = held->heap = malloc((size_t)size);
    if (!held->heap) {
      jclass out_of_memory = (*jenv)->FindClass(jenv, "java/lang/OutOfMemoryError");
      if (out_of_memory) (*jenv)->ThrowNew(jenv, out_of_memory, "no memory for the bytes of a call");
      return 0;
    }
  }
  if (size > 0) (*jenv)->GetByteArrayRegion(jenv, array, 0, size, (jbyte *)held->data);
  return 1;
}

static void cohort_java_let_go(cohort_java_bytes_t *held) { free(held->heap); }

// Tags for gets: unique in the process, taken in blocks so that threads do not fight over them.
static uint64_t cohort_java_tag(void) {
  static uint64_t next_block = 1;
  static __thread uint64_t next, end;
  if (next == end) {
    next = __atomic_fetch_add(&next_block, 1, __ATOMIC_RELAXED) << 12;
    end = next + (1 << 12);
  }
  return next++;
}

// What a thread keeps for its gets, in a direct buffer; Scratch.java reads and writes it at these offsets.
typedef struct cohort_java_scratch {
  cohort_answer_t answer;
  uint64_t tag; // of the event of a pending get
  int64_t unused;
  char key[960];
  char value[8192];
  cohort_event_t event; // what came to a seat
} cohort_java_scratch_t;
_Static_assert(sizeof(cohort_answer_t) == 48, "cohort_answer_t grew: update Scratch.java");
COHORT_JAVA_AT(cohort_answer_t, size, 0);
COHORT_JAVA_AT(cohort_answer_t, expire_unix_ns, 8);
COHORT_JAVA_AT(cohort_answer_t, value, 16);
COHORT_JAVA_AT(cohort_answer_t, load, 24);
COHORT_JAVA_AT(cohort_answer_t, ticket, 32);
COHORT_JAVA_AT(cohort_answer_t, source, 40);
COHORT_JAVA_AT(cohort_java_scratch_t, tag, 48);
COHORT_JAVA_AT(cohort_java_scratch_t, key, 64);
COHORT_JAVA_AT(cohort_java_scratch_t, value, 1024);
COHORT_JAVA_AT(cohort_java_scratch_t, event, 9216);
_Static_assert(sizeof(cohort_java_scratch_t) == 9304, "the scratch grew: update Scratch.java");

static int32_t cohort_java_begin_with(cohort_group_t *group, cohort_java_scratch_t *at, const char *key, size_t key_size,
                                      int32_t flags, int64_t timeout_ms, cohort_queue_t *queue, cohort_error_t *error) {
  at->tag = cohort_java_tag();
  return cohort_group_begin(group, key, key_size, at->value, sizeof at->value, flags, timeout_ms, queue, at->tag, &at->answer,
                            error);
}

// Copies values into the room while they fit and drops their references. While one is copied, the next is on its way to the
// processor's caches.
static void cohort_java_copy_hits(cohort_answer_t *answers, int64_t many, char *to, int64_t room) {
  enum { LINE = 64, AHEAD = 1024 };
  const char *data = NULL;
  int64_t i, next = -1, at;
  for (i = 0; i < many; i = next) {
    const char *next_data = NULL;
    for (next = i + 1; next < many && !answers[next].value; next++) {}
    if (next < many) {
      int64_t ahead = answers[next].size < AHEAD ? answers[next].size : AHEAD;
      next_data = (const char *)cohort_value_data(answers[next].value);
      for (at = 0; at < ahead; at += LINE) __builtin_prefetch(next_data + at);
    }
    if (answers[i].value && answers[i].size <= room) {
      if (!data) data = (const char *)cohort_value_data(answers[i].value);
      memcpy(to, data, (size_t)answers[i].size);
      cohort_value_free(answers[i].value);
      answers[i].value = NULL;
      to += answers[i].size;
      room -= answers[i].size;
    }
    data = next_data;
  }
}

// A thread of the engine enters Java: as a daemon, so that it never keeps the JVM from ending, and leaves when it ends.
static JNIEnv *cohort_java_enter(void) {
  JNIEnv *jenv = NULL;
  jint state = (*cohort_java_vm)->GetEnv(cohort_java_vm, (void **)&jenv, JNI_VERSION_1_8);
  if (state == JNI_OK) return jenv;
  JavaVMAttachArgs arguments = {JNI_VERSION_1_8, (char *)"cohort", NULL};
  if (state != JNI_EDETACHED ||
      (*cohort_java_vm)->AttachCurrentThreadAsDaemon(cohort_java_vm, (void **)&jenv, &arguments) != JNI_OK) return NULL;
  pthread_setspecific(cohort_java_thread_key, jenv);
  return jenv;
}

// Java's methods catch everything; what is left is an error of the JVM itself, which has nowhere to go from here.
static void cohort_java_leave(JNIEnv *jenv) {
  if ((*jenv)->ExceptionCheck(jenv)) (*jenv)->ExceptionClear(jenv);
  (*jenv)->PopLocalFrame(jenv, NULL);
}

static void cohort_java_on_evicted(void *user, int32_t tier, int32_t reason, const char *key, size_t key_size,
                                   const cohort_value_t *value) {
  JNIEnv *jenv = cohort_java_enter();
  jbyteArray bytes, name;
  if (!jenv || (*jenv)->PushLocalFrame(jenv, 4)) return;
  name = cohort_java_array(jenv, key, (int64_t)key_size);
  bytes = name ? cohort_java_array(jenv, cohort_value_data(value), cohort_value_size(value)) : NULL;
  if (bytes) {
    (*jenv)->CallStaticVoidMethod(jenv, cohort_java_upcalls, cohort_java_evicted, (jlong)(intptr_t)user, (jint)tier,
                                  (jint)reason, name, bytes);
  }
  cohort_java_leave(jenv);
}

static uint64_t cohort_java_on_hash(void *user, const void *data, size_t size) {
  JNIEnv *jenv = cohort_java_enter();
  jbyteArray bytes;
  jlong hash = 0;
  if (!jenv || (*jenv)->PushLocalFrame(jenv, 4)) return 0;
  bytes = cohort_java_array(jenv, data, (int64_t)size);
  if (bytes) hash = (*jenv)->CallStaticLongMethod(jenv, cohort_java_upcalls, cohort_java_hash, (jlong)(intptr_t)user, bytes);
  cohort_java_leave(jenv);
  return (uint64_t)hash;
}

static void cohort_java_on_destroy(void *user) {
  JNIEnv *jenv = cohort_java_enter();
  if (!jenv || (*jenv)->PushLocalFrame(jenv, 4)) return;
  (*jenv)->CallStaticVoidMethod(jenv, cohort_java_upcalls, cohort_java_forget, (jlong)(intptr_t)user);
  cohort_java_leave(jenv);
}
%}

%inline %{
/* The address of a direct buffer. */
static int64_t cohort_java_address(JNIEnv *jenv, jobject buffer) {
  return (int64_t)(intptr_t)(*jenv)->GetDirectBufferAddress(jenv, buffer);
}
/* Begins a get of the key in a scratch, which takes the answer: no memory of Java's is touched. Returns what begin answered. */
static int32_t cohort_java_begin(cohort_group_t *group, int64_t scratch, int64_t key_bytes, int32_t flags, int64_t timeout_ms,
                                 cohort_queue_t *queue, cohort_error_t *error) {
  cohort_java_scratch_t *at = (cohort_java_scratch_t *)(intptr_t)scratch;
  return cohort_java_begin_with(group, at, at->key, (size_t)key_bytes, flags, timeout_ms, queue, error);
}
/* As cohort_java_begin, with a key that is elsewhere. */
static int32_t cohort_java_begin_key(cohort_group_t *group, int64_t scratch, const char *key, size_t key_size, int32_t flags,
                                     int64_t timeout_ms, cohort_queue_t *queue, cohort_error_t *error) {
  return cohort_java_begin_with(group, (cohort_java_scratch_t *)(intptr_t)scratch, key, key_size, flags, timeout_ms, queue, error);
}

/* Begins many gets. A batch is memory of Java's: so many answers, the sizes of the keys, the keys, and room for values. Hits are
   copied there, one after the other, as far as they fit; the others stay in their answers. Who will await the others has the
   hits copied with them. Returns the hits. */
static int64_t cohort_java_begin_many(cohort_group_t *group, int64_t batch, int64_t many, int64_t keys_bytes, int64_t room,
                                      int32_t awaits, int64_t timeout_ms, cohort_queue_t *queue, uint64_t first_tag,
                                      cohort_error_t *error) {
  cohort_answer_t *answers = (cohort_answer_t *)(intptr_t)batch;
  const int64_t *sizes = (const int64_t *)(answers + many);
  const char *keys = (const char *)(sizes + many);
  int64_t hits = cohort_group_begin_many(group, keys, (size_t)keys_bytes, sizes, (size_t)many, 0, timeout_ms, queue, first_tag,
                                         answers, error);
  if (hits == many || (hits > 0 && !awaits)) cohort_java_copy_hits(answers, many, (char *)(intptr_t)keys + keys_bytes, room);
  return hits;
}
/* Waits for gets of a batch of which so many are missing, until all have ended or some have failed. What they bring is in their
   answers, as of a hit; with the last one all values are copied. Events of failures are handed out, at most `max`. Returns how
   many have ended, times 2^32, and how many of them have failed. */
static int64_t cohort_java_await_many(cohort_queue_t *queue, int64_t batch, int64_t many, int64_t keys_bytes, int64_t room,
                                      uint64_t first_tag, int64_t missing, int64_t failed, int64_t max) {
  cohort_answer_t *answers = (cohort_answer_t *)(intptr_t)batch;
  cohort_event_t *events = (cohort_event_t *)(intptr_t)failed;
  int64_t ended = 0, failures = 0;
  while (ended < missing && failures == 0) {
    int64_t i, came = cohort_queue_wait(queue, events, (size_t)max, -1);
    for (i = 0; i < came; i++) {
      cohort_event_t event = events[i];
      uint64_t place = event.tag - first_tag;
      if (place >= (uint64_t)many) { // of a get whose caller was ended by an error in the middle
        cohort_event_release(&event);
        continue;
      }
      ended++;
      if (event.status != COHORT_OK) {
        events[failures++] = event;
        continue;
      }
      answers[place].value = event.value;
      answers[place].size = event.size;
      answers[place].expire_unix_ns = event.expire_unix_ns;
      answers[place].source = event.source;
    }
  }
  if (ended == missing) {
    cohort_java_copy_hits(answers, many, (char *)(intptr_t)batch + many * (int64_t)(sizeof *answers + 8) + keys_bytes, room);
  }
  return ended << 32 | failures;
}

/* The bytes of a value, whose reference is dropped. */
static jbyteArray cohort_java_take(JNIEnv *jenv, cohort_value_t *value) {
  jbyteArray bytes = cohort_java_array(jenv, cohort_value_data(value), cohort_value_size(value));
  cohort_value_free(value);
  return bytes;
}
/* A direct buffer over a value, which must outlive it. */
static jobject cohort_java_view(JNIEnv *jenv, cohort_value_t *value) {
  return (*jenv)->NewDirectByteBuffer(jenv, (void *)(intptr_t)cohort_value_data(value), cohort_value_size(value));
}
/* A copy of memory that an event lends. */
static jbyteArray cohort_java_copy(JNIEnv *jenv, int64_t address, int64_t size) {
  return cohort_java_array(jenv, (const void *)(intptr_t)address, size);
}
/* A value over a copy of a part of a direct buffer. */
static cohort_value_t *cohort_java_value_of(JNIEnv *jenv, jobject buffer, int64_t offset, int64_t size,
                                            int64_t expire_unix_ns, cohort_error_t *error) {
  char *data = (char *)(*jenv)->GetDirectBufferAddress(jenv, buffer);
  return cohort_value_new(data ? data + offset : NULL, (size_t)size, expire_unix_ns, error);
}
/* As cohort_group_begin_set, with a value. */
static int32_t cohort_java_begin_set_value(cohort_group_t *group, const char *key, size_t key_size, cohort_value_t *held,
                                           int64_t timeout_ms, cohort_queue_t *queue, uint64_t tag,
                                           cohort_error_t *error) {
  return cohort_group_begin_set(group, key, key_size, cohort_value_data(held), (size_t)cohort_value_size(held),
                                cohort_value_expire_unix_ns(held), timeout_ms, queue, tag, error);
}

/* Waits for events, which are written to the direct buffer. */
static int64_t cohort_java_wait(JNIEnv *jenv, cohort_queue_t *queue, jobject events, int64_t max, int64_t timeout_ms) {
  return cohort_queue_wait(queue, (cohort_event_t *)(*jenv)->GetDirectBufferAddress(jenv, events), (size_t)max, timeout_ms);
}
/* Waits for the one event that comes to a seat, which is written to the scratch. 1: it has come. */
static int32_t cohort_java_wait_seated(cohort_queue_t *queue, int64_t scratch, int64_t timeout_ms) {
  cohort_java_scratch_t *at = (cohort_java_scratch_t *)(intptr_t)scratch;
  int64_t came;
  do {
    came = cohort_queue_wait(queue, &at->event, 1, timeout_ms);
  } while (came == 0 && timeout_ms < 0);
  return (int32_t)came;
}
/* Releases what the event number index of the buffer owns. */
static void cohort_java_release(JNIEnv *jenv, jobject events, int64_t index) {
  cohort_event_release((cohort_event_t *)(*jenv)->GetDirectBufferAddress(jenv, events) + index);
}

/* The key of a load. */
static jbyteArray cohort_java_load_key(JNIEnv *jenv, cohort_load_t *load) {
  return cohort_java_array(jenv, cohort_load_key(load), cohort_load_key_size(load));
}

/* What a request holds: peer, group, key, value, method, target, headers. numbers: op, expire_unix_ns, time_left_ms. */
static jobjectArray cohort_java_request(JNIEnv *jenv, cohort_request_t *request, jlongArray numbers) {
  cohort_request_view_t view;
  jobjectArray parts = (*jenv)->NewObjectArray(jenv, 7, cohort_java_byte_array, NULL);
  const void *data[7];
  int64_t sizes[7];
  jlong three[3];
  int i;
  memset(&view, 0, sizeof view);
  cohort_request_view(request, &view);
  data[0] = view.peer, sizes[0] = view.peer_size;
  data[1] = view.group, sizes[1] = view.group_size;
  data[2] = view.key, sizes[2] = view.key_size;
  data[3] = view.value, sizes[3] = view.value_size;
  data[4] = view.method, sizes[4] = view.method_size;
  data[5] = view.target, sizes[5] = view.target_size;
  data[6] = view.headers, sizes[6] = view.headers_size;
  for (i = 0; parts && i < 7; i++) {
    jbyteArray part = cohort_java_array(jenv, data[i], sizes[i]);
    if (!part) return NULL;
    (*jenv)->SetObjectArrayElement(jenv, parts, i, part);
    (*jenv)->DeleteLocalRef(jenv, part);
  }
  if (!parts) return NULL;
  three[0] = view.op;
  three[1] = view.expire_unix_ns;
  three[2] = view.time_left_ms;
  (*jenv)->SetLongArrayRegion(jenv, numbers, 0, 3, three);
  return parts;
}
/* The sizes of the keys of a request. */
static jlongArray cohort_java_request_key_sizes(JNIEnv *jenv, cohort_request_t *request) {
  cohort_request_view_t view;
  jlongArray sizes;
  memset(&view, 0, sizeof view);
  cohort_request_view(request, &view);
  sizes = (*jenv)->NewLongArray(jenv, (jsize)(view.key_sizes ? view.key_count : 0));
  if (sizes && view.key_sizes) {
    (*jenv)->SetLongArrayRegion(jenv, sizes, 0, (jsize)view.key_count, (const jlong *)view.key_sizes);
  }
  return sizes;
}

/* What a response holds: headers, body. status[0]: the HTTP status. */
static jobjectArray cohort_java_response(JNIEnv *jenv, cohort_response_t *response, jlongArray status) {
  cohort_response_view_t view;
  jobjectArray parts = (*jenv)->NewObjectArray(jenv, 2, cohort_java_byte_array, NULL);
  jbyteArray part;
  jlong number;
  memset(&view, 0, sizeof view);
  cohort_response_view(response, &view);
  if (!parts || !(part = cohort_java_array(jenv, view.headers, view.headers_size))) return NULL;
  (*jenv)->SetObjectArrayElement(jenv, parts, 0, part);
  (*jenv)->DeleteLocalRef(jenv, part);
  if (!(part = cohort_java_array(jenv, view.body, view.body_size))) return NULL;
  (*jenv)->SetObjectArrayElement(jenv, parts, 1, part);
  number = view.http_status;
  (*jenv)->SetLongArrayRegion(jenv, status, 0, 1, &number);
  return parts;
}

/* Evictions are told to Upcalls.evicted with the tag; Upcalls.forget(tag) ends it. */
static cohort_status_t cohort_java_set_evicted(cohort_group_options_t *options, int64_t tag, cohort_error_t *error) {
  return cohort_group_options_set_eviction_listener(options, cohort_java_on_evicted, cohort_java_on_destroy,
                                                    (void *)(intptr_t)tag, error);
}
/* Keys are hashed by Upcalls.hash with the tag; Upcalls.forget(tag) ends it. */
static cohort_status_t cohort_java_set_hash(cohort_instance_options_t *options, int64_t tag, cohort_error_t *error) {
  return cohort_instance_options_set_hash(options, cohort_java_on_hash, cohort_java_on_destroy, (void *)(intptr_t)tag, error);
}
%}
