/* The two calls that the engine makes into Python from threads of its own: eviction listeners and hashes. */
#ifndef COHORT_PYTHON_UPCALLS_H_
#define COHORT_PYTHON_UPCALLS_H_

/* Set when the interpreter begins to end: from then on no foreign thread may ask for the GIL. */
static volatile int upcalls_off;

static void upcall_destroy(void* user) {
  PyGILState_STATE state;
  if (upcalls_off) return; /* the interpreter is about to go, and its objects with it */
  state = PyGILState_Ensure();
  Py_DECREF((PyObject*)user);
  PyGILState_Release(state);
}

static void upcall_evicted(void* user, int32_t tier, int32_t reason, const char* key, size_t key_size,
                           const cohort_value_t* value) {
  PyGILState_STATE state;
  PyObject* result;
  if (upcalls_off) return;
  state = PyGILState_Ensure();
  result = PyObject_CallFunction((PyObject*)user, "iiy#N", (int)tier, (int)reason, key, (Py_ssize_t)key_size,
                                 value_wrap(cohort_value_clone(value), cohort_value_expire_unix_ns(value), 0, 0));
  if (result == NULL) PyErr_WriteUnraisable((PyObject*)user);
  Py_XDECREF(result);
  PyGILState_Release(state);
}

/* A hash that raises is 0 and is reported: keys then gather at one member, which is better than none. */
static uint64_t upcall_hash(void* user, const void* data, size_t size) {
  PyGILState_STATE state;
  PyObject* result;
  uint64_t hash = 0;
  if (upcalls_off) return 0;
  state = PyGILState_Ensure();
  result = PyObject_CallFunction((PyObject*)user, "y#", (const char*)data, (Py_ssize_t)size);
  if (result != NULL) hash = PyLong_AsUnsignedLongLongMask(result);
  if (PyErr_Occurred()) PyErr_WriteUnraisable((PyObject*)user);
  Py_XDECREF(result);
  PyGILState_Release(state);
  return hash;
}

#endif /* COHORT_PYTHON_UPCALLS_H_ */
