/**
 * @file cohort.hpp
 * The C++ face of libcohort: header only, C++17, over the C ABI in cohort.h.
 *
 * - Objects own their handles. `Value`, `Group` and `Transport` are cheap to copy and share what they hold; `Instance`,
 *   `Load`, `Request` and `Response` are moved.
 * - What fails throws `Error`, which carries a `Code`; a key that is not there throws `NotFound`. Each call that can
 *   fail in daily use has a `try_` twin that returns a `Result` instead.
 * - Getters may throw: `NotFound` means that there is no such key, anything else that the load failed. Every other
 *   callback must not throw.
 * - A timeout of zero means "no limit of my own". Expiries are `Expiry`: a duration from now, a point of the system
 *   clock, or nanoseconds since the Unix epoch; by default never.
 * - `handle()` gives the C handle, so that every function of cohort.h can be called as well.
 */
#ifndef COHORT_COHORT_HPP
#define COHORT_COHORT_HPP

#include <cohort/cohort.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace cohort {

/* ------------------------------------------------------------------------------------------------------------------ */
/* Errors */

/** Why a call failed; the numbers of cohort_status_t. */
enum class Code : int32_t {
  ok = COHORT_OK,
  not_found = COHORT_NOT_FOUND,
  load_failed = COHORT_LOAD_FAILED,
  remote_failed = COHORT_REMOTE_FAILED,
  timeout = COHORT_TIMEOUT,
  cancelled = COHORT_CANCELLED,
  closed = COHORT_CLOSED,
  invalid_argument = COHORT_INVALID_ARGUMENT,
  unreachable = COHORT_UNREACHABLE,
  no_getter = COHORT_NO_GETTER,
  load_abandoned = COHORT_LOAD_ABANDONED,
  would_deadlock = COHORT_WOULD_DEADLOCK,
  too_large = COHORT_TOO_LARGE,
  already_exists = COHORT_ALREADY_EXISTS,
  io = COHORT_IO,
  forked = COHORT_FORKED,
  no_memory = COHORT_NO_MEMORY,
  unsupported = COHORT_UNSUPPORTED,
  internal = COHORT_INTERNAL
};

/** The constant's name, such as "NOT_FOUND". */
inline const char* to_string(Code code) { return cohort_status_name(static_cast<cohort_status_t>(code)); }

/** What a failed call throws: one line in what(), and why in code(). */
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

/** There is no such key. Getters throw it, and gets do. */
class NotFound : public Error {
 public:
  explicit NotFound(const std::string& message = "not found") : Error(Code::not_found, message) {}
};

/** How a call ended: ok, or a code and a line. */
class Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const noexcept { return code_ == Code::ok; }
  explicit operator bool() const noexcept { return ok(); }
  Code code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  /** Throws what failed; nothing when ok. */
  void check() const {
    if (code_ == Code::ok) return;
    if (code_ == Code::not_found) throw NotFound(message_);
    if (code_ == Code::no_memory) throw std::bad_alloc();
    throw Error(code_, message_);
  }

 private:
  Code code_ = Code::ok;
  std::string message_;
};

/** A T, or the Status that says why there is none. */
template <typename T>
class Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  /** Ok when there is a value. */
  Status status() const { return ok() ? Status() : std::get<1>(state_); }
  Code code() const noexcept { return ok() ? Code::ok : std::get<1>(state_).code(); }
  /** The value; throws what failed. */
  T& value() & {
    if (!ok()) std::get<1>(state_).check();
    return std::get<0>(state_);
  }
  const T& value() const& {
    if (!ok()) std::get<1>(state_).check();
    return std::get<0>(state_);
  }
  T value() && {
    if (!ok()) std::get<1>(state_).check();
    return std::get<0>(std::move(state_));
  }
  /** Requires ok(). */
  T& operator*() { return *std::get_if<0>(&state_); }
  const T& operator*() const { return *std::get_if<0>(&state_); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

 private:
  std::variant<T, Status> state_;
};

namespace detail {

/** The error object of one call. Each thread keeps one for the next call. */
class ErrorSlot {
  using Handle = std::unique_ptr<cohort_error_t, void (*)(cohort_error_t*)>;

 public:
  ErrorSlot() : error_(std::exchange(spare(), Handle(nullptr, &cohort_error_free))) {
    if (error_ == nullptr) error_.reset(cohort_error_new());
  }
  ~ErrorSlot() {
    if (spare() == nullptr) spare() = std::move(error_);
  }
  ErrorSlot(const ErrorSlot&) = delete;
  ErrorSlot& operator=(const ErrorSlot&) = delete;

  operator cohort_error_t*() const { return error_.get(); }
  Status status() const {
    return Status(
        static_cast<Code>(cohort_error_status(error_.get())),
        std::string(cohort_error_message(error_.get()), static_cast<size_t>(cohort_error_message_size(error_.get()))));
  }
  /** Of a call that returned that status. */
  Status of(cohort_status_t result) const { return result == COHORT_OK ? Status() : status(); }
  void check(cohort_status_t result) const { of(result).check(); }
  /** The handle that a call returned. */
  template <typename T>
  T* take(T* handle) const {
    if (handle == nullptr) {
      status().check();
      throw std::bad_alloc();  // Not even the error had room.
    }
    return handle;
  }

 private:
  static Handle& spare() {
    static thread_local Handle kept(nullptr, &cohort_error_free);
    return kept;
  }
  Handle error_;
};

inline std::string_view view(const char* data, int64_t size) {
  return size == 0 ? std::string_view() : std::string_view(data, static_cast<size_t>(size));
}
inline std::string_view view(const void* data, int64_t size) { return view(static_cast<const char*>(data), size); }

inline int64_t to_ms(std::chrono::milliseconds time) { return static_cast<int64_t>(time.count()); }

/** A C++ callable on its way through a C callback's user pointer. */
template <typename Function>
void* box(Function function) {
  return new Function(std::move(function));
}
template <typename Function>
Function& unbox(void* user) {
  return *static_cast<Function*>(user);
}
template <typename Function>
void drop(void* user) {
  delete static_cast<Function*>(user);
}

/** Whether T is a protobuf message, or anything that speaks as one. */
template <typename T, typename = void>
struct is_message : std::false_type {};
template <typename T>
struct is_message<T, std::void_t<decltype(std::declval<const T&>().SerializeToString(std::declval<std::string*>())),
                                 decltype(std::declval<T&>().ParseFromArray(nullptr, 0))>> : std::true_type {};

}  // namespace detail

