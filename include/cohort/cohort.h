/**
 * @file cohort.h
 * The C ABI of libcohort: an in-process, read-through cache whose processes find each other's values.
 *
 * Rules that hold for every function; a function's own comment says what differs.
 *
 * - **Handles** are opaque and are returned by functions whose names end in `_new` (or are said to return an owned
 *   handle). Release each with the `_free` function of its noun. Freeing NULL is a no-op. A handle may be used from any
 *   thread at once unless its comment says otherwise; freeing it while another thread is inside a call on it is an error.
 * - **Bytes** travel as (pointer, size). Keys, values, names and messages may hold any byte, NUL included. A NULL pointer
 *   is accepted with size 0. Sizes are in bytes. Nothing that is passed in is kept after the call unless said so.
 *   A key has at most 65,536 bytes, a value 1 GiB, a name or an address 255; more is COHORT_TOO_LARGE.
 * - **Errors**: functions that can fail take a `cohort_error_t *error` that the caller owns and may reuse; NULL is
 *   accepted. Functions return a `cohort_status_t` (COHORT_OK is 0), or NULL instead of a handle. Each may end with
 *   COHORT_INVALID_ARGUMENT or COHORT_TOO_LARGE (the message names the argument), COHORT_FORKED, COHORT_NO_MEMORY, and
 *   COHORT_CLOSED once its instance, group or queue is closed; its comment names what else. A call that was to
 *   register or begin something, and failed, leaves nothing behind: no callback or event comes.
 * - **Time**: `timeout_ms` is a duration in milliseconds; 0 or less means "no limit of my own" (the group's longest load
 *   time still ends it). `expire_unix_ns` is nanoseconds since the Unix epoch; 0 means never.
 * - **Callbacks** run with no lock held, on the thread that the comment names. They may be called before the function that
 *   registered them returns. They must not throw, longjmp or unwind through the library. Getters may block; the others share
 *   a few engine threads, so they must not block for long.
 * - **`destroy(user)`** runs exactly once for each registered `user`, also when the registration or the construction
 *   failed; it may be NULL. What is registered in options is shared by all that is made from them: it is destroyed with the
 *   last.
 * - **Fork**: in a child process, inherited handles answer COHORT_FORKED; freeing them releases no thread, lock or
 *   descriptor of the parent, and destroys nothing. Errors and values go on working. The child may make handles of its own.
 * - **Since**: everything here exists since API level 1 unless marked otherwise.
 */
#ifndef COHORT_COHORT_H
#define COHORT_COHORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the library exports. */
#if defined(COHORT_BUILDING) && defined(__GNUC__)
#define COHORT_API __attribute__((visibility("default")))
#else
#define COHORT_API
#endif

/** Raised by one whenever functions are added; nothing is ever taken away below a new major version. */
#define COHORT_API_LEVEL 1

/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Version */
/** @{ */

/** The API level of the library that is loaded; a program built against a higher COHORT_API_LEVEL must not use it. */
COHORT_API int32_t cohort_api_level(void);
/** The version of the library as text, such as "0.1.0". Static storage. */
COHORT_API const char *cohort_version(void);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Nouns */
/** @{ */

typedef struct cohort_error cohort_error_t;                       /**< A status with a message, reusable. */
typedef struct cohort_value cohort_value_t;                       /**< Immutable bytes, reference counted. */
typedef struct cohort_instance_options cohort_instance_options_t; /**< How an instance is made. */
typedef struct cohort_instance cohort_instance_t;                 /**< One member of a cluster. */
typedef struct cohort_group_options cohort_group_options_t;       /**< How a group is made. */
typedef struct cohort_group cohort_group_t;                       /**< A named cache with a getter. */
typedef struct cohort_load cohort_load_t;   /**< A getter's open task: to be completed or failed exactly once. */
typedef struct cohort_queue cohort_queue_t; /**< Where completions and tasks arrive as events. */
typedef struct cohort_transport cohort_transport_t; /**< How peers are reached. */
typedef struct cohort_request cohort_request_t;     /**< A custom transport's open task: to be answered exactly once. */
typedef struct cohort_response cohort_response_t;   /**< The answer to a request of a peer, to be sent back. */

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Status and errors */
/** @{ */

/** How a call ended: COHORT_OK, or why not. New ones may be added: treat those you do not know as failures. */
typedef int32_t cohort_status_t;
/** The statuses. */
enum {
  COHORT_OK = 0,               /**< It succeeded. */
  COHORT_NOT_FOUND = 1,        /**< The getter, here or at the owner, says that there is no such key. */
  COHORT_LOAD_FAILED = 2,      /**< The getter of this process failed. */
  COHORT_REMOTE_FAILED = 3,    /**< The getter of the key's owner failed. */
  COHORT_TIMEOUT = 4,          /**< The deadline passed. */
  COHORT_CANCELLED = 5,        /**< The caller cancelled its own wait. */
  COHORT_CLOSED = 6,           /**< The instance, group or queue is closed. */
  COHORT_INVALID_ARGUMENT = 7, /**< The message names the argument. */
  COHORT_UNREACHABLE = 8,      /**< A peer could not be reached or did not acknowledge; the message names it. */
  COHORT_NO_GETTER = 9,        /**< A load was needed and nothing in this process can run it. */
  COHORT_LOAD_ABANDONED = 10,  /**< The load was freed without an answer and no waiter was left to lead. */
  COHORT_WOULD_DEADLOCK = 11,  /**< A getter asked for the key it is loading. */
  COHORT_TOO_LARGE = 12,       /**< A size is beyond a limit; the message names it. */
  COHORT_ALREADY_EXISTS = 13,  /**< A group of that name exists. */
  COHORT_IO = 14,              /**< The operating system refused (listening, reading a certificate, ...). */
  COHORT_FORKED = 15,          /**< The handle was made by the parent process. */
  COHORT_NO_MEMORY = 16,       /**< An allocation failed. */
  COHORT_UNSUPPORTED = 17,     /**< This handle or platform cannot do that. */
  COHORT_INTERNAL = 18         /**< A defect of the library; please report the message. */
};

/** Makes an empty error. Returns NULL only when memory is exhausted. */
COHORT_API cohort_error_t *cohort_error_new(void);
/** Releases @p error. */
COHORT_API void cohort_error_free(cohort_error_t *error);
/** The status of the last call that was handed @p error; COHORT_OK if it succeeded. Not thread safe, as all of error. */
COHORT_API cohort_status_t cohort_error_status(const cohort_error_t *error);
/** The message, one line, NUL terminated as well; borrowed, valid until @p error is used again or freed. */
COHORT_API const char *cohort_error_message(const cohort_error_t *error);
/** Size of the message without its NUL. */
COHORT_API int64_t cohort_error_message_size(const cohort_error_t *error);
/** A constant name such as "NOT_FOUND". Static storage; "UNKNOWN" for anything else. */
COHORT_API const char *cohort_status_name(cohort_status_t status);

