// What the options and transports of the C ABI hold until engine objects are made from them.
#pragma once

#include <cohort/cohort.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "capi/callback.h"
#include "capi/handles.h"
#include "cluster/ring.h"
#include "engine/context.h"
#include "engine/event_queue.h"
#include "engine/group.h"
#include "transport/http/http_transport.h"
#include "transport/inproc/inproc.h"

namespace cohort::capi {

// How peers are reached. Shared by the host's handle, the options that hold it and the instances made from them; its
// settings are fixed once an instance has been made.
struct TransportSettings {
  enum class Kind { kHttp, kInproc, kCustom };
  Kind kind = Kind::kHttp;
  std::atomic<bool> in_use{false};
  // kHttp
  HttpOptions http;
  // kInproc
  std::shared_ptr<InprocNetwork> network;
  // kCustom: either a function or a queue
  int32_t mode = COHORT_SEND_CALLS;
  cohort_send_fn send = nullptr;
  std::shared_ptr<User> user;
  std::shared_ptr<EventQueue> queue;
  uint64_t tag = 0;
};

// Takes the engine's side of a transport into an instance's options; options.runtime is set.
Status UseTransport(const std::shared_ptr<TransportSettings>& settings, uint64_t instance_id, InstanceOptions* options);

struct InstanceSettings {
  std::string name = "cohort";
  RingOptions ring;
  std::string base_path = "/_groupcache/";
  std::shared_ptr<TransportSettings> transport;  // Null: HTTP with default settings.
  LogLevel log_level = LogLevel::kInfo;
  // Either a function or a queue takes the log, or nobody.
  cohort_log_fn log = nullptr;
  std::shared_ptr<User> log_user;
  std::shared_ptr<EventQueue> log_queue;
  uint64_t log_tag = 0;
  int32_t max_getter_threads = 64;
};

struct GroupSettings {
  CacheOptions cache;
  int64_t load_timeout_ms = 60'000;
  // Either a function or a queue takes the loads, or nobody.
  cohort_getter_fn getter = nullptr;
  std::shared_ptr<User> getter_user;
  std::shared_ptr<EventQueue> getter_queue;
  uint64_t getter_tag = 0;
  cohort_evicted_fn evicted = nullptr;
  std::shared_ptr<User> evicted_user;
};

// The engine's options of a group of that instance.
GroupOptions ToGroupOptions(const GroupSettings& settings, uint64_t instance_id);

}  // namespace cohort::capi

struct cohort_instance_options : cohort::capi::Handle {
  cohort::capi::InstanceSettings settings;
};

struct cohort_group_options : cohort::capi::Handle {
  cohort::capi::GroupSettings settings;
};
