/*
 * A member of the mixed cluster in C. It loads libcohort with dlopen, so that nothing is linked: what a plugin would
 * do.
 *
 * The getter renders a package's page from the SQLite database. GNU libmicrohttpd carries the control port that the
 * driver uses: /ping /get /set /remove /stats /loads /owner.
 */
#define _GNU_SOURCE
#include <cohort/cohort.h>
#include <dlfcn.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- libcohort, by name: each function as a pointer of its own type */
/* clang-format off */
#define USED(X)                                                                                                        \
  X(cohort_version) X(cohort_error_new) X(cohort_error_message) X(cohort_error_status) X(cohort_error_free)            \
  X(cohort_value_data) X(cohort_value_size) X(cohort_value_free) X(cohort_instance_new) X(cohort_instance_free)        \
  X(cohort_instance_listen) X(cohort_instance_set_peers) X(cohort_instance_owner) X(cohort_instance_new_group)         \
  X(cohort_group_options_new) X(cohort_group_options_free) X(cohort_group_options_set_getter)                          \
  X(cohort_group_options_set_cache_bytes) X(cohort_group_get) X(cohort_group_set) X(cohort_group_remove)               \
  X(cohort_group_stats) X(cohort_group_free) X(cohort_load_complete) X(cohort_load_fail)
/* clang-format on */
#define DECLARE(name) __typeof__(&name) name;
static struct { USED(DECLARE) } lib;

static void load_library(void) {
  void* handle = dlopen("libcohort.so.0", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    fprintf(stderr, "node-c: %s\n", dlerror());
    exit(1);
  }
#define RESOLVE(name)                                        \
  *(void**)&lib.name = dlsym(handle, #name);                 \
  if (lib.name == NULL) {                                    \
    fprintf(stderr, "node-c: libcohort has no %s\n", #name); \
    exit(1);                                                 \
  }
  USED(RESOLVE)
}

/* ---- the getter */
static struct {
  pthread_mutex_t mutex; /* one connection, one statement, one load at a time */
  sqlite3* database;
  sqlite3_stmt* page;
  long queries;
  char* loads; /* "name\n" for each run */
  size_t loads_size;
} catalog = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void getter(void* user, cohort_load_t* load, const char* key, size_t key_size) {
  (void)user;
  pthread_mutex_lock(&catalog.mutex);
  catalog.queries++;
  catalog.loads = realloc(catalog.loads, catalog.loads_size + key_size + 1);
  memcpy(catalog.loads + catalog.loads_size, key, key_size);
  catalog.loads[catalog.loads_size + key_size] = '\n';
  catalog.loads_size += key_size + 1;
  sqlite3_bind_text(catalog.page, 1, key, (int)key_size, SQLITE_STATIC);
  const int step = sqlite3_step(catalog.page);
  if (step == SQLITE_ROW) {
    lib.cohort_load_complete(load, sqlite3_column_text(catalog.page, 0), (size_t)sqlite3_column_bytes(catalog.page, 0),
                             0, NULL);
  } else if (step == SQLITE_DONE) {
    lib.cohort_load_fail(load, COHORT_NOT_FOUND, "no such package", 15, 0);
  } else {
    const char* message = sqlite3_errmsg(catalog.database);
    lib.cohort_load_fail(load, COHORT_LOAD_FAILED, message, strlen(message), 0);
  }
  sqlite3_reset(catalog.page);
  pthread_mutex_unlock(&catalog.mutex);
}

static void open_catalog(const char* database, const char* sql_file) {
  char sql[8192];
  FILE* file = fopen(sql_file, "r");
  const size_t size = file == NULL ? 0 : fread(sql, 1, sizeof(sql), file);
  if (file != NULL) fclose(file);
  if (size == 0 || size == sizeof(sql) ||
      sqlite3_open_v2(database, &catalog.database, SQLITE_OPEN_READONLY, NULL) != 0 ||
      sqlite3_prepare_v2(catalog.database, sql, (int)size, &catalog.page, NULL) != 0) {
    fprintf(stderr, "node-c: cannot open %s with %s: %s\n", database, sql_file, sqlite3_errmsg(catalog.database));
    exit(1);
  }
}

/* ---- the control port */
static cohort_instance_t* instance;
static cohort_group_t* group;

struct body {
  char* data;
  size_t size;
};

static enum MHD_Result answer(struct MHD_Connection* connection, unsigned status, const void* data, size_t size,
                              const char* get_us) {
  struct MHD_Response* response = MHD_create_response_from_buffer(size, (void*)data, MHD_RESPMEM_MUST_COPY);
  if (get_us != NULL) MHD_add_response_header(response, "Get-Us", get_us);
  const enum MHD_Result queued = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return queued;
}

static enum MHD_Result answer_text(struct MHD_Connection* connection, unsigned status, const char* text) {
  return answer(connection, status, text, strlen(text), NULL);
}

static enum MHD_Result get(struct MHD_Connection* connection, const char* key, cohort_error_t* error) {
  struct timespec begin;
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  cohort_value_t* value = lib.cohort_group_get(group, key, strlen(key), 0, 10000, error);
  clock_gettime(CLOCK_MONOTONIC, &end);
  char us[32];
  snprintf(us, sizeof(us), "%ld", (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000);
  if (value == NULL) {
    const unsigned status = lib.cohort_error_status(error) == COHORT_NOT_FOUND ? 404 : 502;
    return answer_text(connection, status, lib.cohort_error_message(error));
  }
  const enum MHD_Result queued =
      answer(connection, 200, lib.cohort_value_data(value), (size_t)lib.cohort_value_size(value), us);
  lib.cohort_value_free(value);
  return queued;
}

static enum MHD_Result control(struct MHD_Connection* connection, const char* url, const char* key,
                               const char* expire_ms, const struct body* body) {
  enum MHD_Result result = MHD_NO;
  cohort_error_t* error = lib.cohort_error_new();
  if (strcmp(url, "/ping") == 0) {
    result = answer_text(connection, 200, "C");
  } else if (strcmp(url, "/get") == 0) {
    result = get(connection, key, error);
  } else if (strcmp(url, "/set") == 0) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t life_ms = expire_ms == NULL ? 0 : atoll(expire_ms);
    const int64_t expire = life_ms == 0 ? 0 : (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + life_ms * 1000000;
    const cohort_status_t status =
        lib.cohort_group_set(group, key, strlen(key), body->data, body->size, expire, 5000, error);
    result = answer_text(connection, status == COHORT_OK ? 200 : 502, lib.cohort_error_message(error));
  } else if (strcmp(url, "/remove") == 0) {
    const cohort_status_t status = lib.cohort_group_remove(group, key, strlen(key), 5000, error);
    result = answer_text(connection, status == COHORT_OK ? 200 : 502, lib.cohort_error_message(error));
  } else if (strcmp(url, "/owner") == 0) {
    cohort_value_t* owner = lib.cohort_instance_owner(instance, key, strlen(key), error);
    result = answer(connection, 200, lib.cohort_value_data(owner), (size_t)lib.cohort_value_size(owner), NULL);
    lib.cohort_value_free(owner);
  } else if (strcmp(url, "/stats") == 0) {
    cohort_group_stats_t stats;
    char json[256];
    lib.cohort_group_stats(group, &stats, sizeof(stats));
    pthread_mutex_lock(&catalog.mutex);
    snprintf(json, sizeof(json), "{\"gets\":%lld,\"hits\":%lld,\"from_peers\":%lld,\"loads\":%lld,\"queries\":%ld}",
             (long long)stats.gets, (long long)stats.cache_hits, (long long)stats.peer_loads,
             (long long)stats.local_loads, catalog.queries);
    pthread_mutex_unlock(&catalog.mutex);
    result = answer_text(connection, 200, json);
  } else if (strcmp(url, "/loads") == 0) {
    pthread_mutex_lock(&catalog.mutex);
    result = answer(connection, 200, catalog.loads, catalog.loads_size, NULL);
    pthread_mutex_unlock(&catalog.mutex);
  } else {
    result = answer_text(connection, 404, "try /get?key=bash");
  }
  lib.cohort_error_free(error);
  return result;
}

static enum MHD_Result on_request(void* user, struct MHD_Connection* connection, const char* url, const char* method,
                                  const char* version, const char* data, size_t* data_size, void** state) {
  (void)user, (void)method, (void)version;
  struct body* body = *state;
  if (body == NULL) {
    *state = calloc(1, sizeof(struct body));
    return MHD_YES;
  }
  if (*data_size > 0) {
    body->data = realloc(body->data, body->size + *data_size);
    memcpy(body->data + body->size, data, *data_size);
    body->size += *data_size;
    *data_size = 0;
    return MHD_YES;
  }
  const char* key = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "key");
  const char* expire_ms = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "expire_ms");
  return control(connection, url, key == NULL ? "" : key, expire_ms, body);
}

static void on_completed(void* user, struct MHD_Connection* connection, void** state,
                         enum MHD_RequestTerminationCode code) {
  (void)user, (void)connection, (void)code;
  struct body* body = *state;
  if (body != NULL) free(body->data);
  free(body);
}

/* ---- main */
static const char* flag(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; i++) {
    if (strcmp(argv[i], name) == 0) return argv[i + 1];
  }
  fprintf(stderr, "node-c: %s is missing\n", name);
  exit(2);
}

