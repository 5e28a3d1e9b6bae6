/* The calls whose answers take several forms: getting, and showing requests and responses. */
#ifndef COHORT_PYTHON_CALLS_H_
#define COHORT_PYTHON_CALLS_H_

/* What a hit is handed out as. */
enum { HIT_AS_BYTES = 0, HIT_AS_VALUE = 1, HIT_AS_TEXT = 2, HIT_AS_VIEW = 3 };

/* The one object that a hit is; takes over `value`, also when it fails. */
static PyObject* hit_object(cohort_value_t* value, const cohort_answer_t* answer, int32_t hit_as) {
  PyObject* object;
  if (hit_as == HIT_AS_BYTES) {
    object = PyBytes_FromStringAndSize((const char*)cohort_value_data(value), (Py_ssize_t)answer->size);
  } else if (hit_as == HIT_AS_TEXT) {
    object = PyUnicode_DecodeUTF8((const char*)cohort_value_data(value), (Py_ssize_t)answer->size, NULL);
  } else {
    PyObject* held = value_wrap(value, answer->expire_unix_ns, answer->source, 0);
    if (hit_as == HIT_AS_VALUE || held == NULL) return held;
    object = PyMemoryView_FromObject(held);
    Py_DECREF(held);
    return object;
  }
  cohort_value_free(value);
  return object;
}

static int32_t begin_raw(cohort_group_t* group, const bytes_arg* key, int32_t flags, int64_t timeout_ms,
                         cohort_queue_t* queue, uint64_t tag, int32_t without_gil, cohort_answer_t* answer,
                         cohort_error_t* error) {
  int32_t began;
  if (!without_gil) {
    return cohort_group_begin(group, key->data, key->size, NULL, 0, flags, timeout_ms, queue, tag, answer, error);
  }
  Py_BEGIN_ALLOW_THREADS began =
      cohort_group_begin(group, key->data, key->size, NULL, 0, flags, timeout_ms, queue, tag, answer, error);
  Py_END_ALLOW_THREADS return began;
}

/* A hit: see above. Pending: its ticket, an int. This caller leads: the load. A peek's miss: None. */
static PyObject* begun_object(int32_t began, const cohort_answer_t* answer, int32_t hit_as,
                              const cohort_error_t* error) {
  switch (began) {
    case COHORT_BEGIN_HIT:
      return hit_object(answer->value, answer, hit_as);
    case COHORT_BEGIN_PENDING:
      return PyLong_FromUnsignedLongLong(answer->ticket);
    case COHORT_BEGIN_LEAD:
      return handle_wrap(HANDLE_LOAD, answer->load);
    case COHORT_BEGIN_MISS:
      Py_RETURN_NONE;
    default:
      return error_raise(error);
  }
}

/* Begins a get. */
static PyObject* begin(cohort_group_t* group, const bytes_arg* key, int32_t flags, int64_t timeout_ms,
                       cohort_queue_t* queue, uint64_t tag, int32_t hit_as, int32_t without_gil) {
  cohort_answer_t answer;
  cohort_error_t* error = error_borrow();
  int32_t began = begin_raw(group, key, flags, timeout_ms, queue, tag, without_gil, &answer, error);
  PyObject* result = begun_object(began, &answer, hit_as, error);
  error_return(error);
  return result;
}

/* Asks the processor for a value that will be read soon. */
static void value_prefetch(const cohort_answer_t* answer) {
  enum { LINE = 64, AHEAD = 1024 };
  const char* data;
  int64_t at;
  if (answer->value == NULL) return;
  data = (const char*)cohort_value_data(answer->value);
  for (at = 0; at < answer->size && at < AHEAD; at += LINE) __builtin_prefetch(data + at);
}

/* As hit_object, of one of many gets. What is not text although text is asked for is a Value: its get fails when the
 * others have ended. */
static PyObject* one_of_many(cohort_value_t* value, const cohort_answer_t* answer, int32_t hit_as) {
  PyObject* object;
  if (hit_as != HIT_AS_TEXT) return hit_object(value, answer, hit_as);
  object = hit_object(cohort_value_clone(value), answer, HIT_AS_TEXT);
  if (object == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
    PyErr_Clear();
    object = hit_object(cohort_value_clone(value), answer, HIT_AS_VALUE);
  }
  cohort_value_free(value);
  return object;
}

/* Begins many gets: a list with an object for each hit and a ticket for each of the others (0: a peek's miss), and the
 * number of the others. */
