/* Conversions between Python objects and what the C ABI takes: bytes are read in place, failures become exceptions. */
#ifndef COHORT_PYTHON_CONVERT_H_
#define COHORT_PYTHON_CONVERT_H_

/* ---- errors: the GIL guards the spare ones, so that calls need not make their own */
enum { SPARE_ERRORS = 16 };
static cohort_error_t* spare_errors[SPARE_ERRORS];
static int spare_error_count;
static PyObject* error_factory; /* makes an exception of (status, message) */

static cohort_error_t* error_borrow(void) {
  return spare_error_count > 0 ? spare_errors[--spare_error_count] : cohort_error_new();
}
static void error_return(cohort_error_t* error) {
  if (error != NULL && spare_error_count < SPARE_ERRORS) {
    spare_errors[spare_error_count++] = error;
  } else {
    cohort_error_free(error);
  }
}

static PyObject* text_of(const void* data, int64_t size) {
  return PyUnicode_DecodeUTF8((const char*)data, (Py_ssize_t)size, "replace");
}

/* Raises what `error` says. Always NULL. */
static PyObject* error_raise(const cohort_error_t* error) {
  PyObject* exception;
  if (error == NULL || error_factory == NULL) return PyErr_NoMemory();
  exception = PyObject_CallFunction(error_factory, "iN", (int)cohort_error_status(error),
                                    text_of(cohort_error_message(error), cohort_error_message_size(error)));
  if (exception != NULL) {
    PyErr_SetObject((PyObject*)Py_TYPE(exception), exception);
    Py_DECREF(exception);
  }
  return NULL;
}

/* ---- bytes: a str as UTF-8 (lone surrogates stand for the bytes that they escape), or any object with a buffer */
typedef struct bytes_arg {
  const char* data;
  size_t size;
  PyObject* encoded;
  Py_buffer buffer;
} bytes_arg;

static int bytes_get(PyObject* object, bytes_arg* arg) {
  if (PyUnicode_Check(object)) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(object, &size);
    if (text == NULL) {
      if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return -1;
      PyErr_Clear();
      arg->encoded = PyUnicode_AsEncodedString(object, "utf-8", "surrogateescape");
      if (arg->encoded == NULL) return -1;
      text = PyBytes_AS_STRING(arg->encoded);
      size = PyBytes_GET_SIZE(arg->encoded);
    }
    arg->data = text;
    arg->size = (size_t)size;
    return 0;
  }
  if (PyBytes_CheckExact(object)) {
    arg->data = PyBytes_AS_STRING(object);
    arg->size = (size_t)PyBytes_GET_SIZE(object);
    return 0;
  }
  if (!PyObject_CheckBuffer(object)) {
    PyErr_Format(PyExc_TypeError, "str or a bytes-like object is needed, not %.200s", Py_TYPE(object)->tp_name);
    return -1;
  }
  if (PyObject_GetBuffer(object, &arg->buffer, PyBUF_SIMPLE) != 0) return -1;
  arg->data = (const char*)arg->buffer.buf;
  arg->size = (size_t)arg->buffer.len;
  return 0;
}

static void bytes_done(bytes_arg* arg) {
  Py_CLEAR(arg->encoded);
  if (arg->buffer.obj != NULL) PyBuffer_Release(&arg->buffer);
}

/* ---- many keys, packed one after the other */
typedef struct keys_arg {
  char* data;
  size_t size;
  int64_t* sizes;
  size_t count;
} keys_arg;

static void keys_done(keys_arg* arg) {
  PyMem_Free(arg->data);
  PyMem_Free(arg->sizes);
  memset(arg, 0, sizeof *arg);
}

static int keys_get(PyObject* object, keys_arg* arg) {
  PyObject* keys = PySequence_Fast(object, "keys must be a sequence");
  size_t room = 0, i;
  if (keys == NULL) return -1;
  arg->count = (size_t)PySequence_Fast_GET_SIZE(keys);
  arg->sizes = PyMem_New(int64_t, arg->count + 1);
  if (arg->sizes == NULL) goto no_memory;
  for (i = 0; i < arg->count; i++) {
    /* Reading a key may run code of its class, which may change the list. */
    PyObject* item = i < (size_t)PySequence_Fast_GET_SIZE(keys) ? PySequence_Fast_GET_ITEM(keys, i) : NULL;
    bytes_arg key = {0};
    int got;
    if (item == NULL) {
      PyErr_SetString(PyExc_RuntimeError, "the keys changed while they were read");
      goto failed;
    }
    Py_INCREF(item);
    got = bytes_get(item, &key);
    if (got == 0 && (arg->size + key.size > room || arg->data == NULL)) {
      char* grown;
      room = (arg->size + key.size) * 2 + 64;
      grown = (char*)PyMem_Realloc(arg->data, room);
      if (grown == NULL) {
        PyErr_NoMemory();
        got = -1;
      } else {
        arg->data = grown;
      }
    }
    if (got == 0) {
      memcpy(arg->data + arg->size, key.data, key.size);
      arg->sizes[i] = (int64_t)key.size;
      arg->size += key.size;
    }
    bytes_done(&key);
    Py_DECREF(item);
    if (got != 0) goto failed;
  }
  Py_DECREF(keys);
  return 0;
no_memory:
  PyErr_NoMemory();
failed:
  keys_done(arg);
  Py_DECREF(keys);
  return -1;
}

/* ---- counters: whatever the library writes, as a tuple of integers */
static PyObject* counters(const int64_t* numbers, int64_t bytes) {
  Py_ssize_t count = (Py_ssize_t)(bytes / (int64_t)sizeof(int64_t)), i;
  PyObject* tuple = PyTuple_New(count);
  for (i = 0; tuple != NULL && i < count; i++) {
    PyObject* number = PyLong_FromLongLong(numbers[i]);
    if (number == NULL) {
      Py_DECREF(tuple);
      return NULL;
    }
    PyTuple_SET_ITEM(tuple, i, number);
  }
  return tuple;
}

#endif /* COHORT_PYTHON_CONVERT_H_ */
