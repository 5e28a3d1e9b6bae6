// What gets cost on the wire: one request for many keys of one owner, and few connections whatever the load.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <thread>

#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

constexpr int kKeys = 100;

// The owner has each key's value already.
void Store(const Owned<cohort_group_t>& group, const std::string& key) {
  const std::string value = "v:" + key;
  Error error;
  EXPECT_EQ(cohort_group_local_set(group.get(), key.data(), key.size(), value.data(), value.size(), 0, error),
            COHORT_OK)
      << error.message();
}

std::vector<std::string> KeysOf(const Owned<cohort_instance_t>& instance, const std::string& owner, int count) {
  std::vector<std::string> keys;
  for (int i = 0; static_cast<int>(keys.size()) < count; ++i) {
    std::string key = "key" + std::to_string(i);
    if (Owner(instance, key) == owner) keys.push_back(std::move(key));
  }
  return keys;
}

// ---- requests, which the program's own transport carries and counts

struct Counted {
  cohort_instance_t* owner = nullptr;
  std::mutex mutex;
  std::map<std::string, int> requests;  // By the target's last part.
  bool holds = false;
  std::vector<cohort_request_t*> held;

  static void Send(void* user, cohort_request_t* request) {
    auto* self = static_cast<Counted*>(user);
    cohort_request_view_t view;
    cohort_request_view(request, &view);
    const std::string target(view.target, static_cast<size_t>(view.target_size));
    {
      std::lock_guard<std::mutex> lock(self->mutex);
      ++self->requests[target.find("/_cohort/") != std::string::npos ? target.substr(target.rfind('/') + 1) : "plain"];
      if (self->holds) {
        self->held.push_back(request);
        return;
      }
    }
    Pass(self, request);
  }
  static void Pass(Counted* self, cohort_request_t* request) {
    cohort_request_view_t view;
    cohort_request_view(request, &view);
    cohort_instance_handle_request_async(
        self->owner, view.method, static_cast<size_t>(view.method_size), view.target,
        static_cast<size_t>(view.target_size), view.headers, static_cast<size_t>(view.headers_size), view.value,
        static_cast<size_t>(view.value_size), view.time_left_ms, &Answer, request, nullptr);
  }
  static void Answer(void* user, cohort_response_t* response) {
    cohort_response_view_t view;
    cohort_response_view(response, &view);
    cohort_request_reply_raw(static_cast<cohort_request_t*>(user), static_cast<int32_t>(view.http_status), view.headers,
                             static_cast<size_t>(view.headers_size), view.body, static_cast<size_t>(view.body_size));
    cohort_response_free(response);
  }
  // Between the two, requests are not passed on.
  void Hold() {
    std::lock_guard<std::mutex> lock(mutex);
    holds = true;
  }
  void Release() {
    std::vector<cohort_request_t*> now;
    {
      std::lock_guard<std::mutex> lock(mutex);
      holds = false;
      now.swap(held);
    }
    for (cohort_request_t* request : now) Pass(this, request);
  }
  std::map<std::string, int> Take() {
    std::lock_guard<std::mutex> lock(mutex);
    return std::exchange(requests, {});
  }
};

class Requests : public ::testing::Test {
 protected:
  void SetUp() override {
    transport_.reset(cohort_transport_new_custom(COHORT_SEND_RAW, &Counted::Send, nullptr, &counted_, error_));
    owner_ = NewInstance(transport_);
    asker_ = NewInstance(transport_);
    counted_.owner = owner_.get();
    owners_ = NewGroup(owner_, OptionsWith([this](cohort_load_t* load, const std::string& key) {
                         if (key.rfind("slow", 0) == 0) opened_.WaitFor(1);
                         Complete(load, "v:" + key);
                       }));
    askers_ = NewGroup(asker_, Echo());
    SetPeers(owner_, {"owner", "asker"}, "owner");
    SetPeers(asker_, {"owner", "asker"}, "asker");
    const std::string first = KeyOf(asker_, "owner", "first");
    Store(owners_, first);
    ASSERT_EQ(Got(askers_, first), "v:" + first);  // The asker knows now that it is a Cohort member.
    ASSERT_EQ(counted_.Take(), (std::map<std::string, int>{{"plain", 1}}));
  }
  void TearDown() override {
    opened_.Add();
    cohort_instance_shutdown(asker_.get(), 0, nullptr);
    cohort_instance_shutdown(owner_.get(), 0, nullptr);
  }
  void BeginMany(const std::vector<std::string>& keys) {
    std::string bytes;
    std::vector<int64_t> sizes;
    for (const std::string& key : keys) {
      bytes += key;
      sizes.push_back(static_cast<int64_t>(key.size()));
    }
    answers_.resize(keys.size());
    ASSERT_EQ(cohort_group_begin_many(askers_.get(), bytes.data(), bytes.size(), sizes.data(), keys.size(), 0,
                                      kPatienceMs, queue_.get(), 0, answers_.data(), error_),
              0)
        << error_.message();
  }

