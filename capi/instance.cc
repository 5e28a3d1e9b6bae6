// Instances: the members of a cluster that this process holds.
#include <atomic>
#include <string_view>

#include "capi/address.h"
#include "capi/check.h"
#include "capi/fence.h"
#include "capi/settings.h"
#include "runtime/real_runtime.h"

using cohort::Code;
using cohort::EventKind;
using cohort::EventNode;
using cohort::Group;
using cohort::Instance;
using cohort::LogLevel;
using cohort::Result;
using cohort::Status;
using cohort::Value;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace {

constexpr size_t kMaxUntakenLogs = 1'024;

std::atomic<uint64_t> last_instance_id{0};

cohort::LogFunction ToLog(const InstanceSettings& settings, uint64_t instance_id) {
  if (settings.log_queue != nullptr) {
    return [queue = settings.log_queue, tag = settings.log_tag](LogLevel level, std::string_view line) {
      if (queue->untaken_logs() >= kMaxUntakenLogs) return;
      auto node = std::make_unique<EventNode>(EventKind::kLog, tag);
      node->status = static_cast<int32_t>(level);
      node->value = Value::Copy({}, line, 0);
      queue->Offer(std::move(node));
    };
  }
  if (settings.log == nullptr) return nullptr;
  return [log = settings.log, user = settings.log_user, instance_id](LogLevel level, std::string_view line) {
    const CallbackScope scope(instance_id);
    log(user->get(), static_cast<int32_t>(level), line.data(), line.size());
  };
}

Result<cohort_instance_t*> NewInstance(const InstanceSettings& settings) {
  auto handle = std::make_unique<cohort_instance_t>();
  handle->id = last_instance_id.fetch_add(1) + 1;
  cohort::RealRuntimeOptions runtime;
  runtime.name = settings.name;
  runtime.max_blocking_threads = static_cast<size_t>(settings.max_getter_threads);
  cohort::InstanceOptions options;
  options.name = settings.name;
  options.ring = settings.ring;
  options.base_path = settings.base_path;
  options.log_level = settings.log_level;
  options.log = ToLog(settings, handle->id);
  options.runtime = cohort::NewRealRuntime(std::move(runtime));
  if (Status status = UseTransport(settings.transport, handle->id, &options); !status.ok()) return status;
  handle->instance = Instance::New(std::move(options));
  return handle.release();
}

// Whether addresses are "host:port" is the transport's matter, and a custom one may see it otherwise.
Status CheckPeerAddress(const Instance& instance, std::string_view address, const char* name) {
  return instance.can_listen() ? CheckAddress(address, name) : CheckName(address, name);
}

cohort_group_t* NewGroupHandle(const cohort_instance_t* instance, std::shared_ptr<Group> group) {
  auto handle = std::make_unique<cohort_group_t>();
  handle->group = std::move(group);
  handle->instance_id = instance->id;
  return handle.release();
}

}  // namespace

extern "C" {

cohort_instance_t* cohort_instance_new(const cohort_instance_options_t* options, cohort_error_t* error) {
  return FenceResult<cohort_instance_t*>(error, nullptr, [&]() -> Result<cohort_instance_t*> {
    Check check;
    if (!check.OptionalHandle(options, "options").ok()) return check.status();
    return NewInstance(options == nullptr ? InstanceSettings() : options->settings);
  });
}

// Closing from one of the instance's own callbacks:
//   1. the callback waits in Shutdown for the instance's threads   2. its thread waits for the callback
// So then another thread closes it, and this one goes on.
void cohort_instance_free(cohort_instance_t* instance) {
  if (instance == nullptr || instance->inherited()) return;
  FenceVoid([&] {
    if (CallbackScope::Inside(instance->id)) {
      cohort::Task close = [own = instance->instance]() mutable {
        own->Shutdown(0);
        own.reset();
      };
      instance->instance.reset();
      // Without a thread it stays open, which is less than was asked for but better than a deadlock.
      if (!cohort::RunDetached("cohort-close", close)) new cohort::Task(std::move(close));
    } else {
      instance->instance->Shutdown(0);
    }
  });
  FreeHandle(instance);
}

cohort_status_t cohort_instance_listen(cohort_instance_t* instance, const char* address, size_t address_size,
                                       cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    check.Handle(instance, "instance").Bytes(address, address_size, kMaxAddressBytes, "address");
    if (!check.ok()) return check.status();
    const std::string_view text(address, address_size);
    if (instance->instance->can_listen() && !check.Also(CheckListenAddress(text, "address")).ok())
      return check.status();
    return instance->instance->Listen(std::string(text));
  });
}