/* ------------------------------------------------------------------------------------------------------------------ */
/* Values */

using Milliseconds = std::chrono::milliseconds;

/** When a value expires: never, after a time, or at a point of the system clock. */
class Expiry {
 public:
  Expiry() = default;
  /** Nanoseconds since the Unix epoch; 0 = never. */
  Expiry(int64_t unix_ns) : unix_ns_(unix_ns) {}
  /** That long from now. */
  template <typename Rep, typename Period>
  Expiry(std::chrono::duration<Rep, Period> after) : Expiry(std::chrono::system_clock::now() + after) {}
  template <typename Duration>
  Expiry(std::chrono::time_point<std::chrono::system_clock, Duration> at)
      : unix_ns_(std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count()) {}

  int64_t unix_ns() const noexcept { return unix_ns_; }
  bool never() const noexcept { return unix_ns_ == 0; }

 private:
  int64_t unix_ns_ = 0;
};

/** Immutable bytes, shared by reference count. Copies cost an atomic increment. */
class Value {
 public:
  /** No bytes. */
  Value() : Value(std::string_view()) {}
  /** A copy of the bytes. */
  Value(std::string_view bytes, Expiry expiry = {}) {
    detail::ErrorSlot error;
    handle_ = error.take(cohort_value_new(bytes.data(), bytes.size(), expiry.unix_ns(), error));
  }
  Value(const char* text, Expiry expiry = {}) : Value(std::string_view(text), expiry) {}
  Value(const std::string& bytes, Expiry expiry = {}) : Value(std::string_view(bytes), expiry) {}
  /** A long string is taken over instead of copied. */
  Value(std::string&& bytes, Expiry expiry = {}) {
    constexpr size_t kWorthTaking = 4096;
    if (bytes.size() < kWorthTaking) {
      *this = Value(std::string_view(bytes), expiry);
      return;
    }
    auto* kept = new std::string(std::move(bytes));
    detail::ErrorSlot error;
    handle_ = error.take(cohort_value_new_borrowed(
        kept->data(), kept->size(), expiry.unix_ns(), [](void* user) { delete static_cast<std::string*>(user); }, kept,
        error));
  }
  /** A protobuf message, serialized. */
  template <typename Message, typename = std::enable_if_t<detail::is_message<Message>::value>>
  Value(const Message& message, Expiry expiry = {}) {
    std::string bytes;
    if (!message.SerializeToString(&bytes)) {
      throw Error(Code::invalid_argument, "the message cannot be serialized: a required field is not set");
    }
    *this = Value(std::move(bytes), expiry);
  }
  /** The program's own memory, without a copy: it stays as it is until `release` runs, once, on any thread. */
  static Value borrow(std::string_view bytes, std::function<void()> release, Expiry expiry = {}) {
    using Release = std::function<void()>;
    detail::ErrorSlot error;
    return adopt(error.take(cohort_value_new_borrowed(
        bytes.data(), bytes.size(), expiry.unix_ns(),
        [](void* user) {
          const std::unique_ptr<Release> own(static_cast<Release*>(user));
          if (*own) (*own)();
        },
        detail::box(std::move(release)), error)));
  }
  /** Takes over a C handle. */
  static Value adopt(cohort_value_t* handle) { return Value(handle, 0); }

