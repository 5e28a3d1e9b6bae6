/* The calls whose answers take several forms: getting, and showing requests and responses. */
#ifndef COHORT_PYTHON_CALLS_H_
#define COHORT_PYTHON_CALLS_H_

/* What a hit is handed out as. */
enum { HIT_AS_BYTES = 0, HIT_AS_VALUE = 1 };

/* Begins a get. A hit: bytes or a Value. Pending: its ticket, an int. This caller leads: the load. A peek's miss: None.
 */
static PyObject* begin(cohort_group_t* group, const bytes_arg* key, int32_t flags, int64_t timeout_ms,
                       cohort_queue_t* queue, uint64_t tag, int32_t hit_as, int32_t without_gil) {
  cohort_answer_t answer;
  cohort_error_t* error = error_borrow();
  int32_t began;
  PyObject* result;
  if (without_gil) {
    Py_BEGIN_ALLOW_THREADS began =
        cohort_group_begin(group, key->data, key->size, NULL, 0, flags, timeout_ms, queue, tag, &answer, error);
    Py_END_ALLOW_THREADS
  } else {
    began = cohort_group_begin(group, key->data, key->size, NULL, 0, flags, timeout_ms, queue, tag, &answer, error);
  }
  switch (began) {
    case COHORT_BEGIN_HIT:
      if (hit_as == HIT_AS_BYTES) {
        result = value_to_bytes(answer.value);
        cohort_value_free(answer.value);
      } else {
        result = value_wrap(answer.value, answer.expire_unix_ns, answer.source, 0);
      }
      break;
    case COHORT_BEGIN_PENDING:
      result = PyLong_FromUnsignedLongLong(answer.ticket);
      break;
    case COHORT_BEGIN_LEAD:
      result = handle_wrap(HANDLE_LOAD, answer.load);
      break;
    case COHORT_BEGIN_MISS:
      result = Py_None;
      Py_INCREF(result);
      break;
    default:
      result = error_raise(error);
  }
  error_return(error);
  return result;
}

/* Begins many gets: a list with a Value for each hit, and a ticket for each of the others (0: a peek's miss). */
static PyObject* begin_many(cohort_group_t* group, const keys_arg* keys, int32_t flags, int64_t timeout_ms,
                            cohort_queue_t* queue, uint64_t first_tag) {
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
    answer = value != NULL ? value_wrap(value, answers[i].expire_unix_ns, answers[i].source, 0)
                           : PyLong_FromUnsignedLongLong(answers[i].ticket);
    if (answer == NULL) {
      Py_CLEAR(list);
      continue;
    }
    PyList_SET_ITEM(list, (Py_ssize_t)i, answer);
  }
  error_return(error);
  PyMem_Free(answers);
  return list;
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
