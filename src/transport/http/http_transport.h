// The HTTP transport: peers speak HTTP/1.1, with or without TLS, to each other and to groupcache-go nodes.
#pragma once

#include <memory>

#include "base/status.h"
#include "runtime/runtime.h"
#include "transport/http/http_options.h"
#include "transport/transport.h"

namespace cohort {

// Fails when a certificate or key cannot be used. `runtime` must outlive the transport and its channels. The
// transport's destructor closes its channels and joins their threads, so it must not run on one of them; listeners
// stand alone.
Result<std::shared_ptr<Transport>> NewHttpTransport(HttpOptions options, Runtime& runtime);

}  // namespace cohort