static PyObject* begin_many(cohort_group_t* group, const keys_arg* keys, int32_t flags, int64_t timeout_ms,
                            cohort_queue_t* queue, uint64_t first_tag, int32_t hit_as) {
  cohort_answer_t* answers = (cohort_answer_t*)PyMem_Calloc(keys->count + 1, sizeof *answers);
  cohort_error_t* error;
  int64_t hits;
  size_t i;
  PyObject* list;
  if (answers == NULL) return PyErr_NoMemory();
  error = error_borrow();
  Py_BEGIN_ALLOW_THREADS hits = cohort_group_begin_many(group, keys->data, keys->size, keys->sizes, keys->count, flags,
                                                        timeout_ms, queue, first_tag, answers, error);
  Py_END_ALLOW_THREADS list = hits < 0 ? error_raise(error) : PyList_New((Py_ssize_t)keys->count);
  for (i = 0; hits >= 0 && i < keys->count; i++) {
    cohort_value_t* value = answers[i].value;
    PyObject* answer;
    if (list == NULL) {
      cohort_value_free(value);
      continue;
    }
    value_prefetch(&answers[i + 1]);
    if (value == NULL) {
      answer = PyLong_FromUnsignedLongLong(answers[i].ticket);
    } else {
      answer = one_of_many(value, &answers[i], hit_as);
    }
    if (answer == NULL) {
      Py_CLEAR(list);
      continue;
    }
    PyList_SET_ITEM(list, (Py_ssize_t)i, answer);
  }
  error_return(error);
  PyMem_Free(answers);
  return list == NULL ? NULL : Py_BuildValue("NL", list, (long long)keys->count - hits);
}

/* Waits for some of the gets of a list that begin_many made, and puts what they bring into their places. Returns how
 * many have ended, and the events of those that have failed. */
static PyObject* await_many(cohort_queue_t* queue, PyObject* list, uint64_t first_tag, int32_t hit_as, int32_t fd) {
  cohort_event_t events[MOST_EVENTS];
  int64_t i, count;
  PyObject* failed;
  if (!PyList_CheckExact(list)) {
    PyErr_SetString(PyExc_TypeError, "a list of results is needed");
    return NULL;
  }
  count = events_wait(queue, events, MOST_EVENTS, -1, fd);
  failed = count < 0 ? NULL : PyList_New(0);
  for (i = 0; i < count; i++) {
    cohort_event_t* event = &events[i];
    uint64_t place = event->tag - first_tag;
    PyObject* object = NULL;
    int wrong = 1;
    if (failed != NULL && event->status == COHORT_OK && event->value != NULL &&
        place < (uint64_t)PyList_GET_SIZE(list)) {
      cohort_answer_t answer = {.size = event->size, .expire_unix_ns = event->expire_unix_ns, .source = event->source};
      cohort_value_t* value = event->value;
      event->value = NULL;
      object = one_of_many(value, &answer, hit_as);
      wrong = object == NULL || PyList_SetItem(list, (Py_ssize_t)place, object) != 0;
    } else if (failed != NULL && (object = event_tuple(event)) != NULL) {
      wrong = PyList_Append(failed, object);
      Py_DECREF(object);
    }
    if (wrong) Py_CLEAR(failed);
    cohort_event_release(event);
  }
  return failed == NULL ? NULL : Py_BuildValue("LN", (long long)count, failed);
}

/* (http_status, headers, body) */
static PyObject* response_parts(cohort_response_t* response) {
  cohort_response_view_t view;
  cohort_response_view(response, &view);
  return Py_BuildValue("Ly#y#", (long long)view.http_status, view.headers_size > 0 ? view.headers : "",
                       (Py_ssize_t)view.headers_size, view.body_size > 0 ? (const char*)view.body : "",
                       (Py_ssize_t)view.body_size);
}

/* (op, peer, group, keys, value, expire_unix_ns, method, target, headers, time_left_ms) */
static PyObject* request_parts(cohort_request_t* request) {
  cohort_request_view_t view;
  PyObject* keys;
  const char* at;
  int64_t i, count;
  cohort_request_view(request, &view);
  count = view.op == COHORT_REQUEST_RAW ? 0 : view.op == COHORT_REQUEST_REMOVE_KEYS ? view.key_count : 1;
  keys = PyList_New((Py_ssize_t)count);
  if (keys == NULL) return NULL;
  for (i = 0, at = view.key; i < count; i++) {
    int64_t size = view.op == COHORT_REQUEST_REMOVE_KEYS ? view.key_sizes[i] : view.key_size;
    PyObject* key = PyBytes_FromStringAndSize(size > 0 ? at : "", (Py_ssize_t)size);
    if (key == NULL) {
      Py_DECREF(keys);
      return NULL;
    }
    PyList_SET_ITEM(keys, (Py_ssize_t)i, key);
    at += size;
  }
#define PART(name) view.name##_size > 0 ? (const char*)view.name : "", (Py_ssize_t)view.name##_size
  return Py_BuildValue("is#s#Ny#Ls#s#y#L", (int)view.op, PART(peer), PART(group), keys, PART(value),
                       (long long)view.expire_unix_ns, PART(method), PART(target), PART(headers),
                       (long long)view.time_left_ms);
#undef PART
}

#endif /* COHORT_PYTHON_CALLS_H_ */
