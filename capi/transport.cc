// Transports: how peers are reached, by HTTP, inside the process, or by the host itself.
#include <limits>
#include <string_view>

#include "capi/check.h"
#include "capi/fence.h"
#include "capi/settings.h"
#include "cluster/wire_peer.h"

using cohort::EventQueue;
using cohort::InprocNetwork;
using cohort::Result;
using cohort::Status;
using namespace cohort::capi;  // NOLINT(google-build-using-namespace)

namespace cohort::capi {
namespace {

constexpr int64_t kRequestTimeoutMs = 60'000;  // Of a request that names no deadline.

HostSend ToSend(const std::shared_ptr<TransportSettings>& settings, uint64_t instance_id) {
  if (settings->queue != nullptr) {
    return [queue = settings->queue, tag = settings->tag](std::unique_ptr<HostRequest> request) {
      auto node = std::make_unique<EventNode>(EventKind::kSend, tag);
      node->request = std::move(request);
      return queue->Offer(std::move(node));
    };
  }
  return [send = settings->send, user = settings->user, instance_id](std::unique_ptr<HostRequest> request) {
    cohort_request_t* const handle = ToHandle(std::move(request));
    const CallbackScope scope(instance_id);
    send(user->get(), handle);
    return true;
  };
}

}  // namespace

Status UseTransport(const std::shared_ptr<TransportSettings>& settings, uint64_t instance_id,
                    InstanceOptions* options) {
  const std::shared_ptr<Runtime>& runtime = options->runtime;
  if (settings == nullptr) {
    Result<std::shared_ptr<Transport>> http = NewHttpTransport(HttpOptions(), *runtime);
    if (!http.ok()) return http.status();
    options->transport = std::move(*http);
    return {};
  }
  settings->in_use.store(true);
  switch (settings->kind) {
    case TransportSettings::Kind::kHttp: {
      Result<std::shared_ptr<Transport>> http = NewHttpTransport(settings->http, *runtime);
      if (!http.ok()) return http.status();
      options->transport = std::move(*http);
      return {};
    }
    case TransportSettings::Kind::kInproc:
      options->transport = settings->network->Attach(*runtime);
      return {};
    case TransportSettings::Kind::kCustom:
      break;
  }
  HostSend send = ToSend(settings, instance_id);
  if (settings->mode == COHORT_SEND_CALLS) {
    options->connect = [send = std::move(send), runtime](const std::string& address) {
      return NewHostPeer(address, send, *runtime, kRequestTimeoutMs);
    };
  } else {
    options->connect = [send = std::move(send), runtime, base_path = options->base_path](const std::string& address) {
      WirePeerOptions wire;
      wire.base_path = base_path;
      return NewWirePeer(address, NewHostChannel(address, send, *runtime, kRequestTimeoutMs), wire, *runtime);
    };
  }
  return {};
}

namespace {

cohort_transport_t* NewTransport(std::shared_ptr<TransportSettings> settings) {
  auto handle = std::make_unique<cohort_transport_t>();
  handle->settings = std::move(settings);
  return handle.release();
}

// An HTTP transport whose settings may still change.
void CheckSettable(Check* check, const cohort_transport_t* transport) {
  check->Handle(transport, "transport");
  if (!check->ok()) return;
  check->That(transport->settings->kind == TransportSettings::Kind::kHttp, "transport is not an HTTP transport");
  check->That(!transport->settings->in_use.load(), "transport is in use by an instance: its settings are fixed");
}

}  // namespace
}  // namespace cohort::capi