static void check(cohort_status_t status, const cohort_error_t* error) {
  if (status == COHORT_OK) return;
  fprintf(stderr, "node-c: %s\n", lib.cohort_error_message(error));
  exit(1);
}

int main(int argc, char** argv) {
  const char* self = flag(argc, argv, "-listen");
  const char* control_address = flag(argc, argv, "-ctl");
  char* peers = strdup(flag(argc, argv, "-peers"));
  for (char* comma = peers; (comma = strchr(comma, ',')) != NULL;) *comma = '\n';
  load_library();
  open_catalog(flag(argc, argv, "-db"), flag(argc, argv, "-sql"));

  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, NULL);

  cohort_error_t* error = lib.cohort_error_new();
  instance = lib.cohort_instance_new(NULL, error);
  cohort_group_options_t* options = lib.cohort_group_options_new();
  check(lib.cohort_group_options_set_getter(options, getter, NULL, NULL, error), error);
  check(lib.cohort_group_options_set_cache_bytes(options, 64 << 20, error), error);
  group = lib.cohort_instance_new_group(instance, "packages", 8, options, error);
  check(lib.cohort_error_status(error), error);
  lib.cohort_group_options_free(options);
  check(lib.cohort_instance_listen(instance, self, strlen(self), error), error);
  check(lib.cohort_instance_set_peers(instance, peers, strlen(peers), self, strlen(self), error), error);

  struct sockaddr_in bind_to = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(strrchr(control_address, ':') + 1)),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct MHD_Daemon* daemon =
      MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, NULL,
                       MHD_OPTION_SOCK_ADDR, &bind_to, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
  if (daemon == NULL) {
    fprintf(stderr, "node-c: cannot listen on %s\n", control_address);
    return 1;
  }
  int signal_number;
  sigwait(&ends, &signal_number);
  MHD_stop_daemon(daemon);
  lib.cohort_group_free(group);
  lib.cohort_instance_free(instance);
  lib.cohort_error_free(error);
  return 0;
}
