// Queues and events: where ends and tasks wait until the host takes them.
#include <algorithm>
#include <cstddef>
#include <limits>

#include "capi/check.h"
#include "capi/fence.h"
#include "capi/handles.h"

using cohort::EventChain;
using cohort::EventNode;
using cohort::EventQueue;
using cohort::Result;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace {

// Bindings lay arrays of events over memory of their own: nothing here may move.
static_assert(sizeof(cohort_event_t) == 88);
static_assert(offsetof(cohort_event_t, kind) == 0);
static_assert(offsetof(cohort_event_t, status) == 4);
static_assert(offsetof(cohort_event_t, tag) == 8);
static_assert(offsetof(cohort_event_t, data) == 16);
static_assert(offsetof(cohort_event_t, size) == 24);
static_assert(offsetof(cohort_event_t, expire_unix_ns) == 32);
static_assert(offsetof(cohort_event_t, error_tag) == 40);
static_assert(offsetof(cohort_event_t, value) == 48);
static_assert(offsetof(cohort_event_t, load) == 56);
static_assert(offsetof(cohort_event_t, request) == 64);
static_assert(offsetof(cohort_event_t, response) == 72);
static_assert(offsetof(cohort_event_t, source) == 80);
static_assert(offsetof(cohort_event_t, flags) == 84);

constexpr size_t kMaxBatch = 65'536;

void Show(std::string_view bytes, cohort_event_t* event) {
  event->data = bytes.data() == nullptr ? "" : bytes.data();
  event->size = static_cast<int64_t>(bytes.size());
}

// Hands what the node owns to the event.
void Unpack(EventNode* node, cohort_event_t* event) {
  *event = cohort_event_t();
  event->kind = static_cast<int32_t>(node->kind);
  event->status = node->status;
  event->tag = node->tag;
  event->error_tag = node->error_tag;
  event->source = static_cast<int32_t>(node->source);
  event->flags = node->overtaken ? COHORT_EVENT_OVERTAKEN : 0;
  if (node->load != nullptr) {
    Show(node->load->key(), event);
    event->load = ToHandle(std::move(node->load));
  }
  if (node->request != nullptr) {
    event->request = ToHandle(std::move(node->request));
    const cohort::HostCall& call = event->request->request->call();
    Show(call.op == cohort::HostOp::kRaw ? std::string_view(call.raw.body) : std::string_view(call.key), event);
  }
  if (node->response != nullptr) {
    event->response = ToHandle(std::move(node->response));
    Show(event->response->response->body, event);
  }
  if (node->value) {
    event->expire_unix_ns = node->value->expire_unix_ns();
    Show(node->value->bytes(), event);
    event->value = ToHandle(std::move(node->value));
  }
}

}  // namespace

namespace cohort::capi {

cohort_load_t* ToHandle(std::unique_ptr<Load> load) {
  auto handle = std::make_unique<cohort_load_t>();
  handle->load = std::move(load);
  return handle.release();
}

}  // namespace cohort::capi

extern "C" {

void cohort_event_release(cohort_event_t* event) {
  if (event == nullptr) return;
  cohort_value_free(std::exchange(event->value, nullptr));
  cohort_load_free(std::exchange(event->load, nullptr));
  cohort_request_free(std::exchange(event->request, nullptr));
  cohort_response_free(std::exchange(event->response, nullptr));
  event->data = nullptr;
  event->size = 0;
}

cohort_queue_t* cohort_queue_new(cohort_error_t* error) {
  return FenceResult<cohort_queue_t*>(error, nullptr, []() -> Result<cohort_queue_t*> {
    auto handle = std::make_unique<cohort_queue_t>();
    Result<std::shared_ptr<EventQueue>> queue = EventQueue::New();
    if (!queue.ok()) return queue.status();
    handle->queue = std::move(*queue);
    return handle.release();
  });
}

void cohort_queue_free(cohort_queue_t* queue) {
  if (queue == nullptr || queue->inherited()) return;
  FenceVoid([&] { queue->queue->Discard(); });
  FreeHandle(queue);
}

void cohort_queue_close(cohort_queue_t* queue) {
  if (queue == nullptr || queue->inherited()) return;
  FenceVoid([&] { queue->queue->Close(); });
}

int64_t cohort_queue_wait(cohort_queue_t* queue, cohort_event_t* events, size_t max, int64_t timeout_ms) {
  if (queue == nullptr || queue->inherited() || events == nullptr || max == 0) return 0;
  return FenceQuiet<int64_t>(0, [&] {
    EventChain taken = queue->queue->TakeChain(std::min(max, kMaxBatch), ClampTimeout(timeout_ms));
    int64_t count = 0;
    while (const std::unique_ptr<EventNode> node = taken.Pop()) Unpack(node.get(), &events[count++]);
    return count;
  });
}

int32_t cohort_queue_fd(cohort_queue_t* queue, cohort_error_t* error) {
  return FenceResult<int32_t>(error, -1, [&]() -> Result<int32_t> {
    Check check;
    if (!check.Handle(queue, "queue").ok()) return check.status();
    const Result<int> fd = queue->queue->fd();
    if (!fd.ok()) return fd.status();
    return static_cast<int32_t>(*fd);
  });
}

void cohort_queue_wake(cohort_queue_t* queue) {
  if (queue == nullptr || queue->inherited()) return;
  FenceVoid([&] { queue->queue->Wake(); });
}

int32_t cohort_queue_drained(const cohort_queue_t* queue) {
  if (queue == nullptr || queue->inherited()) return 1;
  return FenceQuiet<int32_t>(0, [&] { return queue->queue->drained() ? 1 : 0; });
}

}  // extern "C"