/** Called once when a registered user pointer or borrowed memory is no longer needed. Any thread. */
typedef void (*cohort_destroy_fn)(void *user);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Values */
/** @{ */

/** A value holding a copy of the bytes. The caller owns it. */
COHORT_API cohort_value_t *cohort_value_new(const void *value, size_t value_size, int64_t expire_unix_ns,
                                            cohort_error_t *error);
/**
 * A value over the caller's memory, without a copy. The memory must stay as it is until `destroy(user)` runs, which
 * happens once, on the thread that drops the last reference, or at once when the call fails.
 */
COHORT_API cohort_value_t *cohort_value_new_borrowed(const void *value, size_t value_size, int64_t expire_unix_ns,
                                                     cohort_destroy_fn destroy, void *user, cohort_error_t *error);
/** A second reference to the same bytes; O(1). The caller owns it. */
COHORT_API cohort_value_t *cohort_value_clone(const cohort_value_t *value);
/** Drops a reference. */
COHORT_API void cohort_value_free(cohort_value_t *value);
/** The bytes, borrowed while the reference is held; never NULL. */
COHORT_API const void *cohort_value_data(const cohort_value_t *value);
/** The number of bytes. */
COHORT_API int64_t cohort_value_size(const cohort_value_t *value);
/** When it expires; 0 = never. */
COHORT_API int64_t cohort_value_expire_unix_ns(const cohort_value_t *value);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Events and queues
 * A queue is for programs with a runtime of their own: nothing is ever called from a foreign thread. Every accepted
 * operation puts exactly one event with its tag into the queue, whatever happens; a push never fails. */
/** @{ */

enum {
  COHORT_EVENT_GET = 1,      /**< A get ended. status; OK: value, data, size, expire_unix_ns, source; else a message. */
  COHORT_EVENT_LEAD = 2,     /**< A waiting get became the leader: run the getter and end `load`. tag: the get's. */
  COHORT_EVENT_LOAD = 3,     /**< Run the group's getter for the key in data, size and end `load`. tag: the group's. */
  COHORT_EVENT_DONE = 4,     /**< A set, remove or remove_keys ended. status; else a message. */
  COHORT_EVENT_CANCEL = 5,   /**< Nobody waits for the watched load or request any more. tag: of the watch; status:
                                  COHORT_TIMEOUT or COHORT_CANCELLED. May come after the load has ended: ignore it then. */
  COHORT_EVENT_SEND = 6,     /**< A custom transport has to send `request`. tag: the transport's. */
  COHORT_EVENT_RESPONSE = 7, /**< A handled request has its `response`. */
  COHORT_EVENT_LOG = 8       /**< A line of log in data, size; status: its level. tag: of the registration. */
};

/** Flags of an event. */
enum {
  COHORT_EVENT_OVERTAKEN = 1 /**< GET: a Remove or Set overtook the load. The value is handed out and kept nowhere; who
                                  serves it on must tell its asker not to keep it either (groupcache: expire = 1). */
};

/** Where a value came from. */
enum {
  COHORT_SOURCE_NONE = 0,
  COHORT_SOURCE_MAIN = 1, /**< This node's main cache. */
  COHORT_SOURCE_HOT = 2,  /**< This node's hot cache. */
  COHORT_SOURCE_PEER = 3, /**< The key's owner. */
  COHORT_SOURCE_LOAD = 4  /**< A getter of this process. */
};

/**
 * One event. Plain memory of a fixed layout (checked at compile time), so that batches land in an array of the host
 * language. The receiver owns value, load, request and response, whichever are not NULL: cohort_event_release frees them.
 */
typedef struct cohort_event_t {
  int32_t kind;              /**< COHORT_EVENT_* */
  cohort_status_t status;    /**< How it ended. */
  uint64_t tag;              /**< The caller's tag. */
  const void *data;          /**< Borrowed from value, load, request or response. GET: the value, or the message; LEAD,
                                    LOAD, SEND: the key (RAW: the body); RESPONSE: the body. */
  int64_t size;              /**< Size of data. */
  int64_t expire_unix_ns;    /**< GET: when the value expires; 0 = never. */
  uint64_t error_tag;        /**< GET, failed by a getter of this process: what cohort_load_fail was given; else 0. */
  cohort_value_t *value;     /**< GET: the value; on failures, and for LOG: the message. */
  cohort_load_t *load;       /**< LEAD, LOAD. */
  cohort_request_t *request; /**< SEND. */
  cohort_response_t *response; /**< RESPONSE. */
  int32_t source;              /**< GET: COHORT_SOURCE_* */
  int32_t flags;               /**< COHORT_EVENT_OVERTAKEN, or 0. */
} cohort_event_t;

/** Frees what @p event owns and clears those fields. NULL is a no-op. An open load is abandoned, a request fails. */
COHORT_API void cohort_event_release(cohort_event_t *event);

/** Makes a queue. The caller owns it. */
COHORT_API cohort_queue_t *cohort_queue_new(cohort_error_t *error);
/**
 * Closes the queue if that was not done, and drops the handle. What is still in it is released as cohort_event_release
 * would. Not while a thread is in cohort_queue_wait.
 */
COHORT_API void cohort_queue_free(cohort_queue_t *queue);
/**
 * Closes the queue: new operations on it are refused with COHORT_CLOSED, waiting ones end with COHORT_CLOSED events
 * (which can still be taken), loads and requests that nobody has taken are abandoned. Wakes every waiter. Idempotent.
 */
COHORT_API void cohort_queue_close(cohort_queue_t *queue);
/**
 * Takes up to @p max events, oldest first. Waits for the first one: at most @p timeout_ms; 0 does not wait; negative
 * waits as long as it takes.
 * @return the number of events written; 0 after the timeout, a wake, or when the queue is closed and empty.
 */
COHORT_API int64_t cohort_queue_wait(cohort_queue_t *queue, cohort_event_t *events, size_t max, int64_t timeout_ms);
/**
 * A descriptor for the host's poller: readable while the queue is not empty or has been woken, and now and then for
 * nothing. cohort_queue_wait makes it unreadable when nothing is left. Owned by the queue: do not read, write or close
 * it.
 */