  Error error_;
  Gate opened_;
  Counted counted_;
  Owned<cohort_queue_t> queue_ = NewQueue();
  Owned<cohort_transport_t> transport_;
  Owned<cohort_instance_t> owner_, asker_;
  Owned<cohort_group_t> owners_, askers_;
  std::vector<cohort_answer_t> answers_;
};

TEST_F(Requests, ManyKeysOfOneOwnerAreOneRequest) {
  const std::vector<std::string> keys = KeysOf(asker_, "owner", kKeys);
  for (const std::string& key : keys) Store(owners_, key);
  BeginMany(keys);
  for (const Event& end : Take(queue_, kKeys)) EXPECT_EQ(end.data(), "v:" + keys[end->tag]);
  EXPECT_EQ(counted_.Take(), (std::map<std::string, int>{{"batch", 1}}));
}

TEST_F(Requests, RemoveKeysIsOneRequestForEachPeerWhateverTheNumberOfKeys) {
  for (const int count : {300, 5'000}) {
    std::string bytes;
    std::vector<int64_t> sizes;
    int owned = 0;
    for (int i = 0; i < count; ++i) {
      const std::string key = std::to_string(i) + "-key";
      bytes += key;
      sizes.push_back(static_cast<int64_t>(key.size()));
      owned += Owner(asker_, key) == "owner" ? 1 : 0;
      Store(owners_, key);
    }
    ASSERT_TRUE(owned > 0 && owned < count) << "some are the owner's, some the asker's";
    EXPECT_EQ(cohort_group_remove_keys(askers_.get(), bytes.data(), bytes.size(), sizes.data(), sizes.size(),
                                       kPatienceMs, error_),
              COHORT_OK)
        << error_.message();
    const auto requests = counted_.Take();
    EXPECT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests.begin()->second, 1);
    EXPECT_EQ(requests.begin()->first, count == 300 ? "batch" : "plain") << "many have a shorter form";
    for (int i = 0; i < count; ++i) {
      const std::string key = std::to_string(i) + "-key";
      EXPECT_EQ(cohort_group_lookup(owners_.get(), key.data(), key.size()), nullptr);
    }
  }
}

TEST_F(Requests, ChangesThatWaitForAnotherTravelTogether) {
  const std::vector<std::string> keys = KeysOf(asker_, "owner", kKeys);
  counted_.Hold();
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string& key = keys[i];
    ASSERT_EQ(cohort_group_set_queue(askers_.get(), key.data(), key.size(), "new", 3, 0, kPatienceMs, queue_.get(), i,
                                     error_),
              COHORT_OK)
        << error_.message();
  }
  counted_.Release();
  for (const Event& end : Take(queue_, kKeys)) EXPECT_EQ(end->status, COHORT_OK) << end.data();
  EXPECT_EQ(counted_.Take(), (std::map<std::string, int>{{"batch", 2}})) << "the first alone, and all others";
  for (const std::string& key : keys) EXPECT_EQ(Got(owners_, key), "new");
}

TEST_F(Requests, ASlowKeyDelaysOnlyItself) {
  std::vector<std::string> keys = KeysOf(asker_, "owner", 10);
  for (const std::string& key : keys) Store(owners_, key);
  int slow = 0;
  for (int i = 0; slow < 3; ++i) {
    const std::string key = "slow" + std::to_string(i);
    if (Owner(asker_, key) != "owner") continue;
    keys.push_back(key);
    ++slow;
  }
  BeginMany(keys);
  for (const Event& end : Take(queue_, 10)) EXPECT_LT(end->tag, 10u);
  EXPECT_EQ(StatsOf(owners_).waiting, 3);
  // One of those that wait is given up, and its owner hears of it.
  EXPECT_EQ(cohort_group_cancel(askers_.get(), answers_[12].ticket), 1);
  const Event cancelled = TakeOne(queue_);
  EXPECT_EQ(cancelled->tag, 12u);
  EXPECT_EQ(cancelled->status, COHORT_CANCELLED);
  while (StatsOf(owners_).waiting != 2) std::this_thread::yield();
  opened_.Add();
  for (const Event& end : Take(queue_, 2)) EXPECT_EQ(end.data(), "v:" + keys[end->tag]);
  EXPECT_EQ(counted_.Take()["plain"], 0);
  EXPECT_EQ(StatsOf(askers_).local_loads, 0);
}

// ---- connections, which pass through a door that counts them

