/* A Handle is a Python object that owns one handle of the C ABI. A call that is given one holds a reference to it for
 * as long as it lasts, so nothing is ever freed under a call, whatever the garbage collector does. */
#ifndef COHORT_PYTHON_HANDLE_H_
#define COHORT_PYTHON_HANDLE_H_

typedef enum handle_kind {
  HANDLE_INSTANCE_OPTIONS,
  HANDLE_INSTANCE,
  HANDLE_GROUP_OPTIONS,
  HANDLE_GROUP,
  HANDLE_LOAD,
  HANDLE_QUEUE,
  HANDLE_TRANSPORT,
  HANDLE_REQUEST,
  HANDLE_RESPONSE,
  HANDLE_KINDS
} handle_kind;

static const char* const handle_names[HANDLE_KINDS] = {
    "instance options", "instance", "group options", "group", "load", "queue", "transport", "request", "response"};

typedef struct Handle {
  PyObject_HEAD void* pointer; /* NULL once it has been given away */
  handle_kind kind;
} Handle;

static void handle_free(handle_kind kind, void* pointer) {
  switch (kind) {
    case HANDLE_INSTANCE_OPTIONS:
      cohort_instance_options_free((cohort_instance_options_t*)pointer);
      break;
    case HANDLE_INSTANCE:
      cohort_instance_free((cohort_instance_t*)pointer);
      break;
    case HANDLE_GROUP_OPTIONS:
      cohort_group_options_free((cohort_group_options_t*)pointer);
      break;
    case HANDLE_GROUP:
      cohort_group_free((cohort_group_t*)pointer);
      break;
    case HANDLE_LOAD:
      cohort_load_free((cohort_load_t*)pointer);
      break;
    case HANDLE_QUEUE:
      cohort_queue_free((cohort_queue_t*)pointer);
      break;
    case HANDLE_TRANSPORT:
      cohort_transport_free((cohort_transport_t*)pointer);
      break;
    case HANDLE_REQUEST:
      cohort_request_free((cohort_request_t*)pointer);
      break;
    case HANDLE_RESPONSE:
      cohort_response_free((cohort_response_t*)pointer);
      break;
    case HANDLE_KINDS:
      break;
  }
}

/* Frees what it owns without the GIL: freeing an instance waits for its threads, and those may call back. */
static void handle_dealloc(PyObject* object) {
  Handle* self = (Handle*)object;
  void* pointer = self->pointer;
  self->pointer = NULL;
  if (pointer != NULL) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_BEGIN_ALLOW_THREADS handle_free(self->kind, pointer);
    Py_END_ALLOW_THREADS PyErr_Restore(type, value, traceback);
  }
  Py_TYPE(object)->tp_free(object);
}

static PyObject* handle_repr(PyObject* object) {
  Handle* self = (Handle*)object;
  return PyUnicode_FromFormat("<cohort %s handle %p>", handle_names[self->kind], self->pointer);
}

static PyTypeObject handle_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "cohort._core.Handle",
    .tp_basicsize = sizeof(Handle),
    .tp_dealloc = handle_dealloc,
    .tp_repr = handle_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "Owns one handle of the C ABI.",
};

/* Takes over `pointer`, also when it fails; None for NULL. */
static PyObject* handle_wrap(handle_kind kind, void* pointer) {
  Handle* self;
  if (pointer == NULL) Py_RETURN_NONE;
  self = PyObject_New(Handle, &handle_type);
  if (self == NULL) {
    handle_free(kind, pointer);
    return NULL;
  }
  self->pointer = pointer;
  self->kind = kind;
  return (PyObject*)self;
}

/* The handle of that kind that `object` owns; NULL with an exception otherwise. */
static void* handle_borrow(PyObject* object, handle_kind kind) {
  Handle* self = (Handle*)object;
  if (!PyObject_TypeCheck(object, &handle_type) || self->kind != kind) {
    PyErr_Format(PyExc_TypeError, "a cohort %s handle is needed, not %.200R", handle_names[kind], object);
    return NULL;
  }
  if (self->pointer == NULL) PyErr_Format(PyExc_ValueError, "the %s has been ended already", handle_names[kind]);
  return self->pointer;
}

/* The same for a call that ends the handle: of several that try only the first is given it. */
static void* handle_take(PyObject* object, handle_kind kind) {
  void* pointer = handle_borrow(object, kind);
  if (pointer != NULL) ((Handle*)object)->pointer = NULL;
  return pointer;
}

#endif /* COHORT_PYTHON_HANDLE_H_ */