  Value(const Value& other) : handle_(cohort_value_clone(other.handle_)) {}
  Value(Value&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Value& operator=(Value other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Value() { cohort_value_free(handle_); }

  const char* data() const noexcept { return static_cast<const char*>(cohort_value_data(handle_)); }
  size_t size() const noexcept { return static_cast<size_t>(cohort_value_size(handle_)); }
  bool empty() const noexcept { return size() == 0; }
  const char* begin() const noexcept { return data(); }
  const char* end() const noexcept { return data() + size(); }
  /** The bytes, for as long as this value lives. */
  std::string_view view() const noexcept { return {data(), size()}; }
  operator std::string_view() const noexcept { return view(); }
  std::string str() const { return std::string(view()); }
  Expiry expiry() const noexcept { return Expiry(cohort_value_expire_unix_ns(handle_)); }
  /** The protobuf message that the bytes are. */
  template <typename Message, typename = std::enable_if_t<detail::is_message<Message>::value>>
  Message message() const {
    Message parsed;
    if (size() > INT32_MAX || !parsed.ParseFromArray(data(), static_cast<int>(size()))) {
      throw Error(Code::invalid_argument, "a value of " + std::to_string(size()) + " bytes is not such a message");
    }
    return parsed;
  }

  friend bool operator==(const Value& a, const Value& b) noexcept { return a.view() == b.view(); }
  friend bool operator!=(const Value& a, const Value& b) noexcept { return !(a == b); }

  const cohort_value_t* handle() const noexcept { return handle_; }
  /** Gives the handle away. */
  cohort_value_t* release() noexcept { return std::exchange(handle_, nullptr); }

 private:
  Value(cohort_value_t* handle, int) : handle_(handle) {}
  cohort_value_t* handle_ = nullptr;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* Loads */

/** A getter's open task. End it once, from any thread; dropping it open abandons it. */
class Load {
 public:
  /** Takes over a C handle. */
  explicit Load(cohort_load_t* handle) : handle_(handle, &cohort_load_free) {}

  std::string_view key() const { return detail::view(cohort_load_key(handle()), cohort_load_key_size(handle())); }
  /** Until the latest deadline of those who wait; zero when nobody does. */
  Milliseconds time_left() const { return Milliseconds(cohort_load_time_left_ms(handle())); }
  /** Nobody waits for it any more. */
  bool cancelled() const { return cohort_load_cancelled(handle()) != 0; }
  /** Whether it has not been ended. */
  explicit operator bool() const noexcept { return handle_ != nullptr; }

  /** A Value brings its own expiry. */
  template <typename V, typename = std::enable_if_t<std::is_same_v<V, Value>>>
  void complete(const V& value) {
    detail::ErrorSlot error;
    error.check(cohort_load_complete_value(handle_.release(), value.handle(), error));
  }
  void complete(std::string_view bytes, Expiry expiry = {}) {
    detail::ErrorSlot error;
    error.check(cohort_load_complete(handle_.release(), bytes.data(), bytes.size(), expiry.unix_ns(), error));
  }
  void not_found(std::string_view message = "not found") { fail_as(COHORT_NOT_FOUND, message); }
  void fail(std::string_view message) { fail_as(COHORT_LOAD_FAILED, message); }

  cohort_load_t* handle() const noexcept { return handle_.get(); }

 private:
  void fail_as(cohort_status_t status, std::string_view message) {
    cohort_load_fail(handle_.release(), status, message.data(), message.size(), 0);
  }
  std::unique_ptr<cohort_load_t, void (*)(cohort_load_t*)> handle_;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* Transports */

/** The PEM files of TLS, for listening and for asking. Empty names: see cohort_transport_set_tls. */
struct Tls {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  bool require_client_certificate = false;
};

/** The limits of the HTTP transport; what is not set keeps its default. */
struct HttpOptions {
  std::optional<int64_t> max_connections_per_peer;
  std::optional<Milliseconds> connect_timeout;
  std::optional<Milliseconds> idle_timeout;
  std::optional<int64_t> max_body_bytes;
  std::optional<int64_t> max_server_threads;
  std::optional<Milliseconds> keep_alive;
  std::optional<Milliseconds> request_timeout;
  std::optional<Tls> tls;
};

/** What a custom transport has to send: an open task, answered once; dropped, the peer counts as not reached. */
class Request {
 public:
  /** Takes over a C handle. */
  explicit Request(cohort_request_t* handle) : handle_(handle, &cohort_request_free) {
    cohort_request_view(handle, &view_);
  }

  /** COHORT_REQUEST_*. */
  int32_t op() const { return view_.op; }
  std::string_view peer() const { return detail::view(view_.peer, view_.peer_size); }
  std::string_view group() const { return detail::view(view_.group, view_.group_size); }
  std::string_view key() const { return detail::view(view_.key, view_.key_size); }
  /** REMOVE_KEYS: each of them. */
  std::vector<std::string_view> keys() const {
    std::vector<std::string_view> all;
    const char* at = view_.key;
    for (int64_t i = 0; view_.key_sizes != nullptr && i < view_.key_count; at += view_.key_sizes[i++]) {
      all.push_back(detail::view(at, view_.key_sizes[i]));
    }
    return all;
  }
  /** SET: the value. RAW: the body. */
  std::string_view body() const { return detail::view(view_.value, view_.value_size); }
  Expiry expiry() const { return Expiry(view_.expire_unix_ns); }
  std::string_view method() const { return detail::view(view_.method, view_.method_size); }
  std::string_view target() const { return detail::view(view_.target, view_.target_size); }
  /** RAW: "Name: value\r\n" lines. */
  std::string_view headers() const { return detail::view(view_.headers, view_.headers_size); }
  Milliseconds time_left() const { return Milliseconds(view_.time_left_ms); }

  /** Answers GET with a value, SET and the REMOVEs with success. */
  void reply(std::string_view value = {}, Expiry expiry = {}) {
    cohort_request_reply(handle_.release(), value.data(), value.size(), expiry.unix_ns());
  }
  /** Answers RAW. */
  void reply_raw(int32_t http_status, std::string_view headers, std::string_view body) {
    cohort_request_reply_raw(handle_.release(), http_status, headers.data(), headers.size(), body.data(), body.size());
  }
  /** not_found and remote_failed are the owner's last word; anything else: the peer was not reached. */
  void fail(Code code, std::string_view message) {
    cohort_request_fail(handle_.release(), static_cast<cohort_status_t>(code), message.data(), message.size(), 0);
  }

  cohort_request_t* handle() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<cohort_request_t, void (*)(cohort_request_t*)> handle_;
  cohort_request_view_t view_{};
};

/** How peers are reached. */
class Transport {
 public:
  /** HTTP/1.1, with or without TLS: the default. */
  static Transport http(const HttpOptions& options = {}) {
    detail::ErrorSlot error;
    Transport transport(error.take(cohort_transport_new_http(error)));
    const auto set = [&](int32_t limit, std::optional<int64_t> value) {
      if (value) error.check(cohort_transport_set_limit(transport.handle(), limit, *value, error));
    };
    const auto set_time = [&](int32_t limit, std::optional<Milliseconds> value) {
      if (value) set(limit, detail::to_ms(*value));
    };
    set(COHORT_HTTP_MAX_CONNECTIONS_PER_PEER, options.max_connections_per_peer);
    set_time(COHORT_HTTP_CONNECT_TIMEOUT_MS, options.connect_timeout);
    set_time(COHORT_HTTP_IDLE_TIMEOUT_MS, options.idle_timeout);
    set(COHORT_HTTP_MAX_BODY_BYTES, options.max_body_bytes);
    set(COHORT_HTTP_MAX_SERVER_THREADS, options.max_server_threads);
    set_time(COHORT_HTTP_KEEP_ALIVE_MS, options.keep_alive);
    set_time(COHORT_HTTP_REQUEST_TIMEOUT_MS, options.request_timeout);
    if (options.tls) {
      const Tls& tls = *options.tls;
      error.check(cohort_transport_set_tls(transport.handle(), tls.ca_file.data(), tls.ca_file.size(),
                                           tls.cert_file.data(), tls.cert_file.size(), tls.key_file.data(),
                                           tls.key_file.size(), tls.require_client_certificate ? 1 : 0, error));
    }
    return transport;
  }
  /** A network inside the process, for tests: instances made with copies of it reach each other by address. */
  static Transport inproc() {
    detail::ErrorSlot error;
    return Transport(error.take(cohort_transport_new_inproc(error)));
  }
  /** A transport of the program's own that carries calls: GET, SET, REMOVE, REMOVE_KEYS. `send` must not block. */
  static Transport calls(std::function<void(Request)> send) { return custom(COHORT_SEND_CALLS, std::move(send)); }
  /** One that carries HTTP requests as they are. */
  static Transport raw(std::function<void(Request)> send) { return custom(COHORT_SEND_RAW, std::move(send)); }

  cohort_transport_t* handle() const noexcept { return handle_.get(); }

 private:
  explicit Transport(cohort_transport_t* handle) : handle_(handle, &cohort_transport_free) {}
  static Transport custom(int32_t mode, std::function<void(Request)> send) {
    using Send = std::function<void(Request)>;
    detail::ErrorSlot error;
    return Transport(error.take(cohort_transport_new_custom(
        mode, [](void* user, cohort_request_t* request) noexcept { detail::unbox<Send>(user)(Request(request)); },
        &detail::drop<Send>, detail::box(std::move(send)), error)));
  }
  std::shared_ptr<cohort_transport_t> handle_;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* Options */

/** How keys find their owners. */
enum class Ring : int32_t {
  groupcache_v3 = COHORT_RING_GROUPCACHE_V3,
  groupcache = COHORT_RING_GROUPCACHE,
  xxh3 = COHORT_RING_XXH3
};
enum class LogLevel : int32_t {
  debug = COHORT_LOG_DEBUG,
  info = COHORT_LOG_INFO,
  warn = COHORT_LOG_WARN,
  error = COHORT_LOG_ERROR
};
/** The two tiers of a group's cache. */
enum class Tier : int32_t { main = COHORT_TIER_MAIN, hot = COHORT_TIER_HOT };
enum class Policy : int32_t { lru = COHORT_POLICY_LRU, adaptive = COHORT_POLICY_ADAPTIVE };
/** Why an entry left a cache by itself. */
enum class EvictReason : int32_t { room = COHORT_EVICTED_FOR_ROOM, expired = COHORT_EVICTED_EXPIRED };

using Getter = std::function<Value(std::string_view key)>;
using AsyncGetter = std::function<void(Load load)>;
using EvictionListener = std::function<void(Tier tier, EvictReason reason, std::string_view key, const Value& value)>;
using Logger = std::function<void(LogLevel level, std::string_view line)>;
using Hash = std::function<uint64_t(std::string_view data)>;

/** A cache of the program's own in place of one tier. Calls come under a lock: no call of the library in them. */
class CacheTier {
 public:
  virtual ~CacheTier() = default;
  virtual std::optional<Value> get(std::string_view key) = 0;
  virtual void add(std::string_view key, const Value& value) = 0;
  virtual void remove(std::string_view key) = 0;
  virtual void clear() = 0;
};

/** How an instance is made. A plain value: it may be copied and used again. */
class InstanceOptions {
 public:
  /** For logs; default "cohort". */
  InstanceOptions& name(std::string name) { return set(name_, std::move(name)); }
  /** Every member of a cluster must use the same. */
  InstanceOptions& ring(Ring ring) { return set(ring_, ring); }
  /** Points per peer on the ring; default 50. Every member must use the same. */
  InstanceOptions& replicas(int32_t replicas) { return set(replicas_, replicas); }
  InstanceOptions& hash(Hash hash) { return set(hash_, std::move(hash)); }
  InstanceOptions& transport(Transport transport) { return set(transport_, std::move(transport)); }
  /** Default "/_groupcache/". */
  InstanceOptions& base_path(std::string path) { return set(base_path_, std::move(path)); }
  /** Lines of log at `level` and above go to `logger`. Any thread. */
  InstanceOptions& logger(LogLevel level, Logger logger) {
    log_level_ = level;
    return set(logger_, std::move(logger));
  }
  /** How many getters may block at once on the engine's own threads; default 64. */
  InstanceOptions& max_getter_threads(int32_t threads) { return set(max_getter_threads_, threads); }

 private:
  friend class Instance;
  using Handle = std::unique_ptr<cohort_instance_options_t, void (*)(cohort_instance_options_t*)>;

  template <typename Field, typename T>
  InstanceOptions& set(Field& field, T value) {
    field = std::move(value);
    return *this;
  }
  Handle make() const {
    detail::ErrorSlot error;
    Handle options(cohort_instance_options_new(), &cohort_instance_options_free);
    if (options == nullptr) throw std::bad_alloc();
    cohort_instance_options_t* const to = options.get();
    if (name_) error.check(cohort_instance_options_set_name(to, name_->data(), name_->size(), error));
    if (ring_) error.check(cohort_instance_options_set_ring(to, static_cast<int32_t>(*ring_), error));
    if (replicas_) error.check(cohort_instance_options_set_replicas(to, *replicas_, error));
    if (transport_) error.check(cohort_instance_options_set_transport(to, transport_->handle(), error));
    if (base_path_) {
      error.check(cohort_instance_options_set_base_path(to, base_path_->data(), base_path_->size(), error));
    }
    if (max_getter_threads_) {
      error.check(cohort_instance_options_set_max_getter_threads(to, *max_getter_threads_, error));
    }
    if (hash_) {
      error.check(cohort_instance_options_set_hash(
          to,
          [](void* user, const void* data, size_t size) noexcept {
            return detail::unbox<Hash>(user)(std::string_view(static_cast<const char*>(data), size));
          },
          &detail::drop<Hash>, detail::box(hash_), error));
    }
    if (logger_) {
      error.check(cohort_instance_options_set_logger(
          to, static_cast<int32_t>(log_level_),
          [](void* user, int32_t level, const char* message, size_t message_size) noexcept {
            detail::unbox<Logger>(user)(static_cast<LogLevel>(level), std::string_view(message, message_size));
          },
          &detail::drop<Logger>, detail::box(logger_), error));
    }
    return options;
  }

  std::optional<std::string> name_;
  std::optional<Ring> ring_;
  std::optional<int32_t> replicas_;
  Hash hash_;
  std::optional<Transport> transport_;
  std::optional<std::string> base_path_;
  LogLevel log_level_ = LogLevel::info;
  Logger logger_;
  std::optional<int32_t> max_getter_threads_;
};

/** How a group is made. A plain value: it may be copied and used again. */
class GroupOptions {
 public:
  /** Bytes for both tiers, overheads included; default 64 MiB. 0 or less turns caching off. */
  GroupOptions& cache_bytes(int64_t bytes) { return set(cache_bytes_, bytes); }
  GroupOptions& max_entries(int64_t entries) { return set(max_entries_, entries); }
  GroupOptions& policy(Policy policy) { return set(policy_, policy); }
  /** Longest time for one load; default a minute. */
  GroupOptions& load_timeout(Milliseconds timeout) { return set(load_timeout_, timeout); }
  /**
   * Loads a key's value. Runs on the thread of a blocking get or on one of the engine's; may block, may get keys of other
   * groups. Throws NotFound when there is no such key, anything else when it failed.
   */
  GroupOptions& getter(Getter getter) {
    async_getter_ = nullptr;
    return set(getter_, std::move(getter));
  }
  /** Takes the load and ends it later, on any thread. */
  GroupOptions& async_getter(AsyncGetter getter) {
    getter_ = nullptr;
    return set(async_getter_, std::move(getter));
  }
  /** Told of entries that leave for room or by expiry. Any thread. */
  GroupOptions& eviction_listener(EvictionListener listener) { return set(evicted_, std::move(listener)); }
  /** A cache of the program's own for one tier. */
  GroupOptions& cache(Tier tier, std::shared_ptr<CacheTier> cache) {
    return set(tier == Tier::main ? main_ : hot_, std::move(cache));
  }

 private:
  friend class Instance;
  using Handle = std::unique_ptr<cohort_group_options_t, void (*)(cohort_group_options_t*)>;

  template <typename Field, typename T>
  GroupOptions& set(Field& field, T value) {
    field = std::move(value);
    return *this;
  }

  static void run(const Getter& getter, cohort_load_t* handle, std::string_view key) {
    Load load(handle);
    try {
      load.complete(getter(key));
    } catch (const Error& failure) {
      failure.code() == Code::not_found ? load.not_found(failure.what()) : load.fail(failure.what());
    } catch (const std::exception& failure) {
      load.fail(failure.what());
    } catch (...) {
      load.fail("the getter threw what is no std::exception");
    }
  }
  static void run_async(const AsyncGetter& getter, cohort_load_t* handle) {
    try {
      getter(Load(handle));  // A load that is dropped by what it throws is abandoned.
    } catch (...) {
    }
  }
  static void set_cache(cohort_group_options_t* to, Tier tier, const std::shared_ptr<CacheTier>& cache,
                        const detail::ErrorSlot& error) {
    using Shared = std::shared_ptr<CacheTier>;
    if (cache == nullptr) return;
    error.check(cohort_group_options_set_cache(
        to, static_cast<int32_t>(tier),
        [](void* user, const char* key, size_t key_size) noexcept -> cohort_value_t* {
          std::optional<Value> value = detail::unbox<Shared>(user)->get(std::string_view(key, key_size));
          return value ? value->release() : nullptr;
        },
        [](void* user, const char* key, size_t key_size, const cohort_value_t* value) noexcept {
          detail::unbox<Shared>(user)->add(std::string_view(key, key_size), Value::adopt(cohort_value_clone(value)));
        },
        [](void* user, const char* key, size_t key_size) noexcept {
          if (key == nullptr) {
            detail::unbox<Shared>(user)->clear();
          } else {
            detail::unbox<Shared>(user)->remove(std::string_view(key, key_size));
          }
        },
        &detail::drop<Shared>, detail::box(cache), error));
  }
  Handle make() const {
    detail::ErrorSlot error;
    Handle options(cohort_group_options_new(), &cohort_group_options_free);
    if (options == nullptr) throw std::bad_alloc();
    cohort_group_options_t* const to = options.get();
    if (cache_bytes_) error.check(cohort_group_options_set_cache_bytes(to, *cache_bytes_, error));
    if (max_entries_) error.check(cohort_group_options_set_max_entries(to, *max_entries_, error));
    if (policy_) error.check(cohort_group_options_set_policy(to, static_cast<int32_t>(*policy_), error));
    if (load_timeout_) {
      error.check(cohort_group_options_set_load_timeout_ms(to, detail::to_ms(*load_timeout_), error));
    }
    if (getter_) {
      error.check(cohort_group_options_set_getter(
          to,
          [](void* user, cohort_load_t* load, const char* key, size_t key_size) noexcept {
            run(detail::unbox<Getter>(user), load, std::string_view(key, key_size));
          },
          &detail::drop<Getter>, detail::box(getter_), error));
    }
    if (async_getter_) {
      error.check(cohort_group_options_set_getter(
          to,
          [](void* user, cohort_load_t* load, const char*, size_t) noexcept {
            run_async(detail::unbox<AsyncGetter>(user), load);
          },
          &detail::drop<AsyncGetter>, detail::box(async_getter_), error));
    }
    if (evicted_) {
      error.check(cohort_group_options_set_eviction_listener(
          to,
          [](void* user, int32_t tier, int32_t reason, const char* key, size_t key_size,
             const cohort_value_t* value) noexcept {
            detail::unbox<EvictionListener>(user)(static_cast<Tier>(tier), static_cast<EvictReason>(reason),
                                                  std::string_view(key, key_size),
                                                  Value::adopt(cohort_value_clone(value)));
          },
          &detail::drop<EvictionListener>, detail::box(evicted_), error));
    }
    set_cache(to, Tier::main, main_, error);
    set_cache(to, Tier::hot, hot_, error);
    return options;
  }

  std::optional<int64_t> cache_bytes_;
  std::optional<int64_t> max_entries_;
  std::optional<Policy> policy_;
  std::optional<Milliseconds> load_timeout_;
  Getter getter_;
  AsyncGetter async_getter_;
  EvictionListener evicted_;
  std::shared_ptr<CacheTier> main_;
  std::shared_ptr<CacheTier> hot_;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* Groups */

using GroupStats = cohort_group_stats_t;
using CacheStats = cohort_cache_stats_t;

/** A named, read-through cache that all members of the cluster share. Copies are the same group. */
class Group {
 public:
  using GetDone = std::function<void(Result<Value>)>;
  using ChangeDone = std::function<void(Status)>;

  /** One asynchronous get, for its cancelling. */
  class Ticket {
   public:
    Ticket() = default;
    /** Its callback still comes, once: with Code::cancelled if this was first. True if it was. */
    bool cancel() { return group_ != nullptr && cohort_group_cancel(group_.get(), ticket_) != 0; }

   private:
    friend class Group;
    Ticket(std::shared_ptr<cohort_group_t> group, uint64_t ticket) : group_(std::move(group)), ticket_(ticket) {}
    std::shared_ptr<cohort_group_t> group_;
    uint64_t ticket_ = 0;
  };

  /** Takes over a C handle. */
  explicit Group(cohort_group_t* handle) : handle_(handle, &cohort_group_free) {}

  std::string_view name() const { return detail::view(cohort_group_name(handle()), cohort_group_name_size(handle())); }

  // ---- getting

  /** The value: from the cache, its owner or a getter. */
  Value get(std::string_view key, Milliseconds timeout = {}) const { return try_get(key, timeout).value(); }
  /** The protobuf message that the value is. */
  template <typename Message>
  Message get(std::string_view key, Milliseconds timeout = {}) const {
    return get(key, timeout).template message<Message>();
  }
  Result<Value> try_get(std::string_view key, Milliseconds timeout = {}) const {
    detail::ErrorSlot error;
    cohort_value_t* const value = cohort_group_get(handle(), key.data(), key.size(), 0, detail::to_ms(timeout), error);
    if (value == nullptr) return error.status();
    return Value::adopt(value);
  }
  /** What is in this process's caches. Never loads. */
  std::optional<Value> lookup(std::string_view key) const {
    cohort_value_t* const value = cohort_group_lookup(handle(), key.data(), key.size());
    if (value == nullptr) return std::nullopt;
    return Value::adopt(value);
  }
  /** Calls `done` once, on this thread (a hit) or on one of the engine's, where it must not block for long. */
  Ticket get_async(std::string_view key, GetDone done, Milliseconds timeout = {}) const {
    detail::ErrorSlot error;
    auto own = std::make_unique<GetDone>(std::move(done));
    const uint64_t ticket = cohort_group_get_async(handle(), key.data(), key.size(), 0, detail::to_ms(timeout),
                                                   &Group::on_get, own.get(), error);
    if (ticket == 0) error.status().check();
    own.release();
    return Ticket(handle_, ticket);
  }
  std::future<Value> get_future(std::string_view key, Milliseconds timeout = {}) const {
    auto promise = std::make_shared<std::promise<Value>>();
    std::future<Value> future = promise->get_future();
    get_async(
        key,
        [promise](Result<Value> result) {
          try {
            promise->set_value(std::move(result).value());
          } catch (...) {
            promise->set_exception(std::current_exception());
          }
        },
        timeout);
    return future;
  }
  /** All at once, split by owner; results in the order of the keys. `keys` is a range of what std::string_view takes. */
  template <typename Keys>
  std::vector<Result<Value>> get_many(const Keys& keys, Milliseconds timeout = {}) const {
    const Packed packed(keys);
    const size_t count = packed.sizes.size();
    std::vector<Result<Value>> results(count, Result<Value>(Status(Code::internal, "no event came")));
    detail::ErrorSlot error;
    const std::unique_ptr<cohort_queue_t, void (*)(cohort_queue_t*)> queue(error.take(cohort_queue_new(error)),
                                                                           &cohort_queue_free);
    std::vector<cohort_answer_t> answers(count);
    const int64_t hits =
        cohort_group_begin_many(handle(), packed.bytes.data(), packed.bytes.size(), packed.sizes.data(), count,
                                COHORT_GET_LEND, detail::to_ms(timeout), queue.get(), 0, answers.data(), error);
    if (hits < 0) error.status().check();
    for (size_t i = 0; i < count; ++i) {
      if (answers[i].value != nullptr) results[i] = Value::adopt(answers[i].value);
    }
    for (size_t left = count - static_cast<size_t>(hits); left > 0;) {
      cohort_event_t events[64];
      const int64_t taken = cohort_queue_wait(queue.get(), events, 64, -1);
      for (int64_t i = 0; i < taken; ++i, --left) {
        cohort_event_t& event = events[i];
        Value value = Value::adopt(std::exchange(event.value, nullptr));
        if (event.status == COHORT_OK) {
          results[event.tag] = std::move(value);
        } else {
          results[event.tag] = Status(static_cast<Code>(event.status), value.str());
        }
        cohort_event_release(&event);
      }
    }
    return results;
  }
  std::vector<Result<Value>> get_many(std::initializer_list<std::string_view> keys, Milliseconds timeout = {}) const {
    return get_many<std::initializer_list<std::string_view>>(keys, timeout);
  }

  // ---- changing

  /** The owner stores the value, every other member drops its copy. Code::unreachable names who did not acknowledge. */
  void set(std::string_view key, std::string_view value, Expiry expiry = {}, Milliseconds timeout = {}) const {
    try_set(key, value, expiry, timeout).check();
  }
  /** A Value brings its own expiry. */
  template <typename V, typename = std::enable_if_t<std::is_same_v<V, Value>>>
  void set(std::string_view key, const V& value, Milliseconds timeout = {}) const {
    try_set(key, value.view(), value.expiry(), timeout).check();
  }
  /** A protobuf message, serialized. */
  template <typename Message, typename = std::enable_if_t<detail::is_message<Message>::value>, typename = void>
  void set(std::string_view key, const Message& message, Expiry expiry = {}, Milliseconds timeout = {}) const {
    try_set(key, Value(message), expiry, timeout).check();
  }
  Status try_set(std::string_view key, std::string_view value, Expiry expiry = {}, Milliseconds timeout = {}) const {
    detail::ErrorSlot error;
    return error.of(cohort_group_set(handle(), key.data(), key.size(), value.data(), value.size(), expiry.unix_ns(),
                                     detail::to_ms(timeout), error));
  }
  /** `done` runs once, on this thread or one of the engine's. */
  void set_async(std::string_view key, std::string_view value, ChangeDone done, Expiry expiry = {},
                 Milliseconds timeout = {}) const {
    start(std::move(done), [&](void* user, cohort_error_t* error) {
      return cohort_group_set_async(handle(), key.data(), key.size(), value.data(), value.size(), expiry.unix_ns(),
                                    detail::to_ms(timeout), &Group::on_done, user, error);
    });
  }

  /** The owner drops the key, then every other member does. */
  void remove(std::string_view key, Milliseconds timeout = {}) const { try_remove(key, timeout).check(); }
  Status try_remove(std::string_view key, Milliseconds timeout = {}) const {
    detail::ErrorSlot error;
    return error.of(cohort_group_remove(handle(), key.data(), key.size(), detail::to_ms(timeout), error));
  }
  void remove_async(std::string_view key, ChangeDone done, Milliseconds timeout = {}) const {
    start(std::move(done), [&](void* user, cohort_error_t* error) {
      return cohort_group_remove_async(handle(), key.data(), key.size(), detail::to_ms(timeout), &Group::on_done, user,
                                       error);
    });
  }

  template <typename Keys>
  void remove_keys(const Keys& keys, Milliseconds timeout = {}) const {
    try_remove_keys(keys, timeout).check();
  }
  void remove_keys(std::initializer_list<std::string_view> keys, Milliseconds timeout = {}) const {
    try_remove_keys(keys, timeout).check();
  }
  template <typename Keys>
  Status try_remove_keys(const Keys& keys, Milliseconds timeout = {}) const {
    const Packed packed(keys);
    detail::ErrorSlot error;
    return error.of(cohort_group_remove_keys(handle(), packed.bytes.data(), packed.bytes.size(), packed.sizes.data(),
                                             packed.sizes.size(), detail::to_ms(timeout), error));
  }
  template <typename Keys>
  void remove_keys_async(const Keys& keys, ChangeDone done, Milliseconds timeout = {}) const {
    const Packed packed(keys);
    start(std::move(done), [&](void* user, cohort_error_t* error) {
      return cohort_group_remove_keys_async(handle(), packed.bytes.data(), packed.bytes.size(), packed.sizes.data(),
                                            packed.sizes.size(), detail::to_ms(timeout), &Group::on_done, user, error);
    });
  }

  /** What a peer's PUT does here, for servers of custom transports. */
  void local_set(std::string_view key, std::string_view value, Expiry expiry = {}) const {
    detail::ErrorSlot error;
    error.check(
        cohort_group_local_set(handle(), key.data(), key.size(), value.data(), value.size(), expiry.unix_ns(), error));
  }
  /** What a peer's DELETE does here. */
  void local_remove(std::string_view key) const {
    detail::ErrorSlot error;
    error.check(cohort_group_local_remove(handle(), key.data(), key.size(), error));
  }
  /** As get_async, for a get that a peer has asked for: it never asks another peer. */
  Ticket local_get_async(std::string_view key, GetDone done, Milliseconds timeout = {}) const {
    detail::ErrorSlot error;
    auto own = std::make_unique<GetDone>(std::move(done));
    const uint64_t ticket = cohort_group_get_async(handle(), key.data(), key.size(), COHORT_GET_LOCAL,
                                                   detail::to_ms(timeout), &Group::on_get, own.get(), error);
    if (ticket == 0) error.status().check();
    own.release();
    return Ticket(handle_, ticket);
  }

  // ---- the rest

  GroupStats stats() const {
    GroupStats stats{};
    cohort_group_stats(handle(), &stats, sizeof stats);
    return stats;
  }
  CacheStats cache_stats(Tier tier) const {
    CacheStats stats{};
    cohort_group_cache_stats(handle(), static_cast<int32_t>(tier), &stats, sizeof stats);
    return stats;
  }
  /** Forgets every local entry and gives the caches a new budget. */
  void reset_cache(int64_t cache_bytes) const {
    detail::ErrorSlot error;
    error.check(cohort_group_reset_cache(handle(), cache_bytes, error));
  }

  cohort_group_t* handle() const noexcept { return handle_.get(); }

 private:
  // Keys one after the other, and the size of each.
  struct Packed {
    template <typename Keys>
    explicit Packed(const Keys& keys) {
      for (const auto& each : keys) {
        const std::string_view key(each);
        bytes.append(key);
        sizes.push_back(static_cast<int64_t>(key.size()));
      }
    }
    std::string bytes;
    std::vector<int64_t> sizes;
  };

  static void on_get(void* user, cohort_status_t status, cohort_value_t* value, const char* message,
                     size_t message_size) noexcept {
    const std::unique_ptr<GetDone> done(static_cast<GetDone*>(user));
    if (status == COHORT_OK) {
      (*done)(Value::adopt(value));
    } else {
      (*done)(Status(static_cast<Code>(status), std::string(message, message_size)));
    }
  }
  static void on_done(void* user, cohort_status_t status, const char* message, size_t message_size) noexcept {
    const std::unique_ptr<ChangeDone> done(static_cast<ChangeDone*>(user));
    (*done)(status == COHORT_OK ? Status() : Status(static_cast<Code>(status), std::string(message, message_size)));
  }
  template <typename Begin>
  static void start(ChangeDone done, Begin begin) {
    detail::ErrorSlot error;
    auto own = std::make_unique<ChangeDone>(std::move(done));
    error.check(begin(own.get(), error));
    own.release();
  }

  std::shared_ptr<cohort_group_t> handle_;
};

/* ------------------------------------------------------------------------------------------------------------------ */
/* Instances */

/** What to send back to a peer. */
class Response {
 public:
  /** Takes over a C handle. */
  explicit Response(cohort_response_t* handle) : handle_(handle, &cohort_response_free) {
    cohort_response_view(handle, &view_);
  }
  int status() const { return static_cast<int>(view_.http_status); }
  /** "Name: value\r\n" lines, Content-Type among them. */
  std::string_view header_lines() const { return detail::view(view_.headers, view_.headers_size); }
  /** The same, taken apart. */
  std::vector<std::pair<std::string, std::string>> headers() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (std::string_view lines = header_lines(); !lines.empty();) {
      const std::string_view line = lines.substr(0, lines.find("\r\n"));
      const size_t colon = line.find(": ");
      all.emplace_back(line.substr(0, colon), line.substr(colon + 2));
      lines.remove_prefix(line.size() + 2);
    }
    return all;
  }
  std::string_view body() const { return detail::view(view_.body, view_.body_size); }

 private:
  std::unique_ptr<cohort_response_t, void (*)(cohort_response_t*)> handle_;
  cohort_response_view_t view_{};
};

/** A request of a peer, as the application's own HTTP server received it. What it refers to is copied. */
struct IncomingRequest {
  std::string_view method;
  std::string_view target;       /**< As it was sent: the escaped path and, if any, the query. */
  std::string_view header_lines; /**< "Name: value\r\n" lines. */
  std::string_view body;
  Milliseconds timeout{}; /**< How long the server will wait. */
};

/** One member of a cluster. Its destructor closes it and waits for its threads. */
class Instance {
 public:
  explicit Instance(const InstanceOptions& options = {}) : handle_(nullptr, &cohort_instance_free) {
    const auto made = options.make();
    detail::ErrorSlot error;
    handle_.reset(error.take(cohort_instance_new(made.get(), error)));
  }

  /** Serves peers at "host:port"; port 0 picks a free one. Connections are accepted when it returns. */
  void listen(std::string_view address) {
    detail::ErrorSlot error;
    error.check(cohort_instance_listen(handle(), address.data(), address.size(), error));
  }
  /** Stops to serve peers; groups and the asking of peers go on. Requests under way get up to `timeout` to end. */
  void stop_listening(Milliseconds timeout = {}) {
    detail::ErrorSlot error;
    error.check(cohort_instance_stop_listening(handle(), detail::to_ms(timeout), error));
  }
  /** The resolved address that is listened on; empty if none. */
  std::string listen_address() const {
    detail::ErrorSlot error;
    return Value::adopt(error.take(cohort_instance_listen_address(handle(), error))).str();
  }
  /** Replaces the set of peers, at any time. `self` is this member's own address, one of them. */
  template <typename Addresses>
  void set_peers(const Addresses& addresses, std::string_view self) {
    std::string lines;
    for (const auto& each : addresses) lines.append(lines.empty() ? "" : "\n").append(std::string_view(each));
    detail::ErrorSlot error;
    error.check(cohort_instance_set_peers(handle(), lines.data(), lines.size(), self.data(), self.size(), error));
  }
  void set_peers(std::initializer_list<std::string_view> addresses, std::string_view self) {
    set_peers<std::initializer_list<std::string_view>>(addresses, self);
  }
  /** The address of the key's owner; empty while this member is alone. */
  std::string owner(std::string_view key) const {
    detail::ErrorSlot error;
    return Value::adopt(error.take(cohort_instance_owner(handle(), key.data(), key.size(), error))).str();
  }

  Group new_group(std::string_view name, const GroupOptions& options = {}) {
    const auto made = options.make();
    detail::ErrorSlot error;
    return Group(error.take(cohort_instance_new_group(handle(), name.data(), name.size(), made.get(), error)));
  }
  std::optional<Group> find_group(std::string_view name) {
    detail::ErrorSlot error;
    cohort_group_t* const group = cohort_instance_get_group(handle(), name.data(), name.size(), error);
    if (group != nullptr) return Group(group);
    if (const Status status = error.status(); status.code() != Code::not_found) status.check();
    return std::nullopt;
  }
  void remove_group(std::string_view name) {
    detail::ErrorSlot error;
    error.check(cohort_instance_remove_group(handle(), name.data(), name.size(), error));
  }

  /** Answers a request of a peer that the application's own server received; `done` runs once, on any thread. */
  void handle_request(const IncomingRequest& request, std::function<void(Response)> done) {
    using Done = std::function<void(Response)>;
    detail::ErrorSlot error;
    auto own = std::make_unique<Done>(std::move(done));
    error.check(cohort_instance_handle_request_async(
        handle(), request.method.data(), request.method.size(), request.target.data(), request.target.size(),
        request.header_lines.data(), request.header_lines.size(), request.body.data(), request.body.size(),
        detail::to_ms(request.timeout),
        [](void* user, cohort_response_t* response) noexcept {
          const std::unique_ptr<Done> mine(static_cast<Done*>(user));
          (*mine)(Response(response));
        },
        own.get(), error));
    own.release();
  }
  /** The same for servers that have a thread for each request: waits for the response. */
  Response handle_request(const IncomingRequest& request) {
    const auto promise = std::make_shared<std::promise<Response>>();
    std::future<Response> future = promise->get_future();
    handle_request(request, [promise](Response response) { promise->set_value(std::move(response)); });
    return future.get();
  }

  /** Gives what is under way up to `timeout` to end, then fails the rest and stops every thread. */
  void shutdown(Milliseconds timeout = {}) {
    detail::ErrorSlot error;
    error.check(cohort_instance_shutdown(handle(), detail::to_ms(timeout), error));
  }

  cohort_instance_t* handle() const noexcept { return handle_.get(); }

 private:
  std::unique_ptr<cohort_instance_t, void (*)(cohort_instance_t*)> handle_;
};

/** The version of the library that is loaded. */
inline const char* version() { return cohort_version(); }

}  // namespace cohort

#endif
