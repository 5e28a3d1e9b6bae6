// The HTTP client against servers that are scripted byte by byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/lent_thread.h"
#include "runtime/real_runtime.h"
#include "transport/http/http_transport.h"
#include "transport/raw_socket.h"
#include "transport/transport_test_util.h"

namespace cohort {
namespace {

std::string Answer(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class HttpClient : public ::testing::Test {
 protected:
  std::shared_ptr<PeerChannel> Connect(const std::string& address) {
    if (transport_ == nullptr) {
      auto transport = NewHttpTransport(options_, *runtime_);
      EXPECT_TRUE(transport.ok()) << transport.status().message();
      transport_ = *transport;
    }
    return transport_->Connect(address);
  }
  Result<Response> Ask(PeerChannel& channel, Request request) {
    Call call;
    channel.Send(std::move(request), call.Done());
    return call.Get();
  }

  HttpOptions options_;
  std::unique_ptr<Runtime> runtime_ = NewRealRuntime({"test", 4});
  std::shared_ptr<Transport> transport_;
};

TEST_F(HttpClient, SendsWhatItIsGivenAndLittleElse) {
  options_.sender_patience_ms = 600'000;  // One connection.
  std::string get, put;
  ScriptedServer server({[&](RawConnection& peer) {
    get = peer.ReadMessage();
    peer.Send(Answer("one"));
    put = peer.ReadMessage();
    peer.Send("HTTP/1.1 404 Not Found\r\nx-b: %41\r\nX-A: 1\r\nx-b: 2\r\nContent-Length: 3\r\n\r\ntwo");
  }});
  auto channel = Connect(server.address());
  auto first = Ask(*channel, Get("/_groupcache/g/%2E%2e//a+b%FF?x=%20#y"));
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(first->body, "one");
  auto second = Ask(*channel, {"PUT", "/p", {{"X-Cohort", "a b"}}, std::string("\0\xff body", 7), 0});
  ASSERT_TRUE(second.ok()) << second.status().message();
  EXPECT_EQ(second->status, 404);
  EXPECT_EQ(second->body, "two");
  EXPECT_EQ(second->headers, (Headers{{"x-b", "%41"}, {"X-A", "1"}, {"x-b", "2"}, {"Content-Length", "3"}}));
  EXPECT_EQ(get, "GET /_groupcache/g/%2E%2e//a+b%FF?x=%20#y HTTP/1.1\r\nAccept: */*\r\nHost: " + server.address() +
                     "\r\nUser-Agent: cohort/0.1\r\n\r\n");
  EXPECT_EQ(put, "PUT /p HTTP/1.1\r\nAccept: */*\r\nContent-Length: 7\r\nHost: " + server.address() +
                     "\r\nUser-Agent: cohort/0.1\r\nX-Cohort: a b\r\n\r\n" + std::string("\0\xff body", 7));
}

TEST_F(HttpClient, ReadsEveryFraming) {
  options_.sender_patience_ms = 600'000;  // One connection.
  ScriptedServer server({
      [](RawConnection& peer) {
        peer.ReadMessage();
        peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
        peer.ReadMessage();
        peer.Send("HTTP/1.1 204 No Content\r\n\r\n");
        peer.ReadMessage();
        peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");  // To a HEAD.
        peer.ReadMessage();
        peer.Send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + Answer("late"));
        peer.ReadMessage();
        peer.Send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
      },
      [](RawConnection& peer) {
        peer.ReadMessage();
        peer.Send("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold");
        EXPECT_TRUE(peer.AtEnd());
      },
      [](RawConnection& peer) {
        peer.ReadMessage();
        peer.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast");
        EXPECT_TRUE(peer.AtEnd());
      },
  });
  auto channel = Connect(server.address());
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "hello world");
  EXPECT_EQ(Ask(*channel, {"DELETE", "/", {}, "", 0})->status, 204);
  EXPECT_EQ(Ask(*channel, {"HEAD", "/", {}, "", 0})->body, "");
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "late");
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "until the end");
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "old");
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "last");
}

