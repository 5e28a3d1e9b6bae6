// A process may end while connections are open.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>

#include "runtime/real_runtime.h"
#include "transport/http/http_transport.h"
#include "transport/transport_test_util.h"

namespace cohort {
namespace {

// Keeps a client and a server busy, then ends the process with everything open.
void ExitInTheMiddle() {
  Runtime* runtime = NewRealRuntime({"exit", 4}).release();
  auto* transport = new std::shared_ptr<Transport>(*NewHttpTransport({}, *runtime));
  auto bound = (*transport)->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
  Listener* listener = bound->release();
  auto* channel = new std::shared_ptr<PeerChannel>((*transport)->Connect(listener->Address()));
  auto* answered = new Counter;
  auto* again = new std::function<void()>;
  *again = [=] {
    (*channel)->Send(Get("/x"), [=](Result<Response> result) {
      if (!result.ok()) return;
      answered->Add();
      (*again)();
    });
  };
  for (int i = 0; i < 8; i++) (*again)();
  answered->WaitFor(200);
  std::exit(7);
}

TEST(HttpExitDeathTest, AProcessMayEndWithEverythingOpen) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (int i = 0; i < 5; i++) EXPECT_EXIT(ExitInTheMiddle(), testing::ExitedWithCode(7), "");
}

// What is closed after the process has begun to exit must not wait for anything that is gone.
struct ClosesAtExit {
  std::unique_ptr<Runtime> runtime;
  std::shared_ptr<Transport> transport;
  std::unique_ptr<Listener> listener;
  std::shared_ptr<PeerChannel> channel;
  ~ClosesAtExit() {
    channel = nullptr;
    if (listener != nullptr) listener->Stop(100);
    listener = nullptr;
    transport = nullptr;
    runtime = nullptr;
  }
};

TEST(HttpExitDeathTest, AHostsStaticObjectMayCloseAtExit) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static ClosesAtExit host;
        host.runtime = NewRealRuntime({"exit", 4});
        host.transport = *NewHttpTransport({}, *host.runtime);
        auto bound = host.transport->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
        host.listener = std::move(*bound);
        host.channel = host.transport->Connect(host.listener->Address());
        Call* call = new Call;
        host.channel->Send(Get("/x"), call->Done());
        if (!call->Get().ok()) std::exit(1);
        std::exit(7);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace cohort