COHORT_API int32_t cohort_queue_fd(cohort_queue_t *queue, cohort_error_t *error);
/** Makes one call of cohort_queue_wait (a waiting one, or else the next) return without an event. */
COHORT_API void cohort_queue_wake(cohort_queue_t *queue);
/** 1 once cohort_queue_close has been called and every event has been taken and none can come; else 0. */
COHORT_API int32_t cohort_queue_drained(const cohort_queue_t *queue);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Instance options
 * Setters copy what they are given and check it at once. Not thread safe. */
/** @{ */

/** How keys find their owners. */
enum {
  COHORT_RING_GROUPCACHE_V3 = 0, /**< groupcache-go v3: FNV-1 64 over MD5 points. The default. */
  COHORT_RING_GROUPCACHE = 1,    /**< The original groupcache: CRC-32 over decimal(i) + peer, 32-bit. */
  COHORT_RING_XXH3 = 2           /**< XXH3 64 over points and keys: the fastest; Cohort members only. */
};

/** Levels of log lines. */
enum { COHORT_LOG_DEBUG = 0, COHORT_LOG_INFO = 1, COHORT_LOG_WARN = 2, COHORT_LOG_ERROR = 3 };

/** Hashes bytes to a point on the ring. Must be pure. Any thread. */
typedef uint64_t (*cohort_hash_fn)(void *user, const void *data, size_t size);
/** Takes one line of log. Any thread; must not block for long. */
typedef void (*cohort_log_fn)(void *user, int32_t level, const char *message, size_t message_size);

/** Makes options with every default. The caller owns them. */
COHORT_API cohort_instance_options_t *cohort_instance_options_new(void);
/** Releases the options. Instances made from them are not affected. */
COHORT_API void cohort_instance_options_free(cohort_instance_options_t *options);
/** A name for logs; default "cohort". At most 255 bytes. */
COHORT_API cohort_status_t cohort_instance_options_set_name(cohort_instance_options_t *options, const char *name,
                                                            size_t name_size, cohort_error_t *error);
/** COHORT_RING_*. Every member of a cluster must use the same. */
COHORT_API cohort_status_t cohort_instance_options_set_ring(cohort_instance_options_t *options, int32_t ring,
                                                            cohort_error_t *error);
/** Points per peer on the ring, 1 to 10,000; default 50. Every member must use the same. */
COHORT_API cohort_status_t cohort_instance_options_set_replicas(cohort_instance_options_t *options, int32_t replicas,
                                                                cohort_error_t *error);
/** A hash of the program's own in place of the ring's; the points stay as the ring makes them. */
COHORT_API cohort_status_t cohort_instance_options_set_hash(cohort_instance_options_t *options, cohort_hash_fn hash,
                                                            cohort_destroy_fn destroy, void *user,
                                                            cohort_error_t *error);
/** How peers are reached; default: HTTP with default settings. The options take a reference of their own. */
COHORT_API cohort_status_t cohort_instance_options_set_transport(cohort_instance_options_t *options,
                                                                 cohort_transport_t *transport, cohort_error_t *error);
/** The path under which peers are served and asked; default "/_groupcache/". Begins and ends with '/'. */
COHORT_API cohort_status_t cohort_instance_options_set_base_path(cohort_instance_options_t *options, const char *path,
                                                                 size_t path_size, cohort_error_t *error);
/** Lines of log at @p level and above go to @p log. Default: none. */
COHORT_API cohort_status_t cohort_instance_options_set_logger(cohort_instance_options_t *options, int32_t level,
                                                              cohort_log_fn log, cohort_destroy_fn destroy, void *user,
                                                              cohort_error_t *error);
/** Lines of log at @p level and above go to @p queue as LOG events with @p tag, at most 1,024 untaken ones. */
COHORT_API cohort_status_t cohort_instance_options_set_log_queue(cohort_instance_options_t *options, int32_t level,
                                                                 cohort_queue_t *queue, uint64_t tag,
                                                                 cohort_error_t *error);
/** How many getters that block may run at once on the engine's own threads; 1 to 4,096, default 64. */
COHORT_API cohort_status_t cohort_instance_options_set_max_getter_threads(cohort_instance_options_t *options,
                                                                          int32_t threads, cohort_error_t *error);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Instances */
/** @{ */

/**
 * Makes an instance: local only until cohort_instance_set_peers. @p options may be NULL. The caller owns it. COHORT_IO when
 * a certificate cannot be read.
 */
COHORT_API cohort_instance_t *cohort_instance_new(const cohort_instance_options_t *options, cohort_error_t *error);
/**
 * Closes the instance, waiting as long as it takes for its threads, and drops the handle. In one of its own callbacks it
 * does not wait: another thread closes the instance soon.
 */
COHORT_API void cohort_instance_free(cohort_instance_t *instance);
/**
 * Starts to serve peers at @p address, "host:port"; without a host on every address of the machine; port 0 picks a
 * free one. One address at a time. When it returns, connections are accepted. COHORT_IO when the address is taken or cannot be resolved; COHORT_UNSUPPORTED with a custom
 * transport.
 */
COHORT_API cohort_status_t cohort_instance_listen(cohort_instance_t *instance, const char *address, size_t address_size,
                                                  cohort_error_t *error);
/**
 * Stops to serve peers: the port is free when it returns; requests under way get up to @p timeout_ms to end (0 or less:
 * none). The groups, their caches and the asking of peers go on, and cohort_instance_listen may follow. OK when nothing
 * listens. COHORT_WOULD_DEADLOCK in one of the instance's own callbacks.
 */
COHORT_API cohort_status_t cohort_instance_stop_listening(cohort_instance_t *instance, int64_t timeout_ms,
                                                          cohort_error_t *error);
/** The resolved address that is listened on, such as "127.0.0.1:8080"; empty if none. The caller owns the value. */
COHORT_API cohort_value_t *cohort_instance_listen_address(const cohort_instance_t *instance, cohort_error_t *error);
/**
 * Replaces the set of peers, at any time; gets that are under way end as they began.
 * @param addresses every member's "host:port", this one's included, separated by '\n'; the strings must be the same, byte
 *        for byte, on every member. Empty: local only. At most 10,000. A custom transport may name its peers otherwise.
 * @param self this member's own address: it must be among them exactly once.
 */
COHORT_API cohort_status_t cohort_instance_set_peers(cohort_instance_t *instance, const char *addresses,
                                                     size_t addresses_size, const char *self, size_t self_size,
                                                     cohort_error_t *error);
