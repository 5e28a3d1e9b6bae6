// Requests: the open tasks of a custom transport. Each is answered once; one that is dropped counts as not reached.
#include <cstddef>
#include <string_view>

#include "capi/check.h"
#include "capi/fence.h"
#include "capi/handles.h"
#include "capi/headers.h"

using cohort::Code;
using cohort::Headers;
using cohort::HostCall;
using cohort::HostOp;
using cohort::HostRequest;
using cohort::Response;
using cohort::Result;
using cohort::Status;
using cohort::Value;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace cohort::capi {

static_assert(sizeof(cohort_request_view_t) == 152);
static_assert(offsetof(cohort_request_view_t, op) == 0);
static_assert(offsetof(cohort_request_view_t, peer) == 8);
static_assert(offsetof(cohort_request_view_t, group) == 24);
static_assert(offsetof(cohort_request_view_t, key) == 40);
static_assert(offsetof(cohort_request_view_t, key_sizes) == 56);
static_assert(offsetof(cohort_request_view_t, key_count) == 64);
static_assert(offsetof(cohort_request_view_t, value) == 72);
static_assert(offsetof(cohort_request_view_t, expire_unix_ns) == 88);
static_assert(offsetof(cohort_request_view_t, method) == 96);
static_assert(offsetof(cohort_request_view_t, target) == 112);
static_assert(offsetof(cohort_request_view_t, headers) == 128);
static_assert(offsetof(cohort_request_view_t, time_left_ms) == 144);

cohort_request_t* ToHandle(std::unique_ptr<HostRequest> request) {
  auto handle = std::make_unique<cohort_request_t>();
  handle->request = std::move(request);
  const HostCall& call = handle->request->call();
  if (call.op == HostOp::kRaw) handle->headers = FormatHeaders(call.raw.headers);
  return handle.release();
}

namespace {

// The owner's last word stays as it is; any other reason names the peer.
Status ToFailure(const HostCall& call, cohort_status_t status, std::string_view message) {
  if (status == COHORT_NOT_FOUND || status == COHORT_REMOTE_FAILED) {
    return {static_cast<Code>(status), std::string(message)};
  }
  std::string line(message);
  if (line.find(call.peer) == std::string::npos) line.insert(0, "peer " + call.peer + ": ");
  return {status == COHORT_TIMEOUT ? Code::kTimeout : Code::kUnreachable, std::move(line)};
}

// Takes the request out of its handle, which goes.
std::unique_ptr<HostRequest> Take(cohort_request_t* handle) {
  std::unique_ptr<HostRequest> request = std::move(handle->request);
  delete handle;
  return request;
}

bool Unusable(const cohort_request_t* request) { return request == nullptr || request->inherited(); }

}  // namespace
}  // namespace cohort::capi

extern "C" {

void cohort_request_view(const cohort_request_t* request, cohort_request_view_t* view) {
  if (view == nullptr) return;
  *view = cohort_request_view_t();
  if (Unusable(request)) return;
  const HostCall& call = request->request->call();
  const auto size = [](std::string_view bytes) { return static_cast<int64_t>(bytes.size()); };
  view->op = static_cast<int32_t>(call.op);
  view->peer = call.peer.data();
  view->peer_size = size(call.peer);
  view->time_left_ms = request->request->TimeLeftMs();
  if (call.op == HostOp::kRaw) {
    view->value = call.raw.body.data();
    view->value_size = size(call.raw.body);
    view->method = call.raw.method.data();
    view->method_size = size(call.raw.method);
    view->target = call.raw.target.data();
    view->target_size = size(call.raw.target);
    view->headers = request->headers.data();
    view->headers_size = size(request->headers);
    return;
  }
  view->group = call.group.data();
  view->group_size = size(call.group);
  view->key = call.key.data();
  view->key_size = size(call.key);
  view->key_count = 1;
  if (call.op == HostOp::kRemoveKeys) {
    view->key_sizes = call.key_sizes.data();
    view->key_count = static_cast<int64_t>(call.key_sizes.size());
  }
  if (call.value) {
    view->value = call.value->bytes().data();
    view->value_size = size(call.value->bytes());
    view->expire_unix_ns = call.value->expire_unix_ns();
  }
}

cohort_status_t cohort_request_watch(cohort_request_t* request, cohort_queue_t* queue, uint64_t tag,
                                     cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    if (!check.Handle(request, "request").Handle(queue, "queue").ok()) return check.status();
    return request->request->Watch(queue->queue, tag);
  });
}

void cohort_request_reply(cohort_request_t* request, const void* value, size_t value_size, int64_t expire_unix_ns) {
  if (Unusable(request)) return;
  FenceVoid([&] {
    const std::unique_ptr<HostRequest> open = Take(request);
    Check check;
    if (!check.Bytes(value, value_size, kMaxValueBytes, "value").ok()) {
      open->Fail(ToFailure(open->call(), COHORT_UNREACHABLE, check.status().message()), 0);
      return;
    }
    open->Reply(Value::Copy(open->call().key, {static_cast<const char*>(value), value_size}, expire_unix_ns));
  });
}

void cohort_request_reply_raw(cohort_request_t* request, int32_t http_status, const char* headers, size_t headers_size,
                              const void* body, size_t body_size) {
  if (Unusable(request)) return;
  FenceVoid([&] {
    const std::unique_ptr<HostRequest> open = Take(request);
    Check check;
    check.Range(http_status, 100, 599, "http_status").Bytes(headers, headers_size, kMaxHeadersBytes, "headers");
    check.Bytes(body, body_size, kMaxBodyBytes, "body");
    Result<Headers> parsed = Headers();
    if (check.ok()) parsed = ParseHeaders({headers, headers_size});
    if (!check.Also(parsed.status()).ok()) {
      open->Fail(ToFailure(open->call(), COHORT_UNREACHABLE, check.status().message()), 0);
      return;
    }
    std::string bytes;
    if (body_size != 0) bytes.assign(static_cast<const char*>(body), body_size);
    open->ReplyRaw(Response{http_status, std::move(*parsed), std::move(bytes)});
  });
}

int64_t cohort_request_fail(cohort_request_t* request, cohort_status_t status, const char* message, size_t message_size,
                            uint64_t error_tag) {
  if (Unusable(request)) return 0;
  return FenceQuiet<int64_t>(0, [&] {
    const std::unique_ptr<HostRequest> open = Take(request);
    const char* const otherwise = status == COHORT_NOT_FOUND ? "not found" : "the transport failed and gave no reason";
    const std::string_view text = ClipMessage(message, message_size, otherwise);
    return open->Fail(ToFailure(open->call(), status, text), error_tag);
  });
}

void cohort_request_free(cohort_request_t* request) { FreeHandle(request); }

}  // extern "C"