extern "C" {

cohort_transport_t* cohort_transport_new_http(cohort_error_t* error) {
  return FenceResult<cohort_transport_t*>(error, nullptr, []() -> Result<cohort_transport_t*> {
    return NewTransport(std::make_shared<TransportSettings>());
  });
}

cohort_status_t cohort_transport_set_limit(cohort_transport_t* transport, int32_t limit, int64_t value,
                                           cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    CheckSettable(&check, transport);
    if (!check.ok()) return check.status();
    cohort::HttpOptions& http = transport->settings->http;
    switch (limit) {
      case COHORT_HTTP_MAX_CONNECTIONS_PER_PEER:
        if (!check.Range(value, 1, 1'024, "COHORT_HTTP_MAX_CONNECTIONS_PER_PEER").ok()) return check.status();
        http.max_connections_per_peer = static_cast<size_t>(value);
        return Status();
      case COHORT_HTTP_CONNECT_TIMEOUT_MS:
        if (!check.Range(value, 1, 600'000, "COHORT_HTTP_CONNECT_TIMEOUT_MS").ok()) return check.status();
        http.connect_timeout_ms = value;
        return Status();
      case COHORT_HTTP_IDLE_TIMEOUT_MS:
        if (!check.Range(value, 100, 600'000, "COHORT_HTTP_IDLE_TIMEOUT_MS").ok()) return check.status();
        http.idle_timeout_ms = value;
        return Status();
      case COHORT_HTTP_MAX_BODY_BYTES:
        if (!check.Range(value, 1'024, int64_t{1} << 40, "COHORT_HTTP_MAX_BODY_BYTES").ok()) return check.status();
        http.max_body_bytes = static_cast<size_t>(value);
        return Status();
      case COHORT_HTTP_MAX_SERVER_THREADS:
        if (!check.Range(value, 8, 65'536, "COHORT_HTTP_MAX_SERVER_THREADS").ok()) return check.status();
        http.max_server_threads = static_cast<size_t>(value);
        return Status();
      case COHORT_HTTP_KEEP_ALIVE_MS:
        if (!check.Range(value, 1'000, 600'000, "COHORT_HTTP_KEEP_ALIVE_MS").ok()) return check.status();
        http.keep_alive_ms = value;
        return Status();
      case COHORT_HTTP_REQUEST_TIMEOUT_MS:
        if (!check.Range(value, 1, 86'400'000, "COHORT_HTTP_REQUEST_TIMEOUT_MS").ok()) return check.status();
        http.request_timeout_ms = value;
        return Status();
      default:
        return check.Range(limit, COHORT_HTTP_MAX_CONNECTIONS_PER_PEER, COHORT_HTTP_REQUEST_TIMEOUT_MS, "limit")
            .status();
    }
  });
}

cohort_status_t cohort_transport_set_tls(cohort_transport_t* transport, const char* ca_file, size_t ca_file_size,
                                         const char* cert_file, size_t cert_file_size, const char* key_file,
                                         size_t key_file_size, int32_t require_client_certificate,
                                         cohort_error_t* error) {
  return Fence(error, [&] {
    Check check;
    CheckSettable(&check, transport);
    check.Bytes(ca_file, ca_file_size, kMaxPathBytes, "ca_file");
    check.Bytes(cert_file, cert_file_size, kMaxPathBytes, "cert_file");
    check.Bytes(key_file, key_file_size, kMaxPathBytes, "key_file");
    check.That((cert_file_size == 0) == (key_file_size == 0), "cert_file and key_file go together: give both or none");
    check.That(ca_file_size != 0 || cert_file_size != 0,
               "ca_file and cert_file are both empty: there is nothing to set");
    check.That(require_client_certificate == 0 || ca_file_size != 0,
               "ca_file is empty, but require_client_certificate needs the authority that vouches for peers");
    check.That(require_client_certificate == 0 || cert_file_size != 0,
               "cert_file is empty, but require_client_certificate is for members that listen");
    if (!check.ok()) return check.status();
    cohort::TlsOptions tls;
    if (ca_file_size != 0) tls.ca_file.assign(ca_file, ca_file_size);
    if (cert_file_size != 0) tls.cert_file.assign(cert_file, cert_file_size);
    if (key_file_size != 0) tls.key_file.assign(key_file, key_file_size);
    tls.require_client_certificate = require_client_certificate != 0;
    transport->settings->http.tls = std::move(tls);
    return Status();
  });
}

cohort_transport_t* cohort_transport_new_inproc(cohort_error_t* error) {
  return FenceResult<cohort_transport_t*>(error, nullptr, []() -> Result<cohort_transport_t*> {
    auto settings = std::make_shared<TransportSettings>();
    settings->kind = TransportSettings::Kind::kInproc;
    settings->network = InprocNetwork::New();
    return NewTransport(std::move(settings));
  });
}

cohort_transport_t* cohort_transport_new_custom(int32_t mode, cohort_send_fn send, cohort_destroy_fn destroy,
                                                void* user, cohort_error_t* error) {
  return FenceResult<cohort_transport_t*>(error, nullptr, [&]() -> Result<cohort_transport_t*> {
    std::shared_ptr<User> held = TakeUser(destroy, user);
    Check check;
    check.Range(mode, COHORT_SEND_CALLS, COHORT_SEND_RAW, "mode");
    if (!check.NotNull(send, "send").ok()) return check.status();
    auto settings = std::make_shared<TransportSettings>();
    settings->kind = TransportSettings::Kind::kCustom;
    settings->mode = mode;
    settings->send = send;
    settings->user = std::move(held);
    return NewTransport(std::move(settings));
  });
}

cohort_transport_t* cohort_transport_new_queue(int32_t mode, cohort_queue_t* queue, uint64_t tag,
                                               cohort_error_t* error) {
  return FenceResult<cohort_transport_t*>(error, nullptr, [&]() -> Result<cohort_transport_t*> {
    Check check;
    check.Range(mode, COHORT_SEND_CALLS, COHORT_SEND_RAW, "mode");
    if (!check.Handle(queue, "queue").ok()) return check.status();
    auto settings = std::make_shared<TransportSettings>();
    settings->kind = TransportSettings::Kind::kCustom;
    settings->mode = mode;
    settings->queue = queue->queue;
    settings->tag = tag;
    return NewTransport(std::move(settings));
  });
}

void cohort_transport_free(cohort_transport_t* transport) { FreeHandle(transport); }

}  // extern "C"