TEST_F(HttpClient, AConnectionIsUsedAgain) {
  options_.sender_patience_ms = 600'000;  // One connection.
  std::string requests;
  ScriptedServer server({[&](RawConnection& peer) {
    for (int i = 0; i < 20; i++) {
      peer.ReadMessage();
      peer.Send(Answer(std::to_string(i)));
    }
  }});
  auto channel = Connect(server.address());
  for (int i = 0; i < 20; i++) EXPECT_EQ(Ask(*channel, Get("/"))->body, std::to_string(i));
}

TEST_F(HttpClient, AConnectionThatThePeerClosedIsReplacedUnseen) {
  options_.sender_patience_ms = 600'000;  // One connection.
  Counter closed;
  const auto once = [&](RawConnection& peer) {
    peer.ReadMessage();
    peer.Send(Answer("ok"));
    peer.Close();
    closed.Add();
  };
  ScriptedServer server({once, once, once});
  auto channel = Connect(server.address());
  for (int i = 0; i < 3; i++) {
    auto result = Ask(*channel, {i == 1 ? "PUT" : "GET", "/", {}, "value", 0});
    ASSERT_TRUE(result.ok()) << result.status().message();
    closed.WaitFor(i + 1);
  }
}

TEST_F(HttpClient, AGetLostOnAKeptConnectionIsSentAgainOnce) {
  options_.sender_patience_ms = 600'000;  // One connection.
  std::atomic<int> seen{0};
  ScriptedServer server({[&](RawConnection& peer) {
                           peer.ReadMessage();
                           peer.Send(Answer("first"));
                           peer.ReadMessage();  // Takes it, and closes without a byte.
                           seen++;
                         },
                         [&](RawConnection& peer) {
                           peer.ReadMessage();
                           seen++;
                           peer.Send(Answer("second"));
                         }});
  auto channel = Connect(server.address());
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "first");
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "second");
  EXPECT_EQ(seen, 2);
}

TEST_F(HttpClient, APutLostOnAKeptConnectionIsNotSentAgain) {
  options_.sender_patience_ms = 600'000;  // One connection.
  Counter seen;
  ScriptedServer server({[&](RawConnection& peer) {
                           peer.ReadMessage();
                           peer.Send(Answer("first"));
                           peer.ReadMessage();
                           seen.Add();
                         },
                         [&](RawConnection& peer) {
                           peer.ReadMessage();
                           peer.Send(Answer("next"));
                         }});
  auto channel = Connect(server.address());
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "first");
  auto lost = Ask(*channel, {"PUT", "/", {}, "v", 0});
  EXPECT_EQ(lost.status().code(), Code::kUnreachable);
  EXPECT_EQ(lost.status().message(), "peer " + server.address() + " closed the connection before it had answered");
  EXPECT_EQ(seen.count(), 1);
  EXPECT_EQ(Ask(*channel, Get("/"))->body, "next");
}

TEST_F(HttpClient, AGetLostOnANewConnectionFails) {
  ScriptedServer server({[](RawConnection& peer) { peer.ReadMessage(); }});
  auto channel = Connect(server.address());
  EXPECT_EQ(Ask(*channel, Get("/")).status().message(),
            "peer " + server.address() + " closed the connection before it had answered");
}

TEST_F(HttpClient, AnAnswerCutOffInTheMiddleFails) {
  options_.sender_patience_ms = 600'000;  // One connection.
  const auto cut = [](const std::string& text) {
    return [text](RawConnection& peer) {
      peer.ReadMessage();
      peer.Send(text);
    };
  };
  ScriptedServer server({cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), cut("HTTP/1.1 200 OK\r\nConte"),
                         cut("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")});
  auto channel = Connect(server.address());
  for (int i = 0; i < 3; i++) {
    auto result = Ask(*channel, Get("/"));
    ASSERT_FALSE(result.ok()) << i;
    EXPECT_EQ(result.status().code(), Code::kUnreachable);
    EXPECT_EQ(result.status().message(), "peer " + server.address() + " closed the connection before it had answered");
  }
}

