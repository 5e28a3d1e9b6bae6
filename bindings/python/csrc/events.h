/* Takes events out of a queue as tuples (kind, status, tag, what, key, error_tag); `what` owns what the event owned. */
#ifndef COHORT_PYTHON_EVENTS_H_
#define COHORT_PYTHON_EVENTS_H_

#include <errno.h>
#include <poll.h>

/* GET and OK: the Value. LEAD, LOAD: the load, and the key. SEND, RESPONSE: the handle. Everything else: the text. */
static PyObject* event_tuple(cohort_event_t* event) {
  PyObject *what = NULL, *key = NULL;
  if (event->kind == COHORT_EVENT_GET && event->status == COHORT_OK) {
    what = value_wrap(event->value, event->expire_unix_ns, event->source, event->flags);
    event->value = NULL;
  } else if (event->load != NULL) {
    key = PyBytes_FromStringAndSize((const char*)event->data, (Py_ssize_t)event->size);
    what = handle_wrap(HANDLE_LOAD, event->load);
    event->load = NULL;
  } else if (event->request != NULL) {
    what = handle_wrap(HANDLE_REQUEST, event->request);
    event->request = NULL;
  } else if (event->response != NULL) {
    what = handle_wrap(HANDLE_RESPONSE, event->response);
    event->response = NULL;
  } else {
    what = text_of(event->size > 0 ? event->data : "", event->size);
  }
  cohort_event_release(event);
  if (key == NULL) {
    key = Py_None;
    Py_INCREF(key);
  }
  if (what == NULL) {
    Py_DECREF(key);
    return NULL;
  }
  return Py_BuildValue("iiKNNK", (int)event->kind, (int)event->status, (unsigned long long)event->tag, what, key,
                       (unsigned long long)event->error_tag);
}

/* Waits for the queue's descriptor, so that signals are handled meanwhile. -1 with an exception if a handler raised. */
static int wait_readable(int fd, int64_t timeout_ms) {
  for (;;) {
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    int ready, problem;
    Py_BEGIN_ALLOW_THREADS ready = poll(&poller, 1, timeout_ms < 0 || timeout_ms > INT_MAX ? -1 : (int)timeout_ms);
    problem = ready < 0 ? errno : 0;
    Py_END_ALLOW_THREADS if (ready >= 0) return 0;
    errno = problem;
    if (problem != EINTR) {
      PyErr_SetFromErrno(PyExc_OSError);
      return -1;
    }
    if (PyErr_CheckSignals() != 0) return -1;
  }
}

/* How many threads wait for as long as it takes. Guarded by the GIL, as is what reads it. */
static int32_t events_waited_for;

enum { MOST_EVENTS = 64 }; /* that are taken at once */

/* Waits for events and takes up to `max`. `fd`: the queue's descriptor to wait for with signals in mind, or -1: wait
 * without. Returns how many; -1 with an exception. */
static int64_t events_wait(cohort_queue_t* queue, cohort_event_t* events, int64_t max, int64_t timeout_ms, int32_t fd) {
  int64_t count;
  if (max > MOST_EVENTS) max = MOST_EVENTS;
  if (fd >= 0) {
    if (timeout_ms != 0 && wait_readable(fd, timeout_ms) != 0) return -1;
    timeout_ms = 0;
  }
  if (timeout_ms == 0) return cohort_queue_wait(queue, events, (size_t)max, 0);
  events_waited_for += timeout_ms < 0;
  Py_BEGIN_ALLOW_THREADS count = cohort_queue_wait(queue, events, (size_t)max, timeout_ms);
  Py_END_ALLOW_THREADS events_waited_for -= timeout_ms < 0;
  return count;
}

/* Up to `max` events as a list. */
static PyObject* events_take(cohort_queue_t* queue, int64_t max, int64_t timeout_ms, int32_t fd) {
  cohort_event_t events[MOST_EVENTS];
  int64_t i, count = events_wait(queue, events, max, timeout_ms, fd);
  PyObject* list = count < 0 ? NULL : PyList_New((Py_ssize_t)count);
  for (i = 0; i < count; i++) {
    PyObject* tuple = list == NULL ? NULL : event_tuple(&events[i]);
    if (tuple == NULL) {
      Py_CLEAR(list);
      cohort_event_release(&events[i]);
      continue;
    }
    PyList_SET_ITEM(list, (Py_ssize_t)i, tuple);
  }
  return list;
}

#endif /* COHORT_PYTHON_EVENTS_H_ */