/** The address of the key's owner by this member's ring; empty while local only. The caller owns the value. */
COHORT_API cohort_value_t *cohort_instance_owner(const cohort_instance_t *instance, const char *key, size_t key_size,
                                                 cohort_error_t *error);
/**
 * Makes a group. @p name holds 1 to 255 bytes, no '/'. The caller owns the handle; the group itself lives until
 * cohort_instance_remove_group or the end of the instance. COHORT_ALREADY_EXISTS if the instance has one of that name.
 */
COHORT_API cohort_group_t *cohort_instance_new_group(cohort_instance_t *instance, const char *name, size_t name_size,
                                                     const cohort_group_options_t *options, cohort_error_t *error);
/** Another handle to a group, owned by the caller; NULL with COHORT_NOT_FOUND if there is none of that name. */
COHORT_API cohort_group_t *cohort_instance_get_group(cohort_instance_t *instance, const char *name, size_t name_size,
                                                     cohort_error_t *error);
/**
 * Takes the group out of the instance and closes it: peers are told that it is not there, waiting gets end CLOSED.
 * COHORT_NOT_FOUND if there is none of that name.
 */
COHORT_API cohort_status_t cohort_instance_remove_group(cohort_instance_t *instance, const char *name, size_t name_size,
                                                        cohort_error_t *error);
/**
 * Shuts down: stops listening, refuses new work, gives what is under way up to @p timeout_ms to end (0 or less: none),
 * then fails the rest with COHORT_CLOSED and stops every thread. Idempotent. COHORT_WOULD_DEADLOCK in one of the
 * instance's own callbacks.
 */
COHORT_API cohort_status_t cohort_instance_shutdown(cohort_instance_t *instance, int64_t timeout_ms,
                                                    cohort_error_t *error);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Mounting on the application's own HTTP server
 * A request of a peer goes in, a response comes out: exactly one event or call for each accepted request. */
/** @{ */

/** What to send back. Pointers are borrowed from the response. */
typedef struct cohort_response_view_t {
  int64_t http_status;  /**< 200, 400, ... */
  const char *headers;  /**< "Name: value\r\n" lines, Content-Type among them; Content-Length is the server's part. */
  int64_t headers_size; /**< Size of headers. */
  const void *body;     /**< The body. */
  int64_t body_size;    /**< Size of the body. */
} cohort_response_view_t;

/** Takes the response, which it then owns. Any thread. */
typedef void (*cohort_response_fn)(void *user, cohort_response_t *response);

/**
 * Handles a request of a peer; the answer comes to @p queue as a RESPONSE event with @p tag.
 * @param method "GET", "PUT", ...
 * @param target the request's target as it was sent: the escaped path and, if any, the query; at most 256 KiB.
 * @param headers "Name: value\r\n" lines; at most 64 KiB.
 * @param timeout_ms how long the server will wait; a peer's own deadline in the headers counts as well.
 */
COHORT_API cohort_status_t cohort_instance_handle_request(cohort_instance_t *instance, const char *method,
                                                          size_t method_size, const char *target, size_t target_size,
                                                          const char *headers, size_t headers_size, const void *body,
                                                          size_t body_size, int64_t timeout_ms, cohort_queue_t *queue,
                                                          uint64_t tag, cohort_error_t *error);
/** As cohort_instance_handle_request, with a callback. When the call fails, @p done does not run. */
COHORT_API cohort_status_t cohort_instance_handle_request_async(cohort_instance_t *instance, const char *method,
                                                                size_t method_size, const char *target,
                                                                size_t target_size, const char *headers,
                                                                size_t headers_size, const void *body, size_t body_size,
                                                                int64_t timeout_ms, cohort_response_fn done, void *user,
                                                                cohort_error_t *error);
/** Shows what to send back. */
COHORT_API void cohort_response_view(const cohort_response_t *response, cohort_response_view_t *view);
/** Releases the response. */
COHORT_API void cohort_response_free(cohort_response_t *response);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Group options
 * Setters copy what they are given and check it at once. Not thread safe. */
/** @{ */

/** The two tiers of a group's cache. */
enum {
  COHORT_TIER_MAIN = 1, /**< Keys that this member owns: 7/8 of the bytes. */
  COHORT_TIER_HOT = 2   /**< Copies of other members' values: 1/8. */
};

/** Which entry leaves when room is needed, or is not kept because those that are here are worth more. */
enum {
  COHORT_POLICY_LRU = 0,     /**< The least recently used, as in groupcache. Keeps every value. */
  COHORT_POLICY_ADAPTIVE = 1 /**< By recency, reuse, frequency or frequency for the size, whichever hits most at the
                                  time; the default. Resists scans, and may not keep a value that was loaded; one that
                                  was set is always kept. */
};

/** Why an entry left a cache. */
enum {
  COHORT_EVICTED_FOR_ROOM = 1, /**< The budget was reached. */
  COHORT_EVICTED_EXPIRED = 2   /**< Its time had come. */
};

/**
 * A getter: ends @p load, now or later, on any thread. Runs on an engine thread, or on the caller's in a blocking get;
 * it may block, and may get keys of other groups. @p key is borrowed for the call (cohort_load_key outlives it).
 */
typedef void (*cohort_getter_fn)(void *user, cohort_load_t *load, const char *key, size_t key_size);
/** Told of an entry that left a cache by itself. Any thread; must not block for long. */
typedef void (*cohort_evicted_fn)(void *user, int32_t tier, int32_t reason, const char *key, size_t key_size,
                                  const cohort_value_t *value);
/** Custom cache: finds @p key; returns a value that the engine then owns, or NULL. */
typedef cohort_value_t *(*cohort_cache_get_fn)(void *user, const char *key, size_t key_size);
/** Custom cache: keeps @p value (borrowed for the call) under @p key. */
typedef void (*cohort_cache_add_fn)(void *user, const char *key, size_t key_size, const cohort_value_t *value);
/** Custom cache: forgets @p key; an empty call (key NULL) forgets everything. */
typedef void (*cohort_cache_remove_fn)(void *user, const char *key, size_t key_size);

/** Makes options with every default: 64 MiB, adaptive, no getter. The caller owns them. */
COHORT_API cohort_group_options_t *cohort_group_options_new(void);
/** Releases the options. Groups made from them are not affected. */
COHORT_API void cohort_group_options_free(cohort_group_options_t *options);
/** Bytes for both tiers, overheads included; default 64 MiB. 0 or less turns caching off. */
COHORT_API cohort_status_t cohort_group_options_set_cache_bytes(cohort_group_options_t *options, int64_t cache_bytes,
                                                                cohort_error_t *error);
