// The network inside one process keeps what transport.h promises.
#include "transport/inproc/inproc.h"

#include <gtest/gtest.h>

#include "runtime/real_runtime.h"
#include "transport/transport_test_util.h"

namespace cohort {
namespace {

class Inproc : public ::testing::Test {
 protected:
  std::unique_ptr<Runtime> runtime_ = NewRealRuntime({"test", 4});
  std::shared_ptr<InprocNetwork> network_ = InprocNetwork::New();
  std::shared_ptr<Transport> transport_ = network_->Attach(*runtime_);

  std::unique_ptr<Listener> Listen(const std::string& address, std::shared_ptr<RequestHandler> handler) {
    auto listener = transport_->Listen(address, std::move(handler));
    EXPECT_TRUE(listener.ok()) << listener.status().message();
    return std::move(*listener);
  }
};

TEST_F(Inproc, CarriesARequestThereAndAnAnswerBack) {
  auto listener = Listen("a:1", std::make_shared<EchoHandler>());
  auto channel = transport_->Connect("a:1");
  Call call;
  channel->Send({"PUT", "/x/%2Fy?z", {{"X-One", "1"}}, "body", 0}, call.Done());
  auto& response = call.Get();
  ASSERT_TRUE(response.ok()) << response.status().message();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "PUT /x/%2Fy?z\nX-One: 1\n\nbody");
}

TEST_F(Inproc, AnUnknownAddressIsUnreachable) {
  auto channel = transport_->Connect("nobody:1");
  Call call;
  channel->Send(Get("/"), call.Done());
  EXPECT_EQ(call.Get().status().code(), Code::kUnreachable);
  EXPECT_EQ(call.Get().status().message(), "peer nobody:1: connection refused");
}

TEST_F(Inproc, PortZeroPicksAFreeNumberAndASecondBindFails) {
  auto one = Listen("a:0", std::make_shared<EchoHandler>());
  auto two = Listen("a:0", std::make_shared<EchoHandler>());
  EXPECT_NE(one->Address(), two->Address());
  EXPECT_EQ(one->Address().substr(0, 2), "a:");
  auto three = transport_->Listen(one->Address(), std::make_shared<EchoHandler>());
  EXPECT_EQ(three.status().code(), Code::kIo);
  EXPECT_EQ(three.status().message(), "cannot listen on " + one->Address() + ": Address already in use");
  one->Stop(0);
  auto again = Listen(one->Address(), std::make_shared<EchoHandler>());
  one->Stop(0);
  Call call;
  auto channel = transport_->Connect(again->Address());
  channel->Send(Get("/"), call.Done());
  EXPECT_TRUE(call.Get().ok());
}

TEST_F(Inproc, AnAddressWithoutAPortIsInvalid) {
  EXPECT_EQ(transport_->Listen("a", std::make_shared<EchoHandler>()).status().code(), Code::kInvalidArgument);
}

TEST_F(Inproc, ACallThatIsNotAnsweredTimesOut) {
  auto silent = std::make_shared<HoldingHandler>();
  auto listener = Listen("a:1", silent);
  auto channel = transport_->Connect("a:1");
  Call call;
  Request request = Get("/");
  request.timeout_ms = 5;
  channel->Send(std::move(request), call.Done());
  EXPECT_EQ(call.Get().status().code(), Code::kTimeout);
  EXPECT_EQ(call.Get().status().message(), "peer a:1 did not answer within 5 ms");
  silent->WaitFor(1);
  silent->AnswerAll();
  EXPECT_EQ(call.count(), 1);
}

TEST_F(Inproc, CancelEndsACallOnce) {
  auto silent = std::make_shared<HoldingHandler>();
  auto listener = Listen("a:1", silent);
  auto channel = transport_->Connect("a:1");
  Call call;
  const auto id = channel->Send(Get("/"), call.Done());
  silent->WaitFor(1);
  channel->Cancel(id);
  channel->Cancel(id);
  EXPECT_EQ(call.Get().status().code(), Code::kCancelled);
  silent->AnswerAll();
  runtime_->Stop();
  EXPECT_EQ(call.count(), 1);
}

TEST_F(Inproc, CloseFailsWhatIsOpenAndWhatComesLater) {
  auto silent = std::make_shared<HoldingHandler>();
  auto listener = Listen("a:1", silent);
  auto channel = transport_->Connect("a:1");
  Call open, later;
  channel->Send(Get("/"), open.Done());
  silent->WaitFor(1);
  channel->Close();
  channel->Close();
  EXPECT_EQ(open.Get().status().code(), Code::kClosed);
  channel->Send(Get("/"), later.Done());
  EXPECT_EQ(later.Get().status().code(), Code::kClosed);
}

TEST_F(Inproc, TheChannelsEndFailsWhatIsOpen) {
  auto silent = std::make_shared<HoldingHandler>();
  auto listener = Listen("a:1", silent);
  Call open;
  transport_->Connect("a:1")->Send(Get("/"), open.Done());
  EXPECT_EQ(open.Get().status().code(), Code::kClosed);
}

TEST_F(Inproc, StopWaitsForOpenRequests) {
  auto holding = std::make_shared<HoldingHandler>();
  auto listener = Listen("a:1", holding);
  auto channel = transport_->Connect("a:1");
  Call open, refused;
  channel->Send(Get("/"), open.Done());
  holding->WaitFor(1);
  Counter stopped;
  runtime_->executor().PostBlocking([&] {
    listener->Stop(600'000);
    stopped.Add();
  });
  // Until the stop has begun, others are accepted and held too; every one is answered or refused.
  holding->AnswerAll();
  holding->AnswerFromNowOn();
  stopped.WaitFor(1);
  EXPECT_TRUE(open.Get().ok());
  channel->Send(Get("/"), refused.Done());
  EXPECT_EQ(refused.Get().status().message(), "peer a:1: connection refused");
}

TEST_F(Inproc, StopCutsOffWhatIsStillOpen) {
  auto holding = std::make_shared<HoldingHandler>();
  auto listener = Listen("a:1", holding);
  auto channel = transport_->Connect("a:1");
  Call open;
  channel->Send(Get("/"), open.Done());
  holding->WaitFor(1);
  listener->Stop(0);
  EXPECT_EQ(open.Get().status().code(), Code::kUnreachable);
  EXPECT_EQ(open.Get().status().message(), "peer a:1 closed the connection");
  holding->AnswerAll();
  EXPECT_EQ(open.count(), 1);
}

TEST_F(Inproc, AMemberWhoseRuntimeEndedIsUnreachable) {
  auto other = NewRealRuntime({"other", 1});
  auto bound = network_->Attach(*other)->Listen("b:1", std::make_shared<EchoHandler>());
  auto listener = std::move(*bound);
  other->Stop();
  Call call;
  auto channel = transport_->Connect("b:1");
  channel->Send(Get("/"), call.Done());
  EXPECT_EQ(call.Get().status().code(), Code::kUnreachable);
  listener->Stop(0);
}

TEST_F(Inproc, EveryCallCompletesOnceWhateverHappens) {
  auto echo = std::make_shared<EchoHandler>();
  auto listener = Listen("a:1", echo);
  auto channel = transport_->Connect("a:1");
  constexpr int kCalls = 2000;
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < kCalls; i++) calls.push_back(std::make_unique<Call>());
  for (int i = 0; i < kCalls; i++) {
    Request request = Get("/");
    request.timeout_ms = 1 + i % 3;
    const auto id = channel->Send(std::move(request), calls[i]->Done());
    if (i % 3 == 0) channel->Cancel(id);
    if (i == kCalls / 2) listener->Stop(0);
    if (i == kCalls - 100) channel->Close();
  }
  for (auto& call : calls) call->Get();
  channel = nullptr;
  listener = nullptr;
  runtime_->Stop();
  for (auto& call : calls) EXPECT_EQ(call->count(), 1);
}

}  // namespace
}  // namespace cohort
