// Instance options: how a member of a cluster is made. Each setter checks at once what it is given.
#include <string_view>

#include "capi/check.h"
#include "capi/fence.h"
#include "capi/settings.h"

using cohort::HashFunction;
using cohort::LogLevel;
using cohort::RingPreset;
using cohort::Status;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace {

constexpr int32_t kMaxReplicas = 10'000;
constexpr int32_t kMaxGetterThreads = 4'096;

Status CheckBasePath(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.back() != '/') {
    return {cohort::Code::kInvalidArgument, "path '" + std::string(path) + "' must begin and end with '/'"};
  }
  for (const char c : path) {
    if (c <= ' ' || c > '~' || c == '?' || c == '#' || c == '%' || c == '"' || c == '\\') {
      return {cohort::Code::kInvalidArgument,
              "path holds a blank, a control or non-ASCII byte, or one of ? # % \" \\, which a base path must not"};
    }
  }
  return {};
}

}  // namespace

extern "C" {

cohort_instance_options_t* cohort_instance_options_new(void) {
  return FenceQuiet<cohort_instance_options_t*>(nullptr, [] { return new cohort_instance_options_t(); });
}

void cohort_instance_options_free(cohort_instance_options_t* options) { FreeHandle(options); }

cohort_status_t cohort_instance_options_set_name(cohort_instance_options_t* options, const char* name, size_t name_size,
                                                 cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    check.Handle(options, "options").Bytes(name, name_size, kMaxNameBytes, "name");
    if (!check.That(name_size != 0, "name is empty").ok()) return check.status();
    options->settings.name.assign(name, name_size);
    return Status();
  });
}

cohort_status_t cohort_instance_options_set_ring(cohort_instance_options_t* options, int32_t ring,
                                                 cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    check.Handle(options, "options");
    if (!check.Range(ring, COHORT_RING_GROUPCACHE_V3, COHORT_RING_XXH3, "ring").ok()) return check.status();
    options->settings.ring.preset = static_cast<RingPreset>(ring);
    return Status();
  });
}

cohort_status_t cohort_instance_options_set_replicas(cohort_instance_options_t* options, int32_t replicas,
                                                     cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(options, "options").Range(replicas, 1, kMaxReplicas, "replicas").ok()) return check.status();
    options->settings.ring.replicas = replicas;
    return Status();
  });
}

cohort_status_t cohort_instance_options_set_hash(cohort_instance_options_t* options, cohort_hash_fn hash,
                                                 cohort_destroy_fn destroy, void* user, cohort_error_t* error) {
  return Fence(error, [&] {
    const std::shared_ptr<User> held = TakeUser(destroy, user);
    Check check;
    if (!check.Handle(options, "options").NotNull(hash, "hash").ok()) return check.status();
    options->settings.ring.hash = [hash, held](std::string_view data) {
      return hash(held->get(), data.data(), data.size());
    };
    return Status();
  });
}

cohort_status_t cohort_instance_options_set_transport(cohort_instance_options_t* options, cohort_transport_t* transport,
                                                      cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(options, "options").Handle(transport, "transport").ok()) return check.status();
    options->settings.transport = transport->settings;
    return Status();
  });
}

cohort_status_t cohort_instance_options_set_base_path(cohort_instance_options_t* options, const char* path,
                                                      size_t path_size, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    check.Handle(options, "options").Bytes(path, path_size, kMaxNameBytes, "path");
    if (check.ok()) check.Also(CheckBasePath({path, path_size}));
    if (!check.ok()) return check.status();
    options->settings.base_path.assign(path, path_size);
    return Status();
  });
}

cohort_status_t cohort_instance_options_set_logger(cohort_instance_options_t* options, int32_t level, cohort_log_fn log,
                                                   cohort_destroy_fn destroy, void* user, cohort_error_t* error) {
  return Fence(error, [&] {
    std::shared_ptr<User> held = TakeUser(destroy, user);
    Check check;
    check.Handle(options, "options").Range(level, COHORT_LOG_DEBUG, COHORT_LOG_ERROR, "level");
    if (!check.NotNull(log, "log").ok()) return check.status();
    InstanceSettings& settings = options->settings;
    settings.log_level = static_cast<LogLevel>(level);
    settings.log = log;
    settings.log_user = std::move(held);
    settings.log_queue.reset();
    return Status();
  });
}

cohort_status_t cohort_instance_options_set_log_queue(cohort_instance_options_t* options, int32_t level,
                                                      cohort_queue_t* queue, uint64_t tag, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    check.Handle(options, "options").Range(level, COHORT_LOG_DEBUG, COHORT_LOG_ERROR, "level");
    if (!check.Handle(queue, "queue").ok()) return check.status();
    InstanceSettings& settings = options->settings;
    settings.log_level = static_cast<LogLevel>(level);
    settings.log = nullptr;
    settings.log_user.reset();
    settings.log_queue = queue->queue;
    settings.log_tag = tag;
    return Status();
  });
}

cohort_status_t cohort_instance_options_set_max_getter_threads(cohort_instance_options_t* options, int32_t threads,
                                                               cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(options, "options").Range(threads, 1, kMaxGetterThreads, "threads").ok()) return check.status();
    options->settings.max_getter_threads = threads;
    return Status();
  });
}

}  // extern "C"
