/* A Getter begins the gets of one group, without a tuple of arguments or a function of Python's in between: a hit is
 * the one object that is handed out. */
#ifndef COHORT_PYTHON_GETTER_H_
#define COHORT_PYTHON_GETTER_H_

#include <unistd.h>

typedef struct Getter {
  PyObject_HEAD vectorcallfunc vectorcall;
  PyObject* group;      /* its Handle */
  PyObject* idle;       /* a list of waiters that nobody uses; each has its queue's Handle as `queue` */
  PyObject* new_waiter; /* makes one */
  int32_t flags;
  int32_t hit_as;
  int32_t without_gil;
  int32_t waited; /* the last get had to wait, so the next one will, too */
} Getter;

static PyObject* getter_queue_name;
static int32_t getter_lent; /* threads that are lent; guarded by the GIL */

/* The waiter that the next get may need; it stays in the list. NULL with an exception otherwise. */
static PyObject* getter_waiter(Getter* self) {
  Py_ssize_t count = PyList_GET_SIZE(self->idle);
  PyObject* waiter;
  if (count > 0) {
    waiter = PyList_GET_ITEM(self->idle, count - 1);
    Py_INCREF(waiter);
    return waiter;
  }
  waiter = PyObject_CallNoArgs(self->new_waiter);
  if (waiter != NULL && PyList_Append(self->idle, waiter) != 0) Py_CLEAR(waiter);
  return waiter;
}

/* Takes the waiter out of the list, of which it is the last. Needs no memory, so it cannot fail. */
static void getter_pop(Getter* self, PyObject* waiter) {
  Py_ssize_t last = PyList_GET_SIZE(self->idle) - 1;
  assert(last >= 0 && PyList_GET_ITEM(self->idle, last) == waiter);
  Py_SET_SIZE((PyVarObject*)self->idle, last);
  Py_DECREF(waiter);
}

/* Whether this thread may be lent to the engine while its get waits: alone, or threads would only wait for the GIL one
 * time more; and `new_waiter.lends()`, which is asked once in each thread, and again after a fork, by which another
 * thread may have become the main one. */
static int32_t getter_lends(Getter* self) {
  static __thread pid_t asked_in;
  static __thread int32_t lends;
  if (getter_lent > 0 || events_waited_for > 0) return 0;
  if (asked_in != getpid()) {
    PyObject* answer = PyObject_CallMethod(self->new_waiter, "lends", NULL);
    lends = answer == Py_True;
    if (answer == NULL) PyErr_Clear();
    Py_XDECREF(answer);
    asked_in = getpid();
  }
  return lends;
}

/* A get that may wait, on a queue of a waiter. A hit, or (waiter, ticket), or (None, load) when this caller leads.
 *
 * A waiter serves one get at a time. It is removed before any code of Python's or another thread can see it in the
 * list: when the get is pending, or, if the GIL is let go of meanwhile, before the get begins. A get that did not need
 * it puts it back. */
static PyObject* getter_wait(Getter* self, const bytes_arg* key, cohort_group_t* group, int64_t timeout_ms) {
  int32_t lends = self->waited && getter_lends(self); /* runs code of Python's: before a waiter is looked for */
  PyObject *waiter = getter_waiter(self), *queue, *result;
  cohort_queue_t* raw;
  cohort_answer_t answer;
  cohort_error_t* error;
  int32_t began, without_gil;
  if (waiter == NULL) return NULL;
  queue = PyObject_GetAttr(waiter, getter_queue_name);
  raw = queue == NULL ? NULL : (cohort_queue_t*)handle_borrow(queue, HANDLE_QUEUE);
  if (raw == NULL) {
    Py_XDECREF(queue);
    Py_DECREF(waiter);
    return NULL;
  }
  without_gil = self->without_gil || lends;
  if (without_gil) getter_pop(self, waiter);
  error = error_borrow();
  getter_lent += lends;
  began = begin_raw(group, key, self->flags | (lends ? COHORT_GET_LEND : 0), timeout_ms, raw, 1, without_gil, &answer,
                    error);
  getter_lent -= lends;
  self->waited = began == COHORT_BEGIN_PENDING;
  if (began == COHORT_BEGIN_PENDING) {
    if (!without_gil) getter_pop(self, waiter);
    result = PyLong_FromUnsignedLongLong(answer.ticket);
    if (result != NULL) result = Py_BuildValue("ON", waiter, result);
  } else {
    if (without_gil && PyList_Append(self->idle, waiter) != 0) PyErr_Clear();
    result = begun_object(began, &answer, self->hit_as, error);
    if (began == COHORT_BEGIN_LEAD && result != NULL) result = Py_BuildValue("ON", Py_None, result);
  }
  error_return(error);
  Py_DECREF(queue);
  Py_DECREF(waiter);
  return result;
}

