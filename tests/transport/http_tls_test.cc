// TLS and mutual TLS between members, and who is refused.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "runtime/real_runtime.h"
#include "transport/http/http_transport.h"
#include "transport/raw_socket.h"
#include "transport/transport_test_util.h"

namespace cohort {
namespace {

// A certificate and its key, made here.
struct Identity {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  ~Identity() {
    EVP_PKEY_free(key);
    X509_free(certificate);
  }
};

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  context.db = nullptr;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by `authority`, or by itself: then it is one.
std::unique_ptr<Identity> NewIdentity(const std::string& name, const std::string& alternatives, Identity* authority) {
  auto identity = std::make_unique<Identity>();
  identity->key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* certificate = identity->certificate = X509_new();
  X509_set_version(certificate, 2);
  static int serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* issuer = authority == nullptr ? certificate : authority->certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_set_pubkey(certificate, identity->key);
  if (authority == nullptr) Extend(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
  if (!alternatives.empty()) Extend(certificate, issuer, NID_subject_alt_name, alternatives);
  X509_sign(certificate, authority == nullptr ? identity->key : authority->key, EVP_sha256());
  return identity;
}

class HttpTls : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/cohort-tls-XXXXXX";
    folder_ = mkdtemp(pattern);
    auto authority = NewIdentity("test authority", "", nullptr);
    auto stranger = NewIdentity("another authority", "", nullptr);
    Write("ca", *authority);
    Write("other_ca", *stranger);
    Write("server", *NewIdentity("server", "DNS:localhost,IP:127.0.0.1,IP:::1", authority.get()));
    Write("elsewhere", *NewIdentity("localhost", "DNS:elsewhere.example,IP:10.0.0.7", authority.get()));
    Write("client", *NewIdentity("client", "", authority.get()));
    Write("stranger", *NewIdentity("client", "", stranger.get()));
  }
  void TearDown() override {
    for (const std::string& file : files_) std::remove(file.c_str());
    rmdir(folder_.c_str());
  }