/** Most entries for both tiers, split as the bytes are; default 0: no limit. */
COHORT_API cohort_status_t cohort_group_options_set_max_entries(cohort_group_options_t *options, int64_t max_entries,
                                                                cohort_error_t *error);
/** COHORT_POLICY_*; default COHORT_POLICY_ADAPTIVE. */
COHORT_API cohort_status_t cohort_group_options_set_policy(cohort_group_options_t *options, int32_t policy,
                                                           cohort_error_t *error);
/** Longest time for one load, after which its waiters end with COHORT_TIMEOUT; 1 ms to 1 day, default 60,000. */
COHORT_API cohort_status_t cohort_group_options_set_load_timeout_ms(cohort_group_options_t *options,
                                                                    int64_t load_timeout_ms, cohort_error_t *error);
/** Loads are run by calling @p getter. Replaces a queue set before. */
COHORT_API cohort_status_t cohort_group_options_set_getter(cohort_group_options_t *options, cohort_getter_fn getter,
                                                           cohort_destroy_fn destroy, void *user,
                                                           cohort_error_t *error);
/** Loads arrive in @p queue as LOAD events with @p tag. Replaces a getter set before. */
COHORT_API cohort_status_t cohort_group_options_set_getter_queue(cohort_group_options_t *options, cohort_queue_t *queue,
                                                                 uint64_t tag, cohort_error_t *error);
/** @p evicted is told of entries that leave for room or by expiry (not of Remove, Set or closing). */
COHORT_API cohort_status_t cohort_group_options_set_eviction_listener(cohort_group_options_t *options,
                                                                      cohort_evicted_fn evicted,
                                                                      cohort_destroy_fn destroy, void *user,
                                                                      cohort_error_t *error);
/**
 * A cache of the program's own for one tier. Unlike other callbacks add and remove run under the lock of the key's flight,
 * so that no load can put back what a Remove took, and get may: they must not call the library except for cohort_value_*,
 * nor block. Any thread, several at once.
 */
COHORT_API cohort_status_t cohort_group_options_set_cache(cohort_group_options_t *options, int32_t tier,
                                                          cohort_cache_get_fn get, cohort_cache_add_fn add,
                                                          cohort_cache_remove_fn remove, cohort_destroy_fn destroy,
                                                          void *user, cohort_error_t *error);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Getting */
/** @{ */

/** What cohort_group_begin answers; negative: a failure, whose status is its negation. */
enum {
  COHORT_BEGIN_HIT = 1,     /**< The value is in the buffer or in answer->value. */
  COHORT_BEGIN_PENDING = 2, /**< An event with the tag will come. */
  COHORT_BEGIN_LEAD = 3,    /**< This caller runs the getter and ends answer->load; no event will come. */
  COHORT_BEGIN_MISS = 4,    /**< Only with COHORT_GET_PEEK: it is not here. */
  COHORT_BEGIN_DONE = 5     /**< Of a change: it has ended well, and no event will come. */
};

/** Flags of a get; add them up. */
enum {
  COHORT_GET_CAN_LEAD = 1, /**< The caller is willing to run the getter: begin may answer LEAD, or a queue bring it. */
  COHORT_GET_LOCAL = 2,    /**< Never ask a peer: for a get that a peer has asked for. Fills hot only unless this member
                                owns the key. */
  COHORT_GET_PEEK = 4,     /**< Never load and never wait. */
  COHORT_GET_LEND = 8      /**< Of begin and begin_many, by a thread that will only wait for the events: it may be kept
                                meanwhile, to ask the owner itself, and finds the events in the queue then. No other
                                thread need be woken for them. The tickets are in the answers by then: another thread
                                may cancel. Elsewhere, and where it would not help, it says nothing. */
};

/** Filled by cohort_group_begin. */
typedef struct cohort_answer_t {
  int64_t size;           /**< HIT: the value's size. */
  int64_t expire_unix_ns; /**< HIT: when it expires; 0 = never. */
  cohort_value_t *value;  /**< HIT, when it did not fit into the buffer: the value, owned by the caller. Else NULL. */
  cohort_load_t *load;    /**< LEAD: owned by the caller. Else NULL. */
  uint64_t ticket;        /**< PENDING: for cohort_group_cancel. */
  int32_t source;         /**< HIT: COHORT_SOURCE_*. */
  int32_t reserved;       /**< 0. */
} cohort_answer_t;

/**
 * The one call of a get, never blocking (but see COHORT_GET_LEND). A hit is copied to @p buf if it has at most @p cap
 * bytes, else handed out as answer->value; with cap 0 it is always handed out. A hit allocates nothing. A miss is
 * PENDING, or LEAD if the caller can lead, owns the key (or is alone), and nobody else is loading it.
 * @param flags COHORT_GET_*.
 * @param queue where the event goes; may be NULL only with COHORT_GET_PEEK.
 * @return COHORT_BEGIN_*, or a negated status: then nothing is pending and the message is in @p error.
 */
COHORT_API int32_t cohort_group_begin(cohort_group_t *group, const char *key, size_t key_size, void *buf, size_t cap,
                                      int32_t flags, int64_t timeout_ms, cohort_queue_t *queue, uint64_t tag,
                                      cohort_answer_t *answer, cohort_error_t *error);
/**
 * Begins @p count gets at once, split by owner. Hits are in answers[i] (as values, HIT); each other key gets an event with
 * tag first_tag + i (answers[i] all zero but for the ticket). No caller leads. With COHORT_GET_PEEK no event comes, and
 * @p queue may be NULL: what is not here is all zero. Never blocks, but see COHORT_GET_LEND.
 * @param keys the keys' bytes, one after the other.
 * @param key_sizes @p count sizes; at most 1,000,000, which together are @p keys_size.
 * @return the number of hits, or a negated status: then nothing is pending.
 */
COHORT_API int64_t cohort_group_begin_many(cohort_group_t *group, const char *keys, size_t keys_size,
                                           const int64_t *key_sizes, size_t count, int32_t flags, int64_t timeout_ms,
                                           cohort_queue_t *queue, uint64_t first_tag, cohort_answer_t *answers,
                                           cohort_error_t *error);
/**
 * Cancels one wait of begin, begin_many or get_async. Its event or callback comes all the same, exactly once: with
 * COHORT_CANCELLED if this call was first. @return 1 if it was first, else 0.
 */
