// Value is an immutable run of bytes with an expiry, shared by reference count: what a cache holds and a get hands out.
// Its key, its bytes and a cache's links to it live in one allocation; bytes may also be borrowed from the host.
#pragma once

#include <cstdint>
#include <string_view>

namespace cohort {

class Value;

// A counted reference to a Value; null by default.
class ValueRef {
 public:
  ValueRef() = default;
  // Takes over one reference.
  explicit ValueRef(Value* value) : value_(value) {}
  ValueRef(const ValueRef& other);
  ValueRef(ValueRef&& other) noexcept : value_(other.value_) { other.value_ = nullptr; }
  ValueRef& operator=(const ValueRef& other);
  ValueRef& operator=(ValueRef&& other) noexcept;
  ~ValueRef();

  explicit operator bool() const { return value_ != nullptr; }
  Value* operator->() const { return value_; }
  Value& operator*() const { return *value_; }
  Value* get() const { return value_; }
  // Gives up the reference without dropping it.
  Value* release();

 private:
  Value* value_ = nullptr;
};

using DestroyFn = void (*)(void* user);

class Value {
 public:
  // A copy of the bytes. `key` is stored beside them so that a cache need not allocate again; it may be empty when it
  // is not known yet. Throws std::bad_alloc.
  static ValueRef Copy(std::string_view key, std::string_view bytes, int64_t expire_unix_ns);
  // Memory of the host: destroy(user) runs once, when the last reference goes (or before this throws std::bad_alloc).
  static ValueRef Borrow(std::string_view key, std::string_view bytes, int64_t expire_unix_ns, DestroyFn destroy,
                         void* user);
  // The same bytes under another key and expiry, without copying them: holds a reference to `source`.
  static ValueRef Wrap(std::string_view key, ValueRef source, int64_t expire_unix_ns);

  std::string_view key() const;
  std::string_view bytes() const;
  int64_t expire_unix_ns() const;  // 0 = never.
  bool ExpiredAt(int64_t unix_ns) const { return expire_unix_ns() != 0 && expire_unix_ns() <= unix_ns; }

  void Ref();
  void Unref();
};

}  // namespace cohort