  std::string Path(const std::string& file) const { return folder_ + "/" + file; }
  void Write(const std::string& name, const Identity& identity) {
    std::FILE* file = std::fopen(Path(name + ".crt").c_str(), "w");
    PEM_write_X509(file, identity.certificate);
    std::fclose(file);
    file = std::fopen(Path(name + ".key").c_str(), "w");
    PEM_write_PrivateKey(file, identity.key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    files_.push_back(Path(name + ".crt"));
    files_.push_back(Path(name + ".key"));
  }
  void WriteText(const std::string& name, const std::string& text) {
    std::ofstream(Path(name)) << text;
    files_.push_back(Path(name));
  }

  Result<std::shared_ptr<Transport>> New(const std::string& ca, const std::string& identity, bool mutual = false) {
    HttpOptions options;
    if (!ca.empty()) options.tls.ca_file = Path(ca + ".crt");
    if (!identity.empty()) {
      options.tls.cert_file = Path(identity + ".crt");
      options.tls.key_file = Path(identity + ".key");
    }
    options.tls.require_client_certificate = mutual;
    return NewHttpTransport(options, *runtime_);
  }
  void Serve(const std::string& ca, const std::string& identity, bool mutual = false,
             const std::string& address = "127.0.0.1:0",
             std::shared_ptr<RequestHandler> handler = std::make_shared<EchoHandler>()) {
    auto transport = New(ca, identity, mutual);
    ASSERT_TRUE(transport.ok()) << transport.status().message();
    server_ = *transport;
    auto listener = server_->Listen(address, std::move(handler));
    ASSERT_TRUE(listener.ok()) << listener.status().message();
    listener_ = std::move(*listener);
  }
  Result<Response> Ask(const std::string& ca, const std::string& identity, const std::string& host = "127.0.0.1",
                       int times = 1) {
    auto transport = New(ca, identity);
    EXPECT_TRUE(transport.ok()) << transport.status().message();
    const std::string address = listener_->Address();
    auto channel = (*transport)->Connect(host + address.substr(address.rfind(':')));
    for (int i = 1;; i++) {
      Call call;
      channel->Send(Get("/x"), call.Done());
      Result<Response> result = call.Get();
      if (i == times || !result.ok()) return result;
    }
  }

  std::string folder_;
  std::vector<std::string> files_;
  std::unique_ptr<Runtime> runtime_ = NewRealRuntime({"test", 4});
  std::shared_ptr<Transport> server_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(HttpTls, CarriesRequestsToAPeerThatIsWhomItsAddressSays) {
  Serve("ca", "server");
  for (const char* host : {"127.0.0.1", "localhost"}) {
    auto result = Ask("ca", "", host, 10);
    ASSERT_TRUE(result.ok()) << host << ": " << result.status().message();
    EXPECT_EQ(result->body.substr(0, 6), "GET /x");
  }
}

TEST_F(HttpTls, VerifiesIpv6Addresses) {
  auto transport = New("ca", "server");
  auto listener = (*transport)->Listen("[::1]:0", std::make_shared<EchoHandler>());
  if (!listener.ok()) GTEST_SKIP() << "no IPv6 here: " << listener.status().message();
  Serve("ca", "server", false, "[::1]:0");
  auto result = Ask("ca", "", "[::1]");
  ASSERT_TRUE(result.ok()) << result.status().message();
}

TEST_F(HttpTls, RefusesAPeerWithAnothersCertificate) {
  Serve("ca", "elsewhere");
  auto by_ip = Ask("ca", "");
  EXPECT_EQ(by_ip.status().code(), Code::kUnreachable);
  EXPECT_EQ(by_ip.status().message(),
            "peer " + listener_->Address() + ": TLS: certificate verify failed (IP address mismatch)");
  // The common name says localhost, but alternatives exist, and so they alone count.
  auto by_name = Ask("ca", "", "localhost");
  EXPECT_NE(by_name.status().message().find("TLS: certificate verify failed (hostname mismatch)"), std::string::npos)
      << by_name.status().message();
}

TEST_F(HttpTls, RefusesAPeerThatNobodyKnownHasSigned) {
  Serve("ca", "server");
  for (const char* ca : {"other_ca", "system"}) {
    HttpOptions options;
    if (std::string(ca) == "system") {
      options.tls.cert_file = Path("client.crt");
      options.tls.key_file = Path("client.key");
    } else {
      options.tls.ca_file = Path("other_ca.crt");
    }
    auto transport = NewHttpTransport(options, *runtime_);
    ASSERT_TRUE(transport.ok());
    Call call;
    auto channel = (*transport)->Connect(listener_->Address());
    channel->Send(Get("/"), call.Done());
    EXPECT_EQ(call.Get().status().code(), Code::kUnreachable);
    EXPECT_NE(call.Get().status().message().find("TLS: certificate verify failed ("), std::string::npos)
        << call.Get().status().message();
  }
}

TEST_F(HttpTls, MutualTlsTakesOnlyClientsThatItsAuthorityKnows) {
  Serve("ca", "server", true);
  auto known = Ask("ca", "client", "127.0.0.1", 5);
  ASSERT_TRUE(known.ok()) << known.status().message();
  auto nameless = Ask("ca", "");
  EXPECT_EQ(nameless.status().code(), Code::kUnreachable);
  EXPECT_NE(nameless.status().message().find("TLS: tlsv13 alert certificate required"), std::string::npos)
      << nameless.status().message();
  auto stranger = Ask("ca", "stranger");
  EXPECT_EQ(stranger.status().code(), Code::kUnreachable);
  EXPECT_NE(stranger.status().message().find("TLS: tlsv1 alert unknown ca"), std::string::npos)
      << stranger.status().message();
}

TEST_F(HttpTls, APlainPeerAndATlsPeerDoNotUnderstandEachOther) {
  Serve("ca", "server");
  RawConnection plain(listener_->Address());
  plain.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(plain.ReadToEnd().find("HTTP"), std::string::npos);

  auto plain_transport = NewHttpTransport({}, *runtime_);
  auto bound = (*plain_transport)->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
  listener_ = std::move(*bound);
  auto result = Ask("ca", "");
  EXPECT_EQ(result.status().code(), Code::kUnreachable);
  EXPECT_NE(result.status().message().find(": TLS: "), std::string::npos) << result.status().message();
}

TEST_F(HttpTls, LargeBodiesTravelBothWays) {
  Serve("ca", "server");
  auto transport = New("ca", "");
  auto channel = (*transport)->Connect(listener_->Address());
  const std::string large(3'000'000, 'x');
  for (int i = 0; i < 3; i++) {
    Call call;
    channel->Send({"POST", "/", {}, large, 0}, call.Done());
    ASSERT_TRUE(call.Get().ok()) << call.Get().status().message();
    EXPECT_GT(call.Get()->body.size(), large.size());
  }
}

// Answers with pieces that are smaller and larger than a record of TLS, the even ones lent.
class PiecesHandler final : public RequestHandler {
 public:
  PiecesHandler() {
    for (size_t i = 0; i < text.size(); i++) text[i] = static_cast<char>(i * 31 >> 3);
  }
  void Handle(Request, UniqueFunction<void(ServedResponse)> done) override {
    ServedResponse response;
    response.status = 200;
    size_t at = 0;
    for (size_t i = 0; at < text.size(); i++) {
      constexpr size_t kSizes[] = {1, 16'383, 16'384, 16'385, 7, 100'000, 20'000, 300, 32'768, 5};
      const std::string_view piece = std::string_view(text).substr(at, kSizes[i % std::size(kSizes)]);
      at += piece.size();
      if (i % 2 == 0) {
        response.body.Lend(piece, Hold(&let_go, [](void* counter) { static_cast<Counter*>(counter)->Add(); }));
        ++lent;
      } else {
        response.body.own() += piece;
      }
    }
    done(std::move(response));
  }

  std::string text = std::string(1'000'000, 'x');
  std::atomic<int> lent{0};
  Counter let_go;
};

TEST_F(HttpTls, PiecesArriveAsOneWhateverTheirSizes) {
  const auto handler = std::make_shared<PiecesHandler>();
  Serve("ca", "server", false, "127.0.0.1:0", handler);
  for (int times = 1; times <= 2; times++) {
    auto result = Ask("ca", "", "127.0.0.1", times);
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_TRUE(result->body == handler->text);
  }
  handler->let_go.WaitFor(handler->lent);
}

TEST_F(HttpTls, ASilentPeerTimesOutDuringTheHandshake) {
  ScriptedServer silent({[](RawConnection& peer) { peer.ReadToEnd(); }});
  auto transport = New("ca", "");
  auto channel = (*transport)->Connect(silent.address());
  Call call;
  channel->Send(Get("/", 20), call.Done());
  EXPECT_EQ(call.Get().status().code(), Code::kTimeout);
  EXPECT_EQ(call.Get().status().message(), "peer " + silent.address() + " did not answer within 20 ms");
}

TEST_F(HttpTls, AConnectionThatThePeerClosedIsReplacedUnseen) {
  Serve("ca", "server");
  auto transport = New("ca", "");
  auto channel = (*transport)->Connect(listener_->Address());
  for (int i = 0; i < 3; i++) {
    Call call;
    channel->Send({"PUT", "/", {}, "v", 0}, call.Done());
    ASSERT_TRUE(call.Get().ok()) << call.Get().status().message();
    const std::string address = listener_->Address();
    listener_->Stop(0);
    Serve("ca", "server", false, address);
  }
}

TEST_F(HttpTls, FilesThatCannotBeUsedAreNamed) {
  WriteText("garbage.crt", "not a certificate");
  WriteText("garbage.key", "not a key");
  const auto error = [&](TlsOptions tls) {
    HttpOptions options;
    options.tls = std::move(tls);
    return NewHttpTransport(options, *runtime_).status();
  };
  EXPECT_EQ(error({"/none/ca.crt", "", "", false}).message(),
            "cannot read ca_file /none/ca.crt: No such file or directory");
  EXPECT_EQ(error({"/none/ca.crt", "", "", false}).code(), Code::kIo);
  EXPECT_EQ(error({"", "/none/c", "/none/k", false}).message(),
            "cannot read cert_file /none/c: No such file or directory");
  EXPECT_EQ(error({"", Path("server.crt"), "/none/k", false}).message(),
            "cannot read key_file /none/k: No such file or directory");
  EXPECT_EQ(error({"", Path("server.crt"), "", false}).code(), Code::kInvalidArgument);
  EXPECT_EQ(error({"", Path("server.crt"), Path("server.key"), true}).code(), Code::kInvalidArgument);
  EXPECT_EQ(error({"", "", "", true}).code(), Code::kInvalidArgument);
  const std::string garbage_ca = error({Path("garbage.crt"), "", "", false}).message();
  EXPECT_EQ(garbage_ca.substr(0, garbage_ca.rfind(':')), "ca_file " + Path("garbage.crt") + " holds no certificate");
  const std::string garbage_key = error({"", Path("server.crt"), Path("garbage.key"), false}).message();
  EXPECT_NE(garbage_key.find("key_file " + Path("garbage.key") + " cannot be used"), std::string::npos) << garbage_key;
  const std::string mismatch = error({"", Path("server.crt"), Path("client.key"), false}).message();
  EXPECT_NE(mismatch.find("key values mismatch"), std::string::npos) << mismatch;
}

TEST_F(HttpTls, ListeningNeedsACertificate) {
  auto transport = New("ca", "");
  auto listener = (*transport)->Listen("127.0.0.1:0", std::make_shared<EchoHandler>());
  EXPECT_EQ(listener.status().code(), Code::kInvalidArgument);
  EXPECT_EQ(listener.status().message(), "to listen with TLS, cert_file and key_file are needed");
}

}  // namespace
}  // namespace cohort