cohort_status_t cohort_instance_stop_listening(cohort_instance_t* instance, int64_t timeout_ms, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(instance, "instance").ok()) return check.status();
    if (CallbackScope::Inside(instance->id)) {
      return Status(Code::kWouldDeadlock, "a callback of the instance cannot wait for its listener to end");
    }
    instance->instance->StopListening(ClampTimeout(timeout_ms));
    return Status();
  });
}

cohort_value_t* cohort_instance_listen_address(const cohort_instance_t* instance, cohort_error_t* error) {
  return FenceResult<cohort_value_t*>(error, nullptr, [&]() -> Result<cohort_value_t*> {
    Check check;
    if (!check.Handle(instance, "instance").ok()) return check.status();
    return ToHandle(Value::Copy({}, instance->instance->ListenAddress(), 0));
  });
}

cohort_status_t cohort_instance_set_peers(cohort_instance_t* instance, const char* addresses, size_t addresses_size,
                                          const char* self, size_t self_size, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    check.Handle(instance, "instance");
    check.Bytes(addresses, addresses_size, kMaxPeers * (kMaxAddressBytes + 1), "addresses");
    check.Bytes(self, self_size, kMaxAddressBytes, "self");
    if (!check.ok()) return check.status();
    const std::vector<std::string> peers = SplitLines({addresses, addresses_size});
    check.Range(static_cast<int64_t>(peers.size()), 0, kMaxPeers, "the number of addresses");
    for (const std::string& peer : peers) check.Also(CheckPeerAddress(*instance->instance, peer, "peer"));
    if (!check.ok()) return check.status();
    return instance->instance->SetPeers(peers, self_size == 0 ? std::string() : std::string(self, self_size));
  });
}

cohort_value_t* cohort_instance_owner(const cohort_instance_t* instance, const char* key, size_t key_size,
                                      cohort_error_t* error) {
  return FenceResult<cohort_value_t*>(error, nullptr, [&]() -> Result<cohort_value_t*> {
    Check check;
    if (!check.Handle(instance, "instance").Key(key, key_size).ok()) return check.status();
    return ToHandle(Value::Copy({}, instance->instance->Owner({key, key_size}), 0));
  });
}

cohort_group_t* cohort_instance_new_group(cohort_instance_t* instance, const char* name, size_t name_size,
                                          const cohort_group_options_t* options, cohort_error_t* error) {
  return FenceResult<cohort_group_t*>(error, nullptr, [&]() -> Result<cohort_group_t*> {
    Check check;
    check.Handle(instance, "instance").Bytes(name, name_size, kMaxNameBytes, "name");
    if (!check.OptionalHandle(options, "options").ok()) return check.status();
    const std::string own_name = name_size == 0 ? std::string() : std::string(name, name_size);
    Result<std::shared_ptr<Group>> group = instance->instance->NewGroup(
        own_name, ToGroupOptions(options == nullptr ? GroupSettings() : options->settings, instance->id));
    if (!group.ok()) return group.status();
    return NewGroupHandle(instance, std::move(*group));
  });
}

cohort_group_t* cohort_instance_get_group(cohort_instance_t* instance, const char* name, size_t name_size,
                                          cohort_error_t* error) {
  return FenceResult<cohort_group_t*>(error, nullptr, [&]() -> Result<cohort_group_t*> {
    Check check;
    if (!check.Handle(instance, "instance").Bytes(name, name_size, kMaxNameBytes, "name").ok()) return check.status();
    std::shared_ptr<Group> group = instance->instance->FindGroup({name, name_size});
    if (group == nullptr) {
      return Status(Code::kNotFound, "there is no group named '" + std::string(name, name_size) + "'");
    }
    return NewGroupHandle(instance, std::move(group));
  });
}

cohort_status_t cohort_instance_remove_group(cohort_instance_t* instance, const char* name, size_t name_size,
                                             cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(instance, "instance").Bytes(name, name_size, kMaxNameBytes, "name").ok()) return check.status();
    return instance->instance->RemoveGroup(name_size == 0 ? std::string() : std::string(name, name_size));
  });
}

cohort_status_t cohort_instance_shutdown(cohort_instance_t* instance, int64_t timeout_ms, cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(instance, "instance").ok()) return check.status();
    if (CallbackScope::Inside(instance->id)) {
      return Status(Code::kWouldDeadlock, "a callback of the instance cannot wait for the instance to shut down");
    }
    instance->instance->Shutdown(ClampTimeout(timeout_ms));
    return Status();
  });
}

}  // extern "C"
