// Bodies on their way out of the HTTP server: the pieces arrive as one, and what they lend is held until it has been
// sent, or never will be.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "runtime/real_runtime.h"
#include "transport/http/http_transport.h"
#include "transport/raw_socket.h"
#include "transport/transport_test_util.h"

namespace cohort {
namespace {

// More than all buffers between two sockets of one machine hold: a client that reads nothing leaves most of it unsent.
constexpr size_t kTooMuch = size_t{64} << 20;

// Answers "/N" with N times the letters, each a piece of its own behind its number; "/none" with 204; "/much" with more
// than a connection takes.
class LendingHandler final : public RequestHandler {
 public:
  void Handle(Request request, UniqueFunction<void(ServedResponse)> done) override {
    ServedResponse response;
    response.status = request.target == "/none" ? 204 : 200;
    if (request.target == "/much") {
      for (size_t size = 0; size < kTooMuch; size += much_.size()) response.body.Lend(much_, NewHold());
    } else if (request.target != "/none") {
      for (int i = 0; i < std::stoi(request.target.substr(1)); ++i) {
        response.body.own() += std::to_string(i);
        response.body.Lend(letters, NewHold());
      }
    } else {
      response.body.Lend(letters, NewHold());
    }
    done(std::move(response));
  }
  std::string Expected(int pieces) const {
    std::string all;
    for (int i = 0; i < pieces; ++i) all += std::to_string(i) + letters;
    return all;
  }

  const std::string letters = "abcdefghijklmnopqrstuvwxyz";
  std::atomic<int> lent{0};
  Counter let_go;

 private:
  Hold NewHold() {
    ++lent;
    return Hold(this, [](void* self) { static_cast<LendingHandler*>(self)->let_go.Add(); });
  }

  const std::string much_ = std::string(size_t{1} << 20, 'm');
};

class HttpBody : public ::testing::Test {
 protected:
  void Serve() {
    auto transport = NewHttpTransport(options_, *runtime_);
    ASSERT_TRUE(transport.ok()) << transport.status().message();
    transport_ = *transport;
    auto listener = transport_->Listen("127.0.0.1:0", handler_);
    ASSERT_TRUE(listener.ok()) << listener.status().message();
    listener_ = std::move(*listener);
  }
  // What a client says that wants that target.
  static std::string Asking(const std::string& target, const std::string& method = "GET") {
    return method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  static std::string TextOf(const std::string& message) { return message.substr(message.find("\r\n\r\n") + 4); }
  // Asks for much, and waits until it begins to come.
  void AskForMuch(RawConnection* client) {
    client->Send(Asking("/much"));
    char first = 0;
    ASSERT_EQ(recv(client->fd(), &first, 1, 0), 1);
  }

  std::shared_ptr<LendingHandler> handler_ = std::make_shared<LendingHandler>();
  HttpOptions options_;
  std::unique_ptr<Runtime> runtime_ = NewRealRuntime({"test", 4});
  std::shared_ptr<Transport> transport_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(HttpBody, PiecesArriveAsOneHoweverManyTheyAre) {
  Serve();
  RawConnection client(listener_->Address());
  int lent = 0;
  for (const int pieces : {0, 1, 2, 127, 128, 129, 255, 256, 1000, 20'000}) {
    client.Send(Asking("/" + std::to_string(pieces)));
    EXPECT_EQ(TextOf(client.ReadMessage()), handler_->Expected(pieces)) << pieces;
    handler_->let_go.WaitFor(lent += pieces);
  }
  EXPECT_EQ(handler_->let_go.count(), handler_->lent);
}

TEST_F(HttpBody, AnAnswerWithoutABodySendsNoneOfItAndHoldsNothing) {
  Serve();
  RawConnection client(listener_->Address());
  client.Send(Asking("/3", "HEAD") + Asking("/none") + Asking("/1"));
  const std::string head = client.ReadMessage(true);
  EXPECT_NE(head.find("Content-Length: " + std::to_string(handler_->Expected(3).size()) + "\r\n"), std::string::npos);
  EXPECT_EQ(client.ReadMessage(true).substr(0, 12), "HTTP/1.1 204");
  EXPECT_EQ(TextOf(client.ReadMessage()), handler_->Expected(1));
  handler_->let_go.WaitFor(5);
}

TEST_F(HttpBody, ASlowReaderGetsAllOfIt) {
  Serve();
  RawConnection client(listener_->Address());
  AskForMuch(&client);
  EXPECT_EQ(handler_->let_go.count(), 0);  // Most of it has not been sent.
  EXPECT_EQ(TextOf(client.ReadMessage()), std::string(kTooMuch, 'm'));
  handler_->let_go.WaitFor(handler_->lent);
}

TEST_F(HttpBody, AClientThatLeavesLetsGoOfWhatIsUnsent) {
  Serve();
  RawConnection client(listener_->Address());
  AskForMuch(&client);
  EXPECT_EQ(handler_->let_go.count(), 0);
  client.Close();
  handler_->let_go.WaitFor(handler_->lent);
  RawConnection other(listener_->Address());
  other.Send(Asking("/1"));
  EXPECT_EQ(TextOf(other.ReadMessage()), handler_->Expected(1));
}

TEST_F(HttpBody, AClientThatReadsNothingIsLeftByTheDeadline) {
  options_.request_timeout_ms = 50;
  Serve();
  RawConnection client(listener_->Address());
  AskForMuch(&client);
  handler_->let_go.WaitFor(handler_->lent);
  EXPECT_LT(client.ReadToEnd().size(), kTooMuch);
}

TEST_F(HttpBody, TheListenersEndCutsOffWhatIsUnsent) {
  Serve();
  RawConnection client(listener_->Address());
  AskForMuch(&client);
  listener_->Stop(0);
  EXPECT_EQ(handler_->let_go.count(), handler_->lent);
  EXPECT_LT(client.ReadToEnd().size(), kTooMuch);
}

TEST_F(HttpBody, OneThatIsKeptInTheProcessComesWhole) {
  ServedResponse answer;
  handler_->Handle({"GET", "/2", {}, "", 0}, [&](ServedResponse response) { answer = std::move(response); });
  const Response whole = std::move(answer).Whole();
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, handler_->Expected(2));
}

}  // namespace
}  // namespace cohort
