// Handles are what the C ABI's opaque types point to: each a small struct around one engine object, with the number of
// the process that made it. A cohort_value_t alone is no struct, so that handing one out costs nothing.
#pragma once

#include <cohort/cohort.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "cache/loan.h"
#include "cache/value.h"
#include "engine/event_queue.h"
#include "engine/group.h"
#include "engine/host_transport.h"
#include "engine/instance.h"
#include "engine/load.h"
#include "runtime/process.h"
#include "transport/transport.h"

namespace cohort::capi {

// Remembers the process that made a handle.
class Handle {
 public:
  Handle() : generation_(Current()) {}
  // This process is a fork of the one that made it: its threads and locks are not here.
  bool inherited() const { return generation_ != ProcessGeneration(); }

 private:
  static uint32_t Current() {
    WatchForks();
    return ProcessGeneration();
  }
  const uint32_t generation_;
};

struct InstanceSettings;
struct GroupSettings;
struct TransportSettings;

}  // namespace cohort::capi

struct cohort_error {
  cohort::Status status;
};

struct cohort_queue : cohort::capi::Handle {
  std::shared_ptr<cohort::EventQueue> queue;
};

struct cohort_instance : cohort::capi::Handle {
  std::shared_ptr<cohort::Instance> instance;
  uint64_t id = 0;  // Of CallbackScope.
};

struct cohort_group : cohort::capi::Handle {
  std::shared_ptr<cohort::Group> group;
  uint64_t instance_id = 0;  // Of CallbackScope.
};

struct cohort_load : cohort::capi::Handle {
  std::unique_ptr<cohort::Load> load;
};

struct cohort_request : cohort::capi::Handle {
  std::unique_ptr<cohort::HostRequest> request;
  std::string headers;  // Of a raw request, as the view shows them.
};

struct cohort_response : cohort::capi::Handle {
  std::unique_ptr<cohort::Response> response;
  std::string headers;  // As the view shows them.
};

struct cohort_transport : cohort::capi::Handle {
  std::shared_ptr<cohort::capi::TransportSettings> settings;
};

namespace cohort::capi {

// A value handle is what HeldValue is: no address that means anything to the host.
inline cohort_value_t* ToHandle(HeldValue value) {
  return reinterpret_cast<cohort_value_t*>(value.bits());  // NOLINT(performance-no-int-to-ptr)
}
inline cohort_value_t* ToHandle(ValueRef value) { return ToHandle(HeldValue(std::move(value))); }
inline HeldValue Held(const cohort_value_t* value) { return HeldValue::FromBits(reinterpret_cast<uintptr_t>(value)); }
inline const Value* FromHandle(const cohort_value_t* value) { return Held(value).get(); }
// A handle that is lent for a call: the reference stays with its holder.
inline const cohort_value_t* Show(const ValueRef& value) {
  return reinterpret_cast<const cohort_value_t*>(value.get());
}
// A reference of our own to the value of a handle that stays the caller's.
inline ValueRef Share(const cohort_value_t* value) {
  Value* const shared = Held(value).get();
  shared->Ref();
  return ValueRef(shared);
}

cohort_load_t* ToHandle(std::unique_ptr<Load> load);
cohort_request_t* ToHandle(std::unique_ptr<HostRequest> request);
cohort_response_t* ToHandle(std::unique_ptr<Response> response);

}  // namespace cohort::capi