TEST_F(HttpClient, WhatIsNotHttpFails) {
  options_.sender_patience_ms = 600'000;  // One connection.
  const auto say = [](const std::string& text) {
    return [text](RawConnection& peer) {
      peer.ReadMessage();
      peer.Send(text);
      peer.ReadToEnd();
    };
  };
  ScriptedServer server({say("SSH-2.0-OpenSSH_9.2\r\n\r\n"), say("HTTP/2.0 200 OK\r\n\r\n"),
                         say("HTTP/1.1 200 OK\r\nbad header\r\n\r\n"), say(std::string(100'000, 'x'))});
  auto channel = Connect(server.address());
  for (int i = 0; i < 4; i++) {
    auto result = Ask(*channel, Get("/"));
    EXPECT_EQ(result.status().code(), Code::kUnreachable) << i;
    EXPECT_EQ(result.status().message(), "peer " + server.address() + " did not answer in HTTP") << i;
  }
}

TEST_F(HttpClient, AnAnswerAboveTheLimitsIsTooLarge) {
  options_.sender_patience_ms = 600'000;  // One connection.
  options_.max_body_bytes = 1000;
  options_.max_headers = 10;
  const auto say = [](const std::string& text) {
    return [text](RawConnection& peer) {
      peer.ReadMessage();
      peer.Send(text);
      peer.ReadToEnd();
    };
  };
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 1000; i++) many += "A: b\r\n";
  ScriptedServer server(
      {say("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nx"),
       say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\nx\r\n"),
       say("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx"), say(many), [](RawConnection& peer) {
         peer.ReadMessage();
         peer.Send(Answer(std::string(1000, 'x')));
       }});
  auto channel = Connect(server.address());
  for (int i = 0; i < 3; i++) {
    auto result = Ask(*channel, Get("/"));
    EXPECT_EQ(result.status().code(), Code::kTooLarge) << i;
    EXPECT_EQ(result.status().message(), "peer " + server.address() + " answered with more than 1000 bytes");
  }
  EXPECT_EQ(Ask(*channel, Get("/")).status().code(), Code::kTooLarge);
  EXPECT_EQ(Ask(*channel, Get("/"))->body.size(), 1000u);
}

TEST_F(HttpClient, ADeadlineEndsACallWhereverItIs) {
  options_.max_connections_per_peer = 1;
  Counter release;
  ScriptedServer server({[&](RawConnection& peer) {
    peer.ReadMessage();
    release.WaitFor(1);
  }});
  auto channel = Connect(server.address());
  Call running, queued;
  channel->Send(Get("/running", 600'000), running.Done());
  channel->Send(Get("/queued", 15), queued.Done());
  EXPECT_EQ(queued.Get().status().code(), Code::kTimeout);
  EXPECT_EQ(queued.Get().status().message(), "peer " + server.address() + " did not answer within 15 ms");
  EXPECT_EQ(running.count(), 0);
  Call silent;
  release.Add();
  EXPECT_EQ(running.Get().status().code(), Code::kUnreachable);
}

TEST_F(HttpClient, ASlowAnswerTimesOutThoughBytesKeepComing) {
  ScriptedServer server({[&](RawConnection& peer) {
    peer.ReadMessage();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    pollfd entry = {peer.fd(), POLLIN, 0};
    while (peer.Send("x") && poll(&entry, 1, 1) == 0) {
    }
  }});
  auto channel = Connect(server.address());
  auto result = Ask(*channel, Get("/", 30));
  EXPECT_EQ(result.status().code(), Code::kTimeout);
  EXPECT_EQ(result.status().message(), "peer " + server.address() + " did not answer within 30 ms");
}

TEST_F(HttpClient, CancelEndsARunningCallAndAQueuedOne) {
  options_.max_connections_per_peer = 1;
  Counter arrived;
  ScriptedServer server({[&](RawConnection& peer) {
                           peer.ReadMessage();
                           arrived.Add();
                           EXPECT_TRUE(peer.AtEnd());  // The cancelling cuts the connection.
                           arrived.Add();
                         },
                         [](RawConnection& peer) {
                           EXPECT_EQ(peer.ReadMessage().substr(0, 10), "GET /third");
                           peer.Send(Answer("third"));
                         }});
  auto channel = Connect(server.address());
  Call first, second, third;
  const auto one = channel->Send(Get("/first"), first.Done());
  const auto two = channel->Send(Get("/second"), second.Done());
  channel->Send(Get("/third"), third.Done());
  arrived.WaitFor(1);
  channel->Cancel(two);
  EXPECT_EQ(second.Get().status().code(), Code::kCancelled);
  channel->Cancel(one);
  EXPECT_EQ(first.Get().status().code(), Code::kCancelled);
  arrived.WaitFor(2);
  EXPECT_EQ(third.Get()->body, "third");
  channel->Cancel(one);
  channel->Cancel(12345);
  channel->Cancel(0);
}

TEST_F(HttpClient, CloseFailsWhatIsOpenAndWhatComesLater) {
  Counter arrived;
  ScriptedServer server({[&](RawConnection& peer) {
    peer.ReadMessage();
    arrived.Add();
    EXPECT_TRUE(peer.AtEnd());
  }});
  auto channel = Connect(server.address());
  Call open, later;
  channel->Send(Get("/"), open.Done());
  arrived.WaitFor(1);
  channel->Close();
  EXPECT_EQ(open.Get().status().code(), Code::kClosed);
  channel->Send(Get("/"), later.Done());
  EXPECT_EQ(later.count(), 1);
  EXPECT_EQ(later.Get().status().code(), Code::kClosed);
  channel->Close();
}

TEST_F(HttpClient, TheChannelsAndTheTransportsEndFailWhatIsOpen) {
  Counter arrived;
  const auto silent = [&](RawConnection& peer) {
    peer.ReadMessage();
    arrived.Add();
    peer.ReadToEnd();
  };
  ScriptedServer server({silent, silent});
  Call one, two, late;
  auto kept = Connect(server.address());
  {
    auto channel = Connect(server.address());
    channel->Send(Get("/"), one.Done());
    arrived.WaitFor(1);
  }
  EXPECT_EQ(one.Get().status().code(), Code::kClosed);
  kept->Send(Get("/"), two.Done());
  arrived.WaitFor(2);
  transport_ = nullptr;
  EXPECT_EQ(two.Get().status().code(), Code::kClosed);
  kept->Send(Get("/"), late.Done());
  EXPECT_EQ(late.Get().status().code(), Code::kClosed);
}

TEST_F(HttpClient, ARefusedConnectionIsNamed) {
  std::string address;
  {
    ScriptedServer gone({});
    address = gone.address();
  }
  auto channel = Connect(address);
  auto result = Ask(*channel, Get("/"));
  EXPECT_EQ(result.status().code(), Code::kUnreachable);
  EXPECT_EQ(result.status().message(), "peer " + address + " refused the connection");
}

TEST_F(HttpClient, BadAddressesFailOnTheFirstSend) {
  for (const char* address : {"nohost", ":80", "host:", "host:70000", "::1:80", "a b:80"}) {
    Call call;
    Connect(address)->Send(Get("/"), call.Done());
    EXPECT_EQ(call.count(), 1) << address;
    EXPECT_EQ(call.Get().status().code(), Code::kInvalidArgument) << address;
  }
  auto result = Ask(*Connect("no-such-host.invalid:80"), Get("/"));
  EXPECT_EQ(result.status().code(), Code::kUnreachable);
  EXPECT_EQ(result.status().message().substr(0, 75),
            "peer no-such-host.invalid:80: cannot resolve \"no-such-host.invalid\": Name o");
}

TEST_F(HttpClient, WhatCannotBeWrittenAsHttpIsRefused) {
  auto channel = Connect("127.0.0.1:1");
  const std::vector<Request> bad = {
      {"GET", "no-slash", {}, "", 0},
      {"GET", "/a b", {}, "", 0},
      {"GET", "/a\r\nX: y", {}, "", 0},
      {"G T", "/", {}, "", 0},
      {"", "/", {}, "", 0},
      {"GET", "/", {{"A", "b\r\nC: d"}}, "", 0},
      {"GET", "/", {{"A: b", "c"}}, "", 0},
      {"GET", std::string("/\0", 2), {}, "", 0},
  };
  for (const Request& request : bad) {
    Call call;
    EXPECT_EQ(channel->Send(request, call.Done()), 0u);
    EXPECT_EQ(call.Get().status().code(), Code::kInvalidArgument) << request.target;
  }
}

TEST_F(HttpClient, NamesAndIpv6AddressesWork) {
  Connect("x:1");
  for (const char* host : {"localhost", "[::1]"}) {
    auto listener = transport_->Listen(std::string(host) + ":0", std::make_shared<EchoHandler>());
    if (!listener.ok() && listener.status().message().find("[::1]") != std::string::npos) {
      GTEST_SKIP() << "no IPv6 here: " << listener.status().message();
    }
    ASSERT_TRUE(listener.ok()) << listener.status().message();
    const std::string address = (*listener)->Address();
    auto channel = Connect(host + address.substr(address.rfind(':')));
    auto result = Ask(*channel, Get("/x"));
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ(result->body, "GET /x\nAccept: */*\nUser-Agent: cohort/0.1\n\n");
  }
}

TEST_F(HttpClient, P8_NoMoreConnectionsThanAllowed) {
  options_.max_connections_per_peer = 3;
  auto holding = std::make_shared<HoldingHandler>();
  Connect("x:1");
  auto listener = transport_->Listen("127.0.0.1:0", holding);
  auto channel = Connect((*listener)->Address());
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 30; i++) {
    calls.push_back(std::make_unique<Call>());
    channel->Send(Get("/" + std::to_string(i)), calls.back()->Done());
  }
  holding->WaitFor(3);
  EXPECT_EQ(holding->count(), 3);
  holding->AnswerFromNowOn();
  for (auto& call : calls) EXPECT_TRUE(call->Get().ok()) << call->Get().status().message();
}

TEST_F(HttpClient, AnIdleConnectionIsClosed) {
  options_.idle_timeout_ms = 5;
  Counter ended;
  ScriptedServer server({[&](RawConnection& peer) {
    peer.ReadMessage();
    peer.Send(Answer("ok"));
    EXPECT_TRUE(peer.AtEnd());
    ended.Add();
  }});
  auto channel = Connect(server.address());
  EXPECT_TRUE(Ask(*channel, Get("/")).ok());
  ended.WaitFor(1);
}

TEST_F(HttpClient, ACompletionMaySendAndLetGoOfItsChannel) {
  Connect("x:1");
  auto listener = transport_->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
  auto channel = Connect((*listener)->Address());
  Call last;
  auto* raw = channel.get();
  raw->Send(Get("/1"), [&channel, &last](Result<Response> first) {
    EXPECT_TRUE(first.ok());
    channel->Send(Get("/2"), [&channel, done = last.Done()](Result<Response> second) mutable {
      channel = nullptr;
      done(std::move(second));
    });
  });
  EXPECT_TRUE(last.Get().ok());
  transport_ = nullptr;
}

TEST_F(HttpClient, ACompletionMayEvenWaitForAnotherCall) {
  Connect("x:1");
  auto listener = transport_->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
  auto channel = Connect((*listener)->Address());
  Call outer;
  channel->Send(Get("/outer"), [&, done = outer.Done()](Result<Response> response) mutable {
    EXPECT_EQ(Ask(*channel, Get("/inner"))->body.substr(0, 10), "GET /inner");
    done(std::move(response));
  });
  EXPECT_TRUE(outer.Get().ok());
}

TEST_F(HttpClient, ThenItsConnectionGoesToAnotherThread) {
  std::atomic<int> answered{0};
  ScriptedServer server({[&](RawConnection& peer) {
    while (!peer.ReadMessage().empty()) {
      ++answered;
      peer.Send(Answer("x"));
    }
  }});
  options_.sender_patience_ms = 1;
  auto channel = Connect(server.address());
  Call outer, inner;
  channel->Send(Get("/"), [&, done = outer.Done()](Result<Response> end) mutable {
    channel->Send(Get("/"), inner.Done());
    EXPECT_TRUE(inner.Get().ok()) << "it has but one connection that is ever answered";
    done(std::move(end));
  });
  EXPECT_TRUE(outer.Get().ok());
  EXPECT_TRUE(Ask(*channel, Get("/")).ok()) << "and the thread that was late leaves in peace";
  transport_.reset();
  EXPECT_EQ(answered, 3);
}

// The sockets of this process that are connected to the port.
int ConnectionsTo(const std::string& address) {
  const auto port = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  int found = 0;
  for (int fd = 0; fd < 1'024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.sin_family != AF_INET) continue;
    found += ntohs(peer.sin_port) == port ? 1 : 0;
  }
  return found;
}

TEST_F(HttpClient, P8_NoMoreConnectionsThanCallsAreOpenThoughCompletionsTakeLong) {
  constexpr int kChains = 4;
  constexpr int kCalls = 500;
  options_.sender_patience_ms = 0;
  Connect("x:1");
  auto listener = transport_->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
  auto channel = Connect((*listener)->Address());
  Counter ended;
  std::function<void(int)> send = [&](int left) {
    channel->Send(Get("/"), [&, left](Result<Response> end) {
      EXPECT_TRUE(end.ok()) << end.status().message();
      if (left > 0) send(left - 1);
      // So long that its connection is given to another thread.
      for (int i = 0; i < 1 + left % 20; ++i) std::this_thread::yield();
      if (left == 0) ended.Add();
    });
  };
  for (int i = 0; i < kChains; ++i) send(kCalls);
  ended.WaitFor(kChains);
  EXPECT_LE(ConnectionsTo((*listener)->Address()), kChains);
  transport_.reset();  // And the last completions are over.
}

TEST_F(HttpClient, ALentThreadAsksItselfOnceAConnectionIsThere) {
  ScriptedServer server({[](RawConnection& peer) {
    while (!peer.ReadMessage().empty()) peer.Send(Answer("x"));
  }});
  options_.sender_patience_ms = 600'000;  // One connection.
  auto channel = Connect(server.address());
  int here = 0;
  while (here < 3) {
    Call call;
    std::thread::id ran_on;
    const LentThread::Offer offer;
    LentThread lent(INT64_MAX);
    channel->Send(Get("/"), [&, done = call.Done()](Result<Response> end) mutable {
      ran_on = std::this_thread::get_id();
      done(std::move(end));
    });
    const bool left_here = LentThread::MostNs() == 0;
    lent.Run();
    EXPECT_TRUE(call.Get().ok());
    EXPECT_EQ(ran_on == std::this_thread::get_id(), left_here);
    if (left_here) ++here;
  }
}

TEST_F(HttpClient, ALentThreadIsGivenBackByItsTime) {
  ScriptedServer server({[](RawConnection& peer) {
    while (peer.ReadMessage().find(" /silence ") == std::string::npos) peer.Send(Answer("x"));
    peer.AtEnd();
  }});
  options_.sender_patience_ms = 600'000;
  auto channel = Connect(server.address());
  for (bool left_here = false; !left_here;) {
    ASSERT_TRUE(Ask(*channel, Get("/")).ok());
    const LentThread::Offer offer;
    LentThread lent(20'000'000);
    Call probe;
    channel->Send(Get("/"), probe.Done());
    left_here = LentThread::MostNs() == 0;
    lent.Run();
    ASSERT_TRUE(probe.Get().ok());
  }
  // The connection is free, for it was lent a moment ago.
  Call call;
  const LentThread::Offer offer;
  LentThread lent(20'000'000);
  channel->Send(Get("/silence", 600'000), call.Done());
  EXPECT_EQ(LentThread::MostNs(), 0);
  lent.Run();
  EXPECT_EQ(call.count(), 1);
  EXPECT_EQ(call.Get().status().code(), Code::kTimeout);
}

TEST_F(HttpClient, ALentThreadIsFreedByCancelAndByTheEnd) {
  for (const bool close : {false, true}) {
    Counter silent;
    ScriptedServer server({[&](RawConnection& peer) {
      while (peer.ReadMessage().find(" /silence ") == std::string::npos) peer.Send(Answer("x"));
      silent.Add();
      peer.AtEnd();
    }});
    transport_.reset();
    options_.sender_patience_ms = 600'000;
    auto channel = Connect(server.address());
    for (bool left_here = false; !left_here;) {
      ASSERT_TRUE(Ask(*channel, Get("/")).ok());
      const LentThread::Offer offer;
      LentThread lent(INT64_MAX);
      Call probe;
      channel->Send(Get("/"), probe.Done());
      left_here = LentThread::MostNs() == 0;
      lent.Run();
      ASSERT_TRUE(probe.Get().ok());
    }
    Call call;
    const LentThread::Offer offer;
    LentThread lent(INT64_MAX);
    const uint64_t id = channel->Send(Get("/silence", 600'000), call.Done());
    std::thread other([&] {
      silent.WaitFor(1);
      close ? channel->Close() : channel->Cancel(id);
    });
    lent.Run();
    EXPECT_EQ(call.Get().status().code(), close ? Code::kClosed : Code::kCancelled);
    other.join();
  }
}

TEST_F(HttpClient, LargeBodiesTravelBothWays) {
  Connect("x:1");
  auto listener = transport_->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
  auto channel = Connect((*listener)->Address());
  std::string large;
  for (int i = 0; i < 5'000'000; i++) large += static_cast<char>(i * 131 >> 5);
  auto result = Ask(*channel, {"POST", "/", {}, large, 0});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_TRUE(result->body.size() > large.size() &&
              result->body.compare(result->body.size() - large.size(), large.size(), large) == 0);
}

TEST_F(HttpClient, EveryCallCompletesOnceWhateverHappens) {
  options_.max_connections_per_peer = 4;
  Connect("x:1");
  auto bound = transport_->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
  auto listener = std::move(*bound);
  auto channel = Connect(listener->Address());
  constexpr int kCalls = 1000;
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < kCalls; i++) calls.push_back(std::make_unique<Call>());
  for (int i = 0; i < kCalls; i++) {
    const auto id = channel->Send({i % 2 ? "PUT" : "GET", "/", {}, "v", 1 + i % 5}, calls[i]->Done());
    if (i % 3 == 0) channel->Cancel(id);
    if (i == kCalls / 2) listener->Stop(0);
    if (i == kCalls - 50) channel->Close();
  }
  for (auto& call : calls) call->Get();
  channel = nullptr;
  transport_ = nullptr;
  listener = nullptr;
  runtime_->Stop();
  for (auto& call : calls) EXPECT_EQ(call->count(), 1);
}

}  // namespace
}  // namespace cohort