COHORT_API int32_t cohort_group_cancel(cohort_group_t *group, uint64_t ticket);
/** A hit copied into @p buf: returns its size; if that is more than @p cap nothing is copied. -1: not here. Never loads. */
COHORT_API int64_t cohort_group_try_copy(cohort_group_t *group, const char *key, size_t key_size, void *buf,
                                         size_t cap);
/** A hit without a copy: a value that the caller owns, or NULL. Never loads. */
COHORT_API cohort_value_t *cohort_group_lookup(cohort_group_t *group, const char *key, size_t key_size);

/** Takes the end of a get. OK: @p value is the callee's to free. Else value is NULL and @p message is borrowed. */
typedef void (*cohort_get_fn)(void *user, cohort_status_t status, cohort_value_t *value, const char *message,
                              size_t message_size);
/**
 * Gets with a callback, on the calling thread (a hit) or an engine thread. Exactly once, unless this returns 0 with
 * an error. COHORT_GET_CAN_LEAD has no meaning here. @return a ticket for cohort_group_cancel (already used up if the
 * callback has run).
 */
COHORT_API uint64_t cohort_group_get_async(cohort_group_t *group, const char *key, size_t key_size, int32_t flags,
                                           int64_t timeout_ms, cohort_get_fn done, void *user, cohort_error_t *error);
/**
 * Gets and waits. A getter callback may run on this thread. The caller owns the value; NULL on failure: as any get,
 * COHORT_NOT_FOUND, COHORT_LOAD_FAILED or COHORT_REMOTE_FAILED by the getter's word, COHORT_TIMEOUT, COHORT_NO_GETTER,
 * COHORT_LOAD_ABANDONED, COHORT_WOULD_DEADLOCK in the getter of this very key.
 */
COHORT_API cohort_value_t *cohort_group_get(cohort_group_t *group, const char *key, size_t key_size, int32_t flags,
                                            int64_t timeout_ms, cohort_error_t *error);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Loads
 * A load is ended once, by complete or fail, which also release the handle, whatever they return; freeing an open one
 * abandons it, so that the next waiter that can lead runs the getter. Ending a load that has timed out or was overtaken is
 * fine. A value that cannot be taken (too large, NULL with a size) fails the load with the message of the error. */
/** @{ */

/** The key, borrowed while the load is open. */
COHORT_API const char *cohort_load_key(const cohort_load_t *load);
/** Size of the key. */
COHORT_API int64_t cohort_load_key_size(const cohort_load_t *load);
/** Milliseconds until the latest deadline among those who wait now, at most the group's load timeout; 0: none is left. */
COHORT_API int64_t cohort_load_time_left_ms(const cohort_load_t *load);
/** 1 when nobody waits for it any more; else 0. */
COHORT_API int32_t cohort_load_cancelled(const cohort_load_t *load);
/** A CANCEL event with @p tag will come to @p queue if the last waiter leaves before the load ends. At most once. */
COHORT_API cohort_status_t cohort_load_watch(cohort_load_t *load, cohort_queue_t *queue, uint64_t tag,
                                             cohort_error_t *error);
/** For a leader (begin's LEAD): its own caller has gone. The load goes on while others wait. */
COHORT_API void cohort_load_leave(cohort_load_t *load);
/** Ends the load with a copy of the bytes. */
COHORT_API cohort_status_t cohort_load_complete(cohort_load_t *load, const void *value, size_t value_size,
                                                int64_t expire_unix_ns, cohort_error_t *error);
/** Ends the load with a value; the load takes a reference of its own. The value's expiry counts. */
COHORT_API cohort_status_t cohort_load_complete_value(cohort_load_t *load, const cohort_value_t *value,
                                                      cohort_error_t *error);
/**
 * Ends the load with a failure: COHORT_NOT_FOUND, or COHORT_LOAD_FAILED for anything else.
 * @param message one line, cut after 65,536 bytes; the waiters are handed it as it is.
 * @param error_tag handed to waiters on queues as it is (event.error_tag); 0 = none.
 * @return the number of events that will carry @p error_tag.
 */
COHORT_API int64_t cohort_load_fail(cohort_load_t *load, cohort_status_t status, const char *message,
                                    size_t message_size, uint64_t error_tag);
/** Abandons an open load and releases the handle. */
COHORT_API void cohort_load_free(cohort_load_t *load);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Changing
 * Set: the owner stores the value, then every other member drops its copy. Remove: the owner drops the key, then every
 * other member. The status is COHORT_UNREACHABLE when a member did not acknowledge in time; the message names each. A
 * `timeout_ms` of 0 or less means 10,000 here. */
/** @{ */

/** Takes the end of a set or remove. @p message is borrowed. Engine thread, or the calling one. */
typedef void (*cohort_done_fn)(void *user, cohort_status_t status, const char *message, size_t message_size);

/** Sets and waits. The key must not be empty. */
COHORT_API cohort_status_t cohort_group_set(cohort_group_t *group, const char *key, size_t key_size, const void *value,
                                            size_t value_size, int64_t expire_unix_ns, int64_t timeout_ms,
                                            cohort_error_t *error);
/** Sets; the end comes to @p queue as DONE with @p tag. */
COHORT_API cohort_status_t cohort_group_set_queue(cohort_group_t *group, const char *key, size_t key_size,
                                                  const void *value, size_t value_size, int64_t expire_unix_ns,
                                                  int64_t timeout_ms, cohort_queue_t *queue, uint64_t tag,
                                                  cohort_error_t *error);
/** Sets; the end comes as a call, exactly once, unless this fails. */
COHORT_API cohort_status_t cohort_group_set_async(cohort_group_t *group, const char *key, size_t key_size,
                                                  const void *value, size_t value_size, int64_t expire_unix_ns,
                                                  int64_t timeout_ms, cohort_done_fn done, void *user,
                                                  cohort_error_t *error);
/**
 * Sets, as cohort_group_set_queue, but what has ended when this returns, as where no other member is to be told, says so at
 * once: nobody need be woken for it.
 * @return COHORT_BEGIN_DONE, COHORT_BEGIN_PENDING, or a negated status: then no event will come and the message is in @p error.
 */
COHORT_API int32_t cohort_group_begin_set(cohort_group_t *group, const char *key, size_t key_size, const void *value,
                                          size_t value_size, int64_t expire_unix_ns, int64_t timeout_ms,
                                          cohort_queue_t *queue, uint64_t tag, cohort_error_t *error);
/** Removes and waits. */
COHORT_API cohort_status_t cohort_group_remove(cohort_group_t *group, const char *key, size_t key_size,
                                               int64_t timeout_ms, cohort_error_t *error);
