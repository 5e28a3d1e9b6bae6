#include "transport/http/http_transport.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "transport/http/client_connection.h"
#include "transport/http/exit_gate.h"
#include "transport/http/http_channel.h"
#include "transport/http/http_listener.h"
#include "transport/http/tls.h"

namespace cohort {

namespace {

// A peer whose address cannot be understood: every call says so.
class BadChannel final : public PeerChannel {
 public:
  explicit BadChannel(Status status) : status_(std::move(status)) {}
  CallId Send(Request, ResponseDone done) override {
    done(status_);
    return 0;
  }
  void Cancel(CallId) override {}
  void Close() override {}

 private:
  const Status status_;
};

class HttpTransport final : public Transport {
 public:
  HttpTransport(HttpOptions options, Runtime& runtime, std::shared_ptr<Tls> tls)
      : runtime_(runtime), shared_(std::make_shared<HttpClientShared>(std::move(options), std::move(tls))) {}

  ~HttpTransport() override {
    for (auto& weak : channels_) {
      if (auto senders = weak.lock()) senders->Close();
    }
    shared_->senders.Stop();
  }

  std::shared_ptr<PeerChannel> Connect(const std::string& address) override {
    auto host_port = ParseHostPort(address);
    if (!host_port.ok()) return std::make_shared<BadChannel>(host_port.status());
    if (host_port->host.empty()) {
      return std::make_shared<BadChannel>(Status(Code::kInvalidArgument, "address \"" + address + "\" has no host"));
    }
    auto senders = HttpSenders::New(shared_, runtime_, address, std::move(*host_port));
    std::lock_guard<std::mutex> lock(mutex_);
    channels_.erase(std::remove_if(channels_.begin(), channels_.end(), [](const auto& weak) { return weak.expired(); }),
                    channels_.end());
    channels_.push_back(senders);
    return std::make_shared<HttpChannel>(std::move(senders));
  }

  Result<std::unique_ptr<Listener>> Listen(const std::string& address,
                                           std::shared_ptr<RequestHandler> handler) override {
    return HttpListener::New(address, std::move(handler), shared_->options, shared_->tls);
  }

 private:
  Runtime& runtime_;
  const std::shared_ptr<HttpClientShared> shared_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<HttpSenders>> channels_;
};

void WarmUp() {
  // Without its own handler at exit, where nobody has initialised OpenSSL before us.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, nullptr);
  ClientConnection::WarmUp();
  WarmUpServerCodec();
}

}  // namespace

Result<std::shared_ptr<Transport>> NewHttpTransport(HttpOptions options, Runtime& runtime) {
  ExitGate::Install(WarmUp);
  std::shared_ptr<Tls> tls;
  if (options.tls.enabled()) {
    auto loaded = Tls::Load(options.tls);
    if (!loaded.ok()) return loaded.status();
    tls = std::move(*loaded);
  } else if (options.tls.require_client_certificate) {
    return Status(Code::kInvalidArgument, "require_client_certificate needs TLS: set ca_file, cert_file and key_file");
  }
  return std::shared_ptr<Transport>(std::make_shared<HttpTransport>(std::move(options), runtime, std::move(tls)));
}

}  // namespace cohort