/* (key): a peek; a hit or None. (key, timeout_ms): see above. (key, timeout_ms, queue, tag): a hit, or a ticket. */
static PyObject* getter_call(PyObject* object, PyObject* const* args, size_t nargsf, PyObject* names) {
  Getter* self = (Getter*)object;
  Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  cohort_group_t* group = (cohort_group_t*)handle_borrow(self->group, HANDLE_GROUP);
  cohort_queue_t* queue = NULL;
  long long timeout_ms = 0;
  unsigned long long tag = 0;
  bytes_arg key = {0};
  PyObject* result = NULL;
  if (group == NULL) return NULL;
  if ((names != NULL && PyTuple_GET_SIZE(names) > 0) || (count != 1 && count != 2 && count != 4)) {
    PyErr_SetString(PyExc_TypeError, "a Getter takes (key), (key, timeout_ms) or (key, timeout_ms, queue, tag)");
    return NULL;
  }
  if (count > 1 && (timeout_ms = PyLong_AsLongLong(args[1])) == -1 && PyErr_Occurred()) return NULL;
  if (count == 4) {
    queue = (cohort_queue_t*)handle_borrow(args[2], HANDLE_QUEUE);
    if (queue == NULL) return NULL;
    tag = PyLong_AsUnsignedLongLong(args[3]);
    if (tag == (unsigned long long)-1 && PyErr_Occurred()) return NULL;
  }
  if (bytes_get(args[0], &key) == 0) {
    if (count == 2) {
      result = getter_wait(self, &key, group, timeout_ms);
    } else {
      int32_t flags = count == 1 ? COHORT_GET_PEEK : 0;
      result = begin(group, &key, flags, timeout_ms, queue, tag, self->hit_as, self->without_gil);
    }
  }
  bytes_done(&key);
  return result;
}

static void getter_dealloc(PyObject* object) {
  Getter* self = (Getter*)object;
  Py_CLEAR(self->group);
  Py_CLEAR(self->idle);
  Py_CLEAR(self->new_waiter);
  Py_TYPE(object)->tp_free(object);
}

static PyTypeObject getter_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cohort._core.Getter",
    .tp_basicsize = sizeof(Getter),
    .tp_dealloc = getter_dealloc,
    .tp_vectorcall_offset = offsetof(Getter, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = "Begins the gets of one group.",
};

static PyObject* getter_make(PyObject* group, PyObject* idle, PyObject* new_waiter, int32_t flags, int32_t hit_as,
                             int32_t without_gil) {
  Getter* self;
  if (handle_borrow(group, HANDLE_GROUP) == NULL) return NULL;
  if (!PyList_CheckExact(idle)) {
    PyErr_SetString(PyExc_TypeError, "a list of waiters is needed");
    return NULL;
  }
  if (getter_queue_name == NULL && (getter_queue_name = PyUnicode_InternFromString("queue")) == NULL) return NULL;
  self = PyObject_New(Getter, &getter_type);
  if (self == NULL) return NULL;
  self->vectorcall = getter_call;
  Py_INCREF(self->group = group);
  Py_INCREF(self->idle = idle);
  Py_INCREF(self->new_waiter = new_waiter);
  self->flags = flags;
  self->hit_as = hit_as;
  self->without_gil = without_gil;
  self->waited = 0;
  return (PyObject*)self;
}

#endif /* COHORT_PYTHON_GETTER_H_ */