/** Removes; the end comes to @p queue as DONE with @p tag. */
COHORT_API cohort_status_t cohort_group_remove_queue(cohort_group_t *group, const char *key, size_t key_size,
                                                     int64_t timeout_ms, cohort_queue_t *queue, uint64_t tag,
                                                     cohort_error_t *error);
/** Removes; says at once what has ended at once, as cohort_group_begin_set. */
COHORT_API int32_t cohort_group_begin_remove(cohort_group_t *group, const char *key, size_t key_size,
                                             int64_t timeout_ms, cohort_queue_t *queue, uint64_t tag,
                                             cohort_error_t *error);
/** Removes; the end comes as a call, exactly once, unless this fails. */
COHORT_API cohort_status_t cohort_group_remove_async(cohort_group_t *group, const char *key, size_t key_size,
                                                     int64_t timeout_ms, cohort_done_fn done, void *user,
                                                     cohort_error_t *error);
/** Removes @p count keys (packed as in cohort_group_begin_many) from every member, and waits. */
COHORT_API cohort_status_t cohort_group_remove_keys(cohort_group_t *group, const char *keys, size_t keys_size,
                                                    const int64_t *key_sizes, size_t count, int64_t timeout_ms,
                                                    cohort_error_t *error);
/** Removes keys; the end comes to @p queue as DONE with @p tag. */
COHORT_API cohort_status_t cohort_group_remove_keys_queue(cohort_group_t *group, const char *keys, size_t keys_size,
                                                          const int64_t *key_sizes, size_t count, int64_t timeout_ms,
                                                          cohort_queue_t *queue, uint64_t tag, cohort_error_t *error);
/** Removes keys; the end comes as a call, exactly once, unless this fails. */
COHORT_API cohort_status_t cohort_group_remove_keys_async(cohort_group_t *group, const char *keys, size_t keys_size,
                                                          const int64_t *key_sizes, size_t count, int64_t timeout_ms,
                                                          cohort_done_fn done, void *user, cohort_error_t *error);
/** What a peer's PUT does here, for servers of custom transports: main if this member owns the key, else hot. */
COHORT_API cohort_status_t cohort_group_local_set(cohort_group_t *group, const char *key, size_t key_size,
                                                  const void *value, size_t value_size, int64_t expire_unix_ns,
                                                  cohort_error_t *error);
/** What a peer's DELETE does here: drops the key from both tiers and marks its load under way. */
COHORT_API cohort_status_t cohort_group_local_remove(cohort_group_t *group, const char *key, size_t key_size,
                                                     cohort_error_t *error);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Groups */
/** @{ */

/** Counters of a group since it was made, and gauges where said so. New fields are added at the end. */
typedef struct cohort_group_stats_t {
  int64_t gets;                          /**< Every get, those of peers included. */
  int64_t cache_hits;                    /**< Answered by either tier. */
  int64_t get_from_peers_latency_max_ms; /**< The slowest answer of a peer. */
  int64_t peer_loads;                    /**< Values that came from a peer. */
  int64_t peer_errors;                   /**< Peers that could not be asked, breaker included. */
  int64_t loads;                         /**< Gets that were not hits. */
  int64_t loads_deduped;                 /**< Loads after joining: flights begun. */
  int64_t local_loads;                   /**< Getter runs that brought a value. */
  int64_t local_load_errors;             /**< Getter runs that failed, not found included. */
  int64_t remove_keys_requests;          /**< Calls of remove_keys with at least one key. */
  int64_t removed_keys;                  /**< Keys in those calls. */
  int64_t waiting;                       /**< Gauge: gets that wait now. */
  int64_t loading;                       /**< Gauge: flights under way now. */
  int64_t served_to_peers;               /**< Gets that peers asked for. */
  int64_t misrouted;                     /**< Of those, for keys that this member does not own. */
  int64_t sets;                          /**< Calls of set. */
  int64_t removes;                       /**< Calls of remove. */
  int64_t sets_from_peers;               /**< Values that peers set here. */
  int64_t removes_from_peers;            /**< Keys that peers dropped here. */
  int64_t overtaken_loads;               /**< Loads that a Remove or Set overtook: delivered, never kept. */
  int64_t timeouts;                      /**< Gets that ended by their deadline. */
  int64_t cancelled;                     /**< Gets that their callers cancelled. */
  int64_t abandoned_loads;               /**< Loads that were freed without an answer. */
} cohort_group_stats_t;

/** Counters and gauges of one tier. New fields are added at the end. */
typedef struct cohort_cache_stats_t {
  int64_t bytes;         /**< Gauge: keys and values. */
  int64_t charged_bytes; /**< Gauge: overheads included; what the budget limits. */
  int64_t budget_bytes;  /**< Gauge: this tier's part of the budget. */
  int64_t items;         /**< Gauge: entries. */
  int64_t gets;          /**< Lookups. */
  int64_t hits;          /**< Lookups that found a live entry. */
  int64_t evictions;     /**< Entries that left for room. */
  int64_t expirations;   /**< Entries whose time had come. */
  int64_t rejected;      /**< Values that did not fit the tier, or that the policy refused. */
} cohort_cache_stats_t;

/** Drops the handle. */
COHORT_API void cohort_group_free(cohort_group_t *group);
/** The name, borrowed from the handle. */
COHORT_API const char *cohort_group_name(const cohort_group_t *group);
/** Size of the name. */
COHORT_API int64_t cohort_group_name_size(const cohort_group_t *group);
/** Writes up to @p stats_size bytes of the counters (pass sizeof). @return the bytes that were written. */
COHORT_API int64_t cohort_group_stats(const cohort_group_t *group, cohort_group_stats_t *stats, size_t stats_size);
/** Writes up to @p stats_size bytes of a tier's counters (pass sizeof). @return the bytes written; 0: no such tier. */
COHORT_API int64_t cohort_group_cache_stats(const cohort_group_t *group, int32_t tier, cohort_cache_stats_t *stats,
                                            size_t stats_size);
/** Forgets every local entry and gives the caches a new budget. 0 or less turns caching off. */
COHORT_API cohort_status_t cohort_group_reset_cache(cohort_group_t *group, int64_t cache_bytes, cohort_error_t *error);

/** @} */
/* ------------------------------------------------------------------------------------------------------------------ */
/** @name Transports
 * Setters only before the transport is handed to an instance. */
/** @{ */

