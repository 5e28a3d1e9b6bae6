// The HTTP server against clients that are scripted byte by byte.
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/real_runtime.h"
#include "transport/http/http_transport.h"
#include "transport/raw_socket.h"
#include "transport/transport_test_util.h"

namespace cohort {
namespace {

class HttpServer : public ::testing::Test {
 protected:
  void Serve(std::shared_ptr<RequestHandler> handler, const std::string& address = "127.0.0.1:0") {
    auto transport = NewHttpTransport(options_, *runtime_);
    ASSERT_TRUE(transport.ok()) << transport.status().message();
    transport_ = *transport;
    auto listener = transport_->Listen(address, std::move(handler));
    ASSERT_TRUE(listener.ok()) << listener.status().message();
    listener_ = std::move(*listener);
  }
  void ServeEcho() { Serve(std::make_shared<EchoHandler>()); }

  HttpOptions options_;
  std::unique_ptr<Runtime> runtime_ = NewRealRuntime({"test", 4});
  std::shared_ptr<Transport> transport_;
  std::unique_ptr<Listener> listener_;
};

std::string Body(const std::string& message) {
  const size_t end = message.find("\r\n\r\n");
  return end == std::string::npos ? "" : message.substr(end + 4);
}

std::string StatusLine(const std::string& message) { return message.substr(0, message.find("\r\n")); }

// The message without its date, which is checked for its form.
std::string WithoutDate(const std::string& message) {
  const size_t begin = message.find("Date: ");
  if (begin == std::string::npos) return message;
  const std::string date = message.substr(begin, message.find("\r\n", begin) - begin);
  EXPECT_EQ(date.size(), strlen("Date: Sat, 21 Nov 2026 03:38:15 GMT")) << date;
  EXPECT_EQ(date.substr(date.size() - 4), " GMT") << date;
  return message.substr(0, begin) + message.substr(begin + date.size() + 2);
}

TEST_F(HttpServer, AnswersWithItsOwnHeadersOnly) {
  ServeEcho();
  RawConnection client(listener_->Address());
  client.Send("GET /x HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\nRange: bytes=0-1\r\n\r\n");
  EXPECT_EQ(WithoutDate(client.ReadMessage()),
            "HTTP/1.1 200 OK\r\nContent-Length: 51\r\nContent-Type: text/plain\r\n\r\n"
            "GET /x\nAccept-Encoding: gzip, br\nRange: bytes=0-1\n\n");
}

TEST_F(HttpServer, TheTargetArrivesAsItWasSent) {
  ServeEcho();
  RawConnection client(listener_->Address());
  for (const std::string target :
       {"/_groupcache/g/a%2Fb", "/%2E%2E/x", "/../y", "//a//b", "/%FF%00", "/a+b%20c?q=1&r=%41#f", "/\xff\xfe", "*"}) {
    client.Send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(Body(client.ReadMessage()), "GET " + target + "\n\n");
  }
}

TEST_F(HttpServer, HeaderValuesArriveAsTheyWereSentAndInOrder) {
  ServeEcho();
  RawConnection client(listener_->Address());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nZ-Last:  %41%0d \r\na-first: two words\r\nZ-Last: again\r\nEmpty:\r\n\r\n");
  EXPECT_EQ(Body(client.ReadMessage()), "GET /\nZ-Last: %41%0d\na-first: two words\nZ-Last: again\nEmpty: \n\n");
}

TEST_F(HttpServer, EveryMethodReachesTheHandler) {
  ServeEcho();
  RawConnection client(listener_->Address());
  for (const std::string method : {"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"}) {
    client.Send(method + " /m HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(Body(client.ReadMessage()), method + " /m\n\n");
  }
  for (const std::string method : {"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "BREW"}) {
    client.Send(method + " /m HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(Body(client.ReadMessage()), method + " /m\n\nhello");
  }
}

TEST_F(HttpServer, HeadIsAnsweredWithoutABody) {
  ServeEcho();
  RawConnection client(listener_->Address());
  client.Send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\nGET /g HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = client.ReadMessage(true);
  EXPECT_EQ(WithoutDate(head), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: text/plain\r\n\r\n");
  EXPECT_EQ(Body(client.ReadMessage()), "GET /g\n\n");
}

TEST_F(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  ServeEcho();
  RawConnection client(listener_->Address());
  std::string text;
  for (int i = 0; i < 50; i++) {
    text += "PUT /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  }
  client.Send(text);
  for (int i = 0; i < 50; i++) EXPECT_EQ(Body(client.ReadMessage()), "PUT /" + std::to_string(i) + "\n\nabc");
}

TEST_F(HttpServer, AChunkedBodyIsPutTogether) {
  ServeEcho();
  RawConnection client(listener_->Address());
  client.Send(
      "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1;x=y\r\n,\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_EQ(Body(client.ReadMessage()), "PUT /c\n\nhello,0123456789");
  client.Send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(Body(client.ReadMessage()), "GET /next\n\n");
}

TEST_F(HttpServer, ARequestMayComeByteByByte) {
  ServeEcho();
  RawConnection client(listener_->Address());
  for (const char c : std::string("PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")) {
    client.Send(std::string(1, c));
  }
  EXPECT_EQ(Body(client.ReadMessage()), "PUT /slow\n\nok");
}

TEST_F(HttpServer, ExpectContinueIsAnsweredBeforeTheBodyComes) {
  ServeEcho();
  RawConnection client(listener_->Address());
  client.Send("PUT /e HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadMessage(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_EQ(Body(client.ReadMessage()), "PUT /e\n\nbody");
}

TEST_F(HttpServer, WhatIsNotHttpIsRefusedAndTheConnectionEnds) {
  ServeEcho();
  for (const std::string text : {
           "nonsense\r\n\r\n",
           "GET /\r\n\r\n",
           "GET / HTTP/3.0\r\n\r\n",
           "GET  HTTP/1.1\r\n\r\n",
           " / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\nHost: a\n\n",
           "GET / HTTP/1.1\r\nno colon\r\n\r\n",
           "GET / HTTP/1.1\r\n: nameless\r\n\r\n",
           "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
           "GET / HTTP/1.1\r\nSpaced : b\r\n\r\n",
           "GET / HTTP/1.1\r\nA: b\x01\r\n\r\n",
           "\x16\x03\x01\x02\x01\xff\r\n\r\n",
       }) {
    RawConnection client(listener_->Address());
    client.Send(text);
    const std::string answer = client.ReadToEnd();
    EXPECT_EQ(StatusLine(answer), "HTTP/1.1 400 Bad Request") << text;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << text;
    EXPECT_NE(answer.find("Date: "), std::string::npos) << text;
  }
}

TEST_F(HttpServer, ABodyThatCannotBeFramedIsRefused) {
  ServeEcho();
  for (const std::string head : {
           "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           "Content-Length: -1\r\n\r\n",
           "Content-Length: 1x\r\n\r\na",
           "Content-Length: 99999999999999999999999\r\n\r\n",
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
           "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
           "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nbroken",
       }) {
    RawConnection client(listener_->Address());
    client.Send("PUT / HTTP/1.1\r\nHost: a\r\n" + head);
    shutdown(client.fd(), SHUT_WR);
    EXPECT_EQ(StatusLine(client.ReadToEnd()), "HTTP/1.1 400 Bad Request") << head;
  }
  RawConnection client(listener_->Address());
  client.Send("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n");
  EXPECT_EQ(StatusLine(client.ReadToEnd()), "HTTP/1.1 501 Not Implemented");
}

TEST_F(HttpServer, ABodyAboveTheLimitIsRefusedUnread) {
  options_.max_body_bytes = 1000;
  ServeEcho();
  {
    RawConnection client(listener_->Address());
    client.Send("PUT / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_EQ(StatusLine(client.ReadToEnd()), "HTTP/1.1 413 Payload Too Large");
  }
  {
    RawConnection client(listener_->Address());
    client.Send("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3E8\r\n" + std::string(1000, 'x') + "\r\n1\r\n");
    EXPECT_EQ(StatusLine(client.ReadToEnd()), "HTTP/1.1 413 Payload Too Large");
  }
  RawConnection client(listener_->Address());
  client.Send("PUT / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'));
  EXPECT_EQ(Body(client.ReadMessage()), "PUT /\n\n" + std::string(1000, 'x'));
}

TEST_F(HttpServer, LongLinesAndManyHeadersAreRefused) {
  options_.max_headers = 20;
  ServeEcho();
  const auto answer_to = [&](const std::string& text) {
    RawConnection client(listener_->Address());
    client.Send(text);
    return StatusLine(client.ReadToEnd());
  };
  const std::string close = "Connection: close\r\n\r\n";
  const size_t frame = strlen("GET / HTTP/1.1\r\n");
  EXPECT_EQ(answer_to("GET /" + std::string(8192 - frame, 'k') + " HTTP/1.1\r\n" + close), "HTTP/1.1 200 OK");
  EXPECT_EQ(answer_to("GET /" + std::string(8193 - frame, 'k') + " HTTP/1.1\r\n" + close), "HTTP/1.1 414 URI Too Long");
  EXPECT_EQ(answer_to("GET /" + std::string(200'000, 'k') + " HTTP/1.1\r\n" + close), "HTTP/1.1 414 URI Too Long");
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nA: " + std::string(8000, 'v') + "\r\n" + close), "HTTP/1.1 200 OK");
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nA: " + std::string(9000, 'v') + "\r\n" + close),
            "HTTP/1.1 431 Request Header Fields Too Large");
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 19; i++) many += "A: b\r\n";
  EXPECT_EQ(answer_to(many + close), "HTTP/1.1 200 OK");
  EXPECT_EQ(answer_to(many + "A: b\r\n" + close), "HTTP/1.1 431 Request Header Fields Too Large");
  std::string endless = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 10'000; i++) endless += "A: b\r\n";
  EXPECT_EQ(answer_to(endless), "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(HttpServer, ConnectionCloseAndOldHttpEndTheConnection) {
  ServeEcho();
  for (const std::string text : {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
                                 "GET / HTTP/1.1\r\nConnection: TE, Close\r\n\r\n"}) {
    RawConnection client(listener_->Address());
    client.Send(text);
    const std::string answer = client.ReadMessage();
    EXPECT_EQ(StatusLine(answer), "HTTP/1.1 200 OK");
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(client.AtEnd());
  }
}

TEST_F(HttpServer, AHalfRequestHarmsNobody) {
  ServeEcho();
  RawConnection half(listener_->Address());
  half.Send("PUT /half HTTP/1.1\r\nContent-Len");
  RawConnection half_body(listener_->Address());
  half_body.Send("PUT /half HTTP/1.1\r\nContent-Length: 100\r\n\r\nonly this");
  RawConnection other(listener_->Address());
  other.Send("GET /other HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Body(other.ReadMessage()), "GET /other\n\n");
  half.Close();
  half_body.Close();
  other.Send("GET /other HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Body(other.ReadMessage()), "GET /other\n\n");
}

class AnswerHandler : public RequestHandler {
 public:
  explicit AnswerHandler(Response response) : response_(std::move(response)) {}
  void Handle(Request, UniqueFunction<void(ServedResponse)> done) override { done(response_); }

 private:
  const Response response_;
};

TEST_F(HttpServer, AHandlersHeadersCannotBreakTheAnswer) {
  Serve(std::make_shared<AnswerHandler>(Response{
      503, {{"X-Evil", "a\r\nInjected: b"}, {"Content-Length", "999"}, {"X-Two", "1"}, {"x-two", "2"}}, "sorry"}));
  RawConnection client(listener_->Address());
  client.Send("GET / HTTP/1.1\r\n\r\n");
  const std::string answer = client.ReadMessage();
  EXPECT_EQ(WithoutDate(answer),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\nX-Evil: a  Injected: b\r\nX-Two: 1\r\n"
            "x-two: 2\r\n\r\nsorry");
}

TEST_F(HttpServer, AnEmptyAnswerHasNoContentType) {
  Serve(std::make_shared<AnswerHandler>(Response{200, {}, ""}));
  RawConnection client(listener_->Address());
  client.Send("DELETE / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(WithoutDate(client.ReadMessage()), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(HttpServer, ALargeAnswerArrivesWhole) {
  std::string large;
  for (int i = 0; i < 1'000'000; i++) large += static_cast<char>(i * 31 >> 3);
  Serve(std::make_shared<AnswerHandler>(Response{200, {}, large}));
  RawConnection client(listener_->Address());
  client.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Body(client.ReadMessage()), large);
}

TEST_F(HttpServer, AnUnansweredRequestEndsWith500) {
  options_.request_timeout_ms = 20;
  auto silent = std::make_shared<HoldingHandler>();
  Serve(silent);
  RawConnection client(listener_->Address());
  client.Send("GET / HTTP/1.1\r\n\r\n");
  const std::string answer = client.ReadMessage();
  EXPECT_EQ(StatusLine(answer), "HTTP/1.1 500 Internal Server Error");
  EXPECT_EQ(Body(answer), "the request was not answered within 20 ms\n");
  EXPECT_TRUE(client.AtEnd());
  silent->AnswerAll();
}

TEST_F(HttpServer, P8_IdleConnectionsHoldNoThread) {
  options_.max_server_threads = 4;
  options_.keep_alive_ms = 600'000;
  ServeEcho();
  std::vector<RawConnection> idle;
  for (int i = 0; i < 300; i++) {
    idle.emplace_back(listener_->Address());
    idle.back().Send("GET /first HTTP/1.1\r\n\r\n");
    ASSERT_EQ(Body(idle.back().ReadMessage()), "GET /first\n\n");
  }
  RawConnection late(listener_->Address());
  late.Send("GET /late HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Body(late.ReadMessage()), "GET /late\n\n");
  for (auto& connection : idle) {
    connection.Send("GET /again HTTP/1.1\r\n\r\n");
    ASSERT_EQ(Body(connection.ReadMessage()), "GET /again\n\n");
  }
}

TEST_F(HttpServer, P8_SilentNewConnectionsHoldNoThread) {
  options_.max_server_threads = 4;
  options_.keep_alive_ms = 600'000;
  ServeEcho();
  std::vector<RawConnection> silent;
  for (int i = 0; i < 100; i++) silent.emplace_back(listener_->Address());
  RawConnection client(listener_->Address());
  client.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Body(client.ReadMessage()), "GET /\n\n");
}

TEST_F(HttpServer, AnIdleConnectionEndsWithItsKeepAlive) {
  options_.keep_alive_ms = 10;
  ServeEcho();
  RawConnection client(listener_->Address());
  client.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Body(client.ReadMessage()), "GET /\n\n");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServer, SlowRequestsDoNotBlockOthers) {
  auto holding = std::make_shared<HoldingHandler>();
  Serve(holding);
  std::vector<RawConnection> slow;
  for (int i = 0; i < 64; i++) {
    slow.emplace_back(listener_->Address());
    slow.back().Send("GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n");
  }
  holding->WaitFor(64);
  holding->AnswerFromNowOn();
  RawConnection quick(listener_->Address());
  quick.Send("GET /quick HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Body(quick.ReadMessage()), "GET /quick\n\n");
  for (int i = 0; i < 64; i++) EXPECT_EQ(Body(slow[i].ReadMessage()), "GET /" + std::to_string(i) + "\n\n");
}

TEST_F(HttpServer, P8_RequestsBeyondTheThreadLimitWaitTheirTurn) {
  options_.max_server_threads = 2;
  auto holding = std::make_shared<HoldingHandler>();
  Serve(holding);
  std::vector<RawConnection> clients;
  for (int i = 0; i < 10; i++) {
    clients.emplace_back(listener_->Address());
    clients.back().Send("GET /" + std::to_string(i) + " HTTP/1.1\r\n\r\n");
  }
  holding->WaitFor(2);
  holding->AnswerFromNowOn();
  for (int i = 0; i < 10; i++) EXPECT_EQ(Body(clients[i].ReadMessage()), "GET /" + std::to_string(i) + "\n\n");
}

TEST_F(HttpServer, ASecondBindSaysThatTheAddressIsInUse) {
  ServeEcho();
  auto second = transport_->Listen(listener_->Address(), std::make_shared<EchoHandler>());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), Code::kIo);
  EXPECT_EQ(second.status().message(), "cannot listen on " + listener_->Address() + ": Address already in use");
  const std::string address = listener_->Address();
  listener_->Stop(0);
  listener_ = nullptr;
  Serve(std::make_shared<EchoHandler>(), address);
  EXPECT_EQ(listener_->Address(), address);
}

TEST_F(HttpServer, AddressesResolve) {
  ServeEcho();
  auto named = transport_->Listen("localhost:0", std::make_shared<EchoHandler>());
  ASSERT_TRUE(named.ok()) << named.status().message();
  EXPECT_EQ((*named)->Address().substr(0, 10), "127.0.0.1:");
  auto every = transport_->Listen(":0", std::make_shared<EchoHandler>());
  ASSERT_TRUE(every.ok()) << every.status().message();
  const bool v6 = (*every)->Address().substr(0, 5) == "[::]:";
  EXPECT_TRUE(v6 || (*every)->Address().substr(0, 8) == "0.0.0.0:") << (*every)->Address();
  RawConnection client((*every)->Address());
  client.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(Body(client.ReadMessage()), "GET /\n\n");
  for (const char* bad : {"nohost", "host:", "host:x", "host:99999", "::1:80", ""}) {
    EXPECT_EQ(transport_->Listen(bad, std::make_shared<EchoHandler>()).status().code(), Code::kInvalidArgument) << bad;
  }
  auto unknown = transport_->Listen("no-such-host.invalid:1", std::make_shared<EchoHandler>());
  EXPECT_EQ(unknown.status().code(), Code::kIo);
  EXPECT_EQ(unknown.status().message().substr(0, 80),
            "cannot listen on no-such-host.invalid:1: cannot resolve \"no-such-host.invalid\": ");
}

TEST_F(HttpServer, StopLetsAnOpenRequestEnd) {
  auto holding = std::make_shared<HoldingHandler>();
  Serve(holding);
  RawConnection idle(listener_->Address());
  RawConnection open(listener_->Address());
  open.Send("GET /open HTTP/1.1\r\n\r\n");
  holding->WaitFor(1);
  Counter stopped;
  runtime_->executor().PostBlocking([&] {
    listener_->Stop(600'000);
    stopped.Add();
  });
  EXPECT_TRUE(idle.AtEnd());  // So the stop has begun.
  EXPECT_EQ(stopped.count(), 0);
  holding->AnswerAll();
  const std::string answer = open.ReadMessage();
  EXPECT_EQ(Body(answer), "GET /open\n\n");
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
  open.Close();
  stopped.WaitFor(1);
}

TEST_F(HttpServer, StopCutsOffWhatDoesNotEnd) {
  auto holding = std::make_shared<HoldingHandler>();
  Serve(holding);
  RawConnection open(listener_->Address());
  open.Send("GET /open HTTP/1.1\r\n\r\n");
  RawConnection half(listener_->Address());
  half.Send("PUT /half HTTP/1.1\r\nContent-Length: 10\r\n\r\n12345");
  holding->WaitFor(1);
  listener_->Stop(0);
  EXPECT_TRUE(open.AtEnd());
  EXPECT_TRUE(half.AtEnd());
  holding->AnswerAll();  // Too late, and harmless.
  listener_->Stop(0);
}

TEST_F(HttpServer, AHandlerMayAnswerAfterTheListenersEnd) {
  auto holding = std::make_shared<HoldingHandler>();
  Serve(holding);
  RawConnection open(listener_->Address());
  open.Send("GET /open HTTP/1.1\r\n\r\n");
  holding->WaitFor(1);
  listener_ = nullptr;
  transport_ = nullptr;
  runtime_ = nullptr;
  holding->AnswerAll();
}

TEST_F(HttpServer, LeavesTheHostsSigpipeAlone) {
  struct sigaction before, after;
  sigaction(SIGPIPE, nullptr, &before);
  ServeEcho();
  sigaction(SIGPIPE, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
  EXPECT_EQ(after.sa_handler, SIG_DFL);
  // A client that is gone before its answer comes must not end the process.
  auto holding = std::make_shared<HoldingHandler>();
  auto other = transport_->Listen("127.0.0.1:0", holding);
  for (int i = 1; i <= 10; i++) {
    RawConnection client((*other)->Address());
    client.Send("GET / HTTP/1.1\r\n\r\n");
    holding->WaitFor(i);
    const linger reset = {1, 0};
    setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client.Close();
    holding->AnswerAll();
  }
}

}  // namespace
}  // namespace cohort
