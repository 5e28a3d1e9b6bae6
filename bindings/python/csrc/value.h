/* A Value is a Python object over one of the engine's values: its bytes are read in place through the buffer protocol,
 * and every memoryview of it keeps it alive. Values never change, so they are read-only. */
#ifndef COHORT_PYTHON_VALUE_H_
#define COHORT_PYTHON_VALUE_H_

typedef struct Value {
  PyObject_HEAD cohort_value_t* value;
  int64_t expire_unix_ns;
  int32_t source;
  int32_t flags;
} Value;

static void value_dealloc(PyObject* object) {
  cohort_value_free(((Value*)object)->value);
  Py_TYPE(object)->tp_free(object);
}

static int value_getbuffer(PyObject* object, Py_buffer* view, int flags) {
  Value* self = (Value*)object;
  return PyBuffer_FillInfo(view, object, (void*)cohort_value_data(self->value), cohort_value_size(self->value), 1,
                           flags);
}

static Py_ssize_t value_length(PyObject* object) { return (Py_ssize_t)cohort_value_size(((Value*)object)->value); }

static PyObject* value_to_bytes(cohort_value_t* value) {
  return PyBytes_FromStringAndSize((const char*)cohort_value_data(value), (Py_ssize_t)cohort_value_size(value));
}

static PyObject* value_bytes(PyObject* object, PyObject* unused) {
  (void)unused;
  return value_to_bytes(((Value*)object)->value);
}

static PyObject* value_expire(PyObject* object, void* unused) {
  (void)unused;
  return PyLong_FromLongLong(((Value*)object)->expire_unix_ns);
}
static PyObject* value_source(PyObject* object, void* unused) {
  (void)unused;
  return PyLong_FromLong(((Value*)object)->source);
}

static PyObject* value_overtaken(PyObject* object, void* unused) {
  (void)unused;
  return PyBool_FromLong(((Value*)object)->flags & COHORT_EVENT_OVERTAKEN);
}

static PyBufferProcs value_buffer = {.bf_getbuffer = value_getbuffer};
static PySequenceMethods value_sequence = {.sq_length = value_length};
static PyMethodDef value_methods[] = {{"__bytes__", value_bytes, METH_NOARGS, "A copy of the bytes."}, {NULL}};
static PyGetSetDef value_getset[] = {{"expire_unix_ns", value_expire, NULL, "When it expires; 0 = never.", NULL},
                                     {"source", value_source, NULL, "COHORT_SOURCE_*.", NULL},
                                     {"overtaken", value_overtaken, NULL, "Not to be kept by anybody.", NULL},
                                     {NULL}};

static PyTypeObject value_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cohort._core.Value",
    .tp_basicsize = sizeof(Value),
    .tp_dealloc = value_dealloc,
    .tp_as_buffer = &value_buffer,
    .tp_as_sequence = &value_sequence,
    .tp_methods = value_methods,
    .tp_getset = value_getset,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "The bytes of one of the engine's values, read in place.",
};

/* Takes over `value`, also when it fails; None for NULL. */
static PyObject* value_wrap(cohort_value_t* value, int64_t expire_unix_ns, int32_t source, int32_t flags) {
  Value* self;
  if (value == NULL) Py_RETURN_NONE;
  self = PyObject_New(Value, &value_type);
  if (self == NULL) {
    cohort_value_free(value);
    return NULL;
  }
  self->value = value;
  self->expire_unix_ns = expire_unix_ns;
  self->source = source;
  self->flags = flags;
  return (PyObject*)self;
}

#endif /* COHORT_PYTHON_VALUE_H_ */