/** Limits and times of the HTTP transport. */
enum {
  COHORT_HTTP_MAX_CONNECTIONS_PER_PEER = 1, /**< Client connections to one peer; 1 to 1,024, default 64. */
  COHORT_HTTP_CONNECT_TIMEOUT_MS = 2,       /**< 1 to 600,000; default 2,000. */
  COHORT_HTTP_IDLE_TIMEOUT_MS = 3,          /**< Client: unused connections close; 100 to 600,000, default 4,000. */
  COHORT_HTTP_MAX_BODY_BYTES = 4,           /**< Largest body in either direction; default 256 MiB. */
  COHORT_HTTP_MAX_SERVER_THREADS = 5,       /**< Most connections served at once; 8 to 65,536, default 1,024. */
  COHORT_HTTP_KEEP_ALIVE_MS = 6,            /**< Server: idle connections close; 1,000 to 600,000, default 120,000. */
  COHORT_HTTP_REQUEST_TIMEOUT_MS = 7        /**< A request without a deadline; default 60,000. */
};

/** What a custom transport is handed. */
enum {
  COHORT_SEND_CALLS = 0, /**< Calls: GET, SET, REMOVE, REMOVE_KEYS with group, key, value. */
  COHORT_SEND_RAW = 1    /**< HTTP requests: method, target, headers, body; answered with HTTP responses. */
};

/** What a request asks for. */
enum {
  COHORT_REQUEST_GET = 1,
  COHORT_REQUEST_SET = 2,
  COHORT_REQUEST_REMOVE = 3,
  COHORT_REQUEST_REMOVE_KEYS = 4,
  COHORT_REQUEST_RAW = 5
};

/** A request as a custom transport sees it. Pointers are borrowed from the request; what does not apply is NULL and 0. */
typedef struct cohort_request_view_t {
  int32_t op;               /**< COHORT_REQUEST_* */
  int32_t reserved;         /**< 0. */
  const char *peer;         /**< The peer's address. */
  int64_t peer_size;        /**< Size of peer. */
  const char *group;        /**< Not RAW: the group's name. */
  int64_t group_size;       /**< Size of group. */
  const char *key;          /**< GET, SET, REMOVE: the key. REMOVE_KEYS: the keys, one after the other. */
  int64_t key_size;         /**< Size of key, or of all keys. */
  const int64_t *key_sizes; /**< REMOVE_KEYS: the size of each key. */
  int64_t key_count;        /**< Number of keys. */
  const void *value;        /**< SET: the value. RAW: the body. */
  int64_t value_size;       /**< Size of value. */
  int64_t expire_unix_ns;   /**< SET. */
  const char *method;       /**< RAW: "GET", ... */
  int64_t method_size;      /**< Size of method. */
  const char *target;       /**< RAW: the escaped path. */
  int64_t target_size;      /**< Size of target. */
  const char *headers;      /**< RAW: "Name: value\r\n" lines. */
  int64_t headers_size;     /**< Size of headers. */
  int64_t time_left_ms;     /**< Until the engine stops to wait. */
} cohort_request_view_t;

/** Sends @p request, which it owns and answers once, now or later. Engine thread or a caller's; must not block. */
typedef void (*cohort_send_fn)(void *user, cohort_request_t *request);

/** The HTTP transport, on cpp-httplib. The caller owns it; instances keep references of their own. */
COHORT_API cohort_transport_t *cohort_transport_new_http(cohort_error_t *error);
/** COHORT_HTTP_*. */
COHORT_API cohort_status_t cohort_transport_set_limit(cohort_transport_t *transport, int32_t limit, int64_t value,
                                                      cohort_error_t *error);
/**
 * TLS for listening and for asking. Files hold PEM; they are read when the instance is made.
 * @param ca_file trusted authorities for peers' certificates; empty: the system's.
 * @param cert_file, key_file this member's certificate chain and key: shown when listening and, if asked, to peers. Empty
 *        both: this member only asks.
 * @param require_client_certificate not 0: mutual TLS; peers must show a certificate that ca_file vouches for.
 */
COHORT_API cohort_status_t cohort_transport_set_tls(cohort_transport_t *transport, const char *ca_file,
                                                    size_t ca_file_size, const char *cert_file, size_t cert_file_size,
                                                    const char *key_file, size_t key_file_size,
                                                    int32_t require_client_certificate, cohort_error_t *error);
/** A network inside the process, for tests: instances made with the same transport reach each other by address. */
COHORT_API cohort_transport_t *cohort_transport_new_inproc(cohort_error_t *error);
/** A transport of the program's own: each request is a call of @p send. @p mode: COHORT_SEND_*. It does not listen. */
COHORT_API cohort_transport_t *cohort_transport_new_custom(int32_t mode, cohort_send_fn send, cohort_destroy_fn destroy,
                                                           void *user, cohort_error_t *error);
/** A transport of the program's own: each request is a SEND event with @p tag in @p queue. */
COHORT_API cohort_transport_t *cohort_transport_new_queue(int32_t mode, cohort_queue_t *queue, uint64_t tag,
                                                          cohort_error_t *error);
/** Drops the handle. */
COHORT_API void cohort_transport_free(cohort_transport_t *transport);

/** Shows the request. */
COHORT_API void cohort_request_view(const cohort_request_t *request, cohort_request_view_t *view);
/** A CANCEL event with @p tag will come to @p queue if nobody waits for the answer any more. At most once. */
COHORT_API cohort_status_t cohort_request_watch(cohort_request_t *request, cohort_queue_t *queue, uint64_t tag,
                                                cohort_error_t *error);
/** Answers GET with a value, anything else but RAW with success (value empty). Releases the request. */
COHORT_API void cohort_request_reply(cohort_request_t *request, const void *value, size_t value_size,
                                     int64_t expire_unix_ns);
/** Answers RAW. Releases the request. */
COHORT_API void cohort_request_reply_raw(cohort_request_t *request, int32_t http_status, const char *headers,
                                         size_t headers_size, const void *body, size_t body_size);
/**
 * Answers with a failure: COHORT_NOT_FOUND and COHORT_REMOTE_FAILED are the owner's last word; anything else means that
 * the peer was not reached, so that a get is loaded here. Releases the request.
 * @param error_tag as in cohort_load_fail: handed to local waiters for the final statuses.
 * @return the number of events that will carry @p error_tag.
 */
COHORT_API int64_t cohort_request_fail(cohort_request_t *request, cohort_status_t status, const char *message,
                                       size_t message_size, uint64_t error_tag);
/** Fails an open request as not reached and releases it. */
COHORT_API void cohort_request_free(cohort_request_t *request);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