class Door {
 public:
  Door() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in any = Loopback(0);
    socklen_t size = sizeof any;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    EXPECT_EQ(listen(listener_, 1024), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(any.sin_port));
  }
  ~Door() {
    shutdown(listener_, SHUT_RDWR);
    if (accepting_.joinable()) accepting_.join();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (const int end : ends_) shutdown(end, SHUT_RDWR);
    }
    for (std::thread& thread : pumps_) thread.join();
    for (const int end : ends_) close(end);
    close(listener_);
  }

  const std::string& address() const { return address_; }
  void OpenTo(const std::string& address) {
    const auto port = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    accepting_ = std::thread([this, port] { Accept(port); });
  }
  int connections() {
    std::lock_guard<std::mutex> lock(mutex_);
    return static_cast<int>(ends_.size() / 2);
  }

 private:
  static sockaddr_in Loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void Accept(uint16_t port) {
    for (;;) {
      const int near = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (near < 0) return;
      const int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in to = Loopback(port);
      EXPECT_EQ(connect(far, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
      const int on = 1;
      for (const int end : {near, far}) setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      std::lock_guard<std::mutex> lock(mutex_);
      ends_.insert(ends_.end(), {near, far});
      pumps_.emplace_back([near, far] { Pump(near, far); });
      pumps_.emplace_back([near, far] { Pump(far, near); });
    }
  }
  static void Pump(int from, int to) {
    std::vector<char> bytes(1 << 16);
    for (;;) {
      const ssize_t size = read(from, bytes.data(), bytes.size());
      if (size <= 0) break;
      for (ssize_t sent = 0; sent < size;) {
        const ssize_t more = send(to, bytes.data() + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
        if (more <= 0) return;
        sent += more;
      }
    }
    shutdown(to, SHUT_WR);
  }

  int listener_ = -1;
  std::string address_;
  std::thread accepting_;
  std::mutex mutex_;
  std::vector<int> ends_;
  std::list<std::thread> pumps_;
};

TEST(Connections, FourAreEnoughFor256GetsInFlightAndChangesBesideThem) {
  Door door;
  const Owned<cohort_instance_t> owner = NewInstance();
  const Owned<cohort_instance_t> asker = NewInstance();
  door.OpenTo(Listen(owner));
  const std::vector<std::string> peers = {door.address(), "127.0.0.1:9"};
  SetPeers(owner, peers, door.address());
  SetPeers(asker, peers, "127.0.0.1:9");
  const Owned<cohort_group_t> owners = NewGroup(owner, Echo());
  const Owned<cohort_group_t> askers = NewGroup(asker, Echo());
  constexpr int kInFlight = 256;
  constexpr int kGets = 4'000;
  const std::vector<std::string> keys = KeysOf(asker, door.address(), kGets + 1);
  // Every tenth is loaded; the others are there.
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i % 10 != 0) Store(owners, keys[i]);
  }
  ASSERT_EQ(Got(askers, keys[kGets]), "v:" + keys[kGets]);

  // Callers that change keys meanwhile.
  std::atomic<bool> over{false};
  std::vector<std::thread> changing;
  for (int i = 0; i < 8; ++i) {
    changing.emplace_back([&, i] {
      const std::string key = "other" + std::to_string(i);
      do {
        Error error;
        EXPECT_EQ(cohort_group_set(askers.get(), key.data(), key.size(), "v", 1, 0, kPatienceMs, error), COHORT_OK)
            << error.message();
        EXPECT_EQ(cohort_group_remove(askers.get(), key.data(), key.size(), kPatienceMs, error), COHORT_OK)
            << error.message();
      } while (!over);
    });
  }

  const Owned<cohort_queue_t> queue = NewQueue();
  cohort_answer_t answer;
  int begun = 0;
  for (; begun < kInFlight; ++begun) {
    ASSERT_EQ(Begin(askers, keys[static_cast<size_t>(begun)], queue, static_cast<uint64_t>(begun), &answer),
              COHORT_BEGIN_PENDING);
  }
  for (int ended = 0; ended < kGets; ++ended) {
    const Event end = TakeOne(queue);
    ASSERT_EQ(end.data(), "v:" + keys[end->tag]);
    if (begun == kGets) continue;
    ASSERT_EQ(Begin(askers, keys[static_cast<size_t>(begun)], queue, static_cast<uint64_t>(begun), &answer),
              COHORT_BEGIN_PENDING);
    ++begun;
  }
  over = true;
  for (std::thread& thread : changing) thread.join();
  // Two of gets, one of changes, and one that collects; all that have ever been opened are counted.
  EXPECT_LE(door.connections(), 4);
  EXPECT_GE(door.connections(), 1);
  EXPECT_EQ(StatsOf(askers).local_loads, 0) << "all were answered by the owner";
  cohort_instance_shutdown(asker.get(), 0, nullptr);
  cohort_instance_shutdown(owner.get(), 0, nullptr);
}

}  // namespace
}  // namespace capi_test
