// Mounting: the request of a peer, from the application's own server, and the response to send back.
#include <cstddef>
#include <string_view>

#include "capi/callback.h"
#include "capi/check.h"
#include "capi/fence.h"
#include "capi/handles.h"
#include "capi/headers.h"

using cohort::Code;
using cohort::EventKind;
using cohort::EventNode;
using cohort::Headers;
using cohort::Instance;
using cohort::Request;
using cohort::Response;
using cohort::Result;
using cohort::Status;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace cohort::capi {

static_assert(sizeof(cohort_response_view_t) == 40);
static_assert(offsetof(cohort_response_view_t, http_status) == 0);
static_assert(offsetof(cohort_response_view_t, headers) == 8);
static_assert(offsetof(cohort_response_view_t, headers_size) == 16);
static_assert(offsetof(cohort_response_view_t, body) == 24);
static_assert(offsetof(cohort_response_view_t, body_size) == 32);

cohort_response_t* ToHandle(std::unique_ptr<Response> response) {
  auto handle = std::make_unique<cohort_response_t>();
  handle->headers = FormatHeaders(response->headers);
  handle->response = std::move(response);
  return handle.release();
}

namespace {

constexpr size_t kMaxMethodBytes = 32;

// The end of a request, as a call: once, also when the engine drops it.
class ResponseCall {
 public:
  ResponseCall(cohort_response_fn done, void* user, uint64_t instance_id)
      : done_(done), user_(user), instance_id_(instance_id) {}
  ResponseCall(ResponseCall&& other) noexcept
      : done_(std::exchange(other.done_, nullptr)), user_(other.user_), instance_id_(other.instance_id_) {}
  ResponseCall& operator=(ResponseCall&&) = delete;
  ~ResponseCall() {
    if (done_ != nullptr) (*this)(ClosedResponse());
  }
  void operator()(Response response) {
    const cohort_response_fn done = std::exchange(done_, nullptr);
    if (done == nullptr) return;
    cohort_response_t* const handle = ToHandle(std::make_unique<Response>(std::move(response)));
    const CallbackScope scope(instance_id_);
    done(user_, handle);
  }

 private:
  cohort_response_fn done_;
  void* const user_;
  const uint64_t instance_id_;
};

// The engine's request of a server's.
Result<Request> ToRequest(const cohort_instance_t* instance, std::string_view method, std::string_view target,
                          std::string_view headers, std::string_view body, int64_t timeout_ms) {
  Check check;
  check.Handle(instance, "instance");
  check.Bytes(method.data(), method.size(), kMaxMethodBytes, "method").That(!method.empty(), "method is empty");
  check.Bytes(target.data(), target.size(), kMaxTargetBytes, "target");
  if (check.ok()) check.That(!target.empty() && target.front() == '/', "target does not begin with '/'");
  check.Bytes(headers.data(), headers.size(), kMaxHeadersBytes, "headers");
  check.Bytes(body.data(), body.size(), kMaxBodyBytes, "body");
  if (!check.ok()) return check.status();
  Result<Headers> parsed = ParseHeaders(headers);
  if (!parsed.ok()) return parsed.status();
  if (instance->instance->closed()) return Status(Code::kClosed, "the instance is closed");
  Request request;
  request.method = method;
  request.target = target;
  request.headers = std::move(*parsed);
  request.body = body;
  request.timeout_ms = ClampTimeout(timeout_ms);
  return request;
}

std::string_view View(const void* data, size_t size) { return {static_cast<const char*>(data), size}; }

}  // namespace
}  // namespace cohort::capi

extern "C" {

cohort_status_t cohort_instance_handle_request(cohort_instance_t* instance, const char* method, size_t method_size,
                                               const char* target, size_t target_size, const char* headers,
                                               size_t headers_size, const void* body, size_t body_size,
                                               int64_t timeout_ms, cohort_queue_t* queue, uint64_t tag,
                                               cohort_error_t* error) {
  return Fence(error, [&] {
    Result<Request> request = ToRequest(instance, View(method, method_size), View(target, target_size),
                                        View(headers, headers_size), View(body, body_size), timeout_ms);
    if (!request.ok()) return request.status();
    Check check;
    if (!check.Handle(queue, "queue").ok()) return check.status();
    auto node = std::make_unique<EventNode>(EventKind::kResponse, tag);
    const std::shared_ptr<Instance> target_instance = instance->instance;
    if (!queue->queue->Enter()) return Status(Code::kClosed, "the queue is closed");
    target_instance->HandleRequest(std::move(*request), Announced(queue->queue, std::move(node)));
    return Status();
  });
}

cohort_status_t cohort_instance_handle_request_async(cohort_instance_t* instance, const char* method,
                                                     size_t method_size, const char* target, size_t target_size,
                                                     const char* headers, size_t headers_size, const void* body,
                                                     size_t body_size, int64_t timeout_ms, cohort_response_fn done,
                                                     void* user, cohort_error_t* error) {
  return Fence(error, [&] {
    Result<Request> request = ToRequest(instance, View(method, method_size), View(target, target_size),
                                        View(headers, headers_size), View(body, body_size), timeout_ms);
    if (!request.ok()) return request.status();
    Check check;
    if (!check.NotNull(done, "done").ok()) return check.status();
    const std::shared_ptr<Instance> target_instance = instance->instance;
    target_instance->HandleRequest(std::move(*request), ResponseCall(done, user, instance->id));
    return Status();
  });
}

void cohort_response_view(const cohort_response_t* response, cohort_response_view_t* view) {
  if (view == nullptr) return;
  *view = cohort_response_view_t();
  if (response == nullptr || response->inherited()) return;
  const Response& own = *response->response;
  view->http_status = own.status;
  view->headers = response->headers.data();
  view->headers_size = static_cast<int64_t>(response->headers.size());
  view->body = own.body.data();
  view->body_size = static_cast<int64_t>(own.body.size());
}

void cohort_response_free(cohort_response_t* response) { FreeHandle(response); }

}  // extern "C"
