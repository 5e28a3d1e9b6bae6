// Members of a cluster in one process, over every transport: inside the process, HTTP, TLS, mutual TLS, and the
// program's own, by calls and by raw requests.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "capi/capi_test_util.h"
#include "capi/certificates.h"

namespace capi_test {
namespace {

struct Network;

// One member: an instance with a group that counts its loads.
struct Member {
  std::string address;
  Network* network = nullptr;
  Owned<cohort_instance_t> instance;
  Owned<cohort_group_t> group;
  std::mutex mutex;
  std::map<std::string, int> loads;
};

// Carries what custom transports send straight to the members.
struct Network {
  std::mutex mutex;
  std::map<std::string, Member*> members;  // Those that can be reached.
  Member* Find(const char* peer, int64_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    const auto found = members.find(std::string(peer, static_cast<size_t>(size)));
    return found == members.end() ? nullptr : found->second;
  }

  static void SendCall(void* user, cohort_request_t* request) {
    cohort_request_view_t view;
    cohort_request_view(request, &view);
    Member* const to = static_cast<Network*>(user)->Find(view.peer, view.peer_size);
    if (to == nullptr) {
      cohort_request_fail(request, COHORT_UNREACHABLE, "no route", 8, 0);
      return;
    }
    cohort_group_t* const group = to->group.get();
    const auto key_size = static_cast<size_t>(view.key_size);
    if (view.op == COHORT_REQUEST_GET) {
      Error error;
      if (cohort_group_get_async(group, view.key, key_size, COHORT_GET_LOCAL, view.time_left_ms, &OnGot, request,
                                 error) == 0) {
        cohort_request_fail(request, COHORT_UNREACHABLE, error.message().data(), error.message().size(), 0);
      }
      return;
    }
    if (view.op == COHORT_REQUEST_SET) {
      cohort_group_local_set(group, view.key, key_size, view.value, static_cast<size_t>(view.value_size),
                             view.expire_unix_ns, nullptr);
    } else if (view.op == COHORT_REQUEST_REMOVE) {
      cohort_group_local_remove(group, view.key, key_size, nullptr);
    } else {
      const char* key = view.key;
      for (int64_t i = 0; i < view.key_count; key += view.key_sizes[i++]) {
        cohort_group_local_remove(group, key, static_cast<size_t>(view.key_sizes[i]), nullptr);
      }
    }
    cohort_request_reply(request, nullptr, 0, 0);
  }
  static void OnGot(void* user, cohort_status_t status, cohort_value_t* value, const char* message,
                    size_t message_size) {
    auto* request = static_cast<cohort_request_t*>(user);
    if (status == COHORT_OK) {
      cohort_request_reply(request, cohort_value_data(value), static_cast<size_t>(cohort_value_size(value)),
                           cohort_value_expire_unix_ns(value));
      cohort_value_free(value);
    } else {
      cohort_request_fail(request, status == COHORT_LOAD_FAILED ? COHORT_REMOTE_FAILED : status, message, message_size,
                          0);
    }
  }

  static void SendRaw(void* user, cohort_request_t* request) {
    cohort_request_view_t view;
    cohort_request_view(request, &view);
    Member* const to = static_cast<Network*>(user)->Find(view.peer, view.peer_size);
    if (to == nullptr ||
        cohort_instance_handle_request_async(
            to->instance.get(), view.method, static_cast<size_t>(view.method_size), view.target,
            static_cast<size_t>(view.target_size), view.headers, static_cast<size_t>(view.headers_size), view.value,
            static_cast<size_t>(view.value_size), view.time_left_ms, &OnResponse, request, nullptr) != COHORT_OK) {
      cohort_request_fail(request, COHORT_UNREACHABLE, "no route", 8, 0);
    }
  }
  static void OnResponse(void* user, cohort_response_t* response) {
    cohort_response_view_t view;
    cohort_response_view(response, &view);
    cohort_request_reply_raw(static_cast<cohort_request_t*>(user), static_cast<int32_t>(view.http_status), view.headers,
                             static_cast<size_t>(view.headers_size), view.body, static_cast<size_t>(view.body_size));
    cohort_response_free(response);
  }
};

enum class Kind { kInproc, kHttp, kTls, kMutualTls, kCalls, kRaw };

class Cluster : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if ((GetParam() == Kind::kTls || GetParam() == Kind::kMutualTls) && !Certificates::There()) {
      GTEST_SKIP() << "no openssl program made certificates";
    }
    if (GetParam() == Kind::kInproc) transport_.reset(cohort_transport_new_inproc(error_));
    if (GetParam() == Kind::kCalls) {
      transport_.reset(cohort_transport_new_custom(COHORT_SEND_CALLS, &Network::SendCall, nullptr, &network_, error_));
    }
    if (GetParam() == Kind::kRaw) {
      transport_.reset(cohort_transport_new_custom(COHORT_SEND_RAW, &Network::SendRaw, nullptr, &network_, error_));
    }
    for (int i = 0; i < 3; ++i) members_.push_back(NewMember(i));
    Meet();
  }
  void TearDown() override {
    {
      std::lock_guard<std::mutex> lock(network_.mutex);
      network_.members.clear();
    }
    for (auto& member : members_) cohort_instance_shutdown(member->instance.get(), 0, nullptr);
  }

  Owned<cohort_transport_t> TransportOf(int index) {
    Owned<cohort_transport_t> http(cohort_transport_new_http(error_));
    const std::string ca = Certificates::File("ca.pem");
    const std::string name = "member" + std::to_string(index);
    const std::string cert = Certificates::File(name + ".pem");
    const std::string key = Certificates::File(name + ".key");
    if (GetParam() != Kind::kHttp) {
      EXPECT_EQ(cohort_transport_set_tls(http.get(), ca.data(), ca.size(), cert.data(), cert.size(), key.data(),
                                         key.size(), GetParam() == Kind::kMutualTls ? 1 : 0, error_),
                COHORT_OK)
          << error_.message();
    }
    return http;
  }

  std::unique_ptr<Member> NewMember(int index) {
    auto member = std::make_unique<Member>();
    Member* const own = member.get();
    own->instance = transport_ != nullptr ? NewInstance(transport_) : NewInstance(TransportOf(index));
    own->group = NewGroup(own->instance, OptionsWith([own](cohort_load_t* load, const std::string& key) {
                            {
                              std::lock_guard<std::mutex> lock(own->mutex);
                              ++own->loads[key];
                            }
                            if (key.find("gone") != std::string::npos) {
                              cohort_load_fail(load, COHORT_NOT_FOUND, "no such key", 11, 0);
                            } else if (key.find("broken") != std::string::npos) {
                              cohort_load_fail(load, COHORT_LOAD_FAILED, "no luck", 7, 0);
                            } else {
                              Complete(load, own->address + ":" + key);
                            }
                          }));
    if (GetParam() == Kind::kCalls || GetParam() == Kind::kRaw) {
      own->address = "member-" + std::to_string(index);
      std::lock_guard<std::mutex> lock(network_.mutex);
      network_.members[own->address] = own;
    } else {
      own->address = Listen(own->instance);
    }
    return member;
  }
  void Meet() {
    std::vector<std::string> addresses;
    for (const auto& member : members_) addresses.push_back(member->address);
    for (const auto& member : members_) SetPeers(member->instance, addresses, member->address);
  }
  // Loads of a key by all members.
  int Loads(const std::string& key) {
    int sum = 0;
    for (const auto& member : members_) {
      std::lock_guard<std::mutex> lock(member->mutex);
      sum += member->loads[key];
    }
    return sum;
  }
  std::string KeyAt(size_t owner, const std::string& salt) {
    return KeyOf(members_[0]->instance, members_[owner]->address, salt);
  }

  Error error_;
  Network network_;
  Owned<cohort_transport_t> transport_;
  std::vector<std::unique_ptr<Member>> members_;
};

TEST_P(Cluster, P1_EveryKeyIsLoadedOnceByItsOwner) {
  for (int i = 0; i < 30; ++i) {
    const std::string key = "key" + std::to_string(i);
    const std::string owner = Owner(members_[0]->instance, key);
    for (const auto& member : members_) {
      EXPECT_EQ(Owner(member->instance, key), owner);
      EXPECT_EQ(Got(member->group, key), owner + ":" + key);
    }
    EXPECT_EQ(Loads(key), 1);
  }
}

TEST_P(Cluster, TheOwnersNotFoundAndFailureAreFinal) {
  const std::string gone = KeyAt(1, "gone");
  const std::string broken = KeyAt(1, "broken");
  EXPECT_EQ(Got(members_[0]->group, gone), "NOT_FOUND: no such key");
  EXPECT_EQ(Got(members_[0]->group, broken), "REMOTE_FAILED: no luck");
  EXPECT_EQ(Got(members_[1]->group, broken), "LOAD_FAILED: no luck");
  EXPECT_EQ(Loads(gone), 1);
}

TEST_P(Cluster, P7_ASetIsSeenByAll) {
  for (size_t owner = 0; owner < 3; ++owner) {
    const std::string key = KeyAt(owner, "set");
    for (const auto& member : members_) Got(member->group, key);
    ASSERT_EQ(cohort_group_set(members_[0]->group.get(), key.data(), key.size(), "set", 3, 0, 0, error_), COHORT_OK)
        << error_.message();
    for (const auto& member : members_) EXPECT_EQ(Got(member->group, key), "set");
    EXPECT_EQ(Loads(key), 1);
  }
}

TEST_P(Cluster, P7_ARemoveIsSeenByAll) {
  for (size_t owner = 0; owner < 3; ++owner) {
    const std::string key = KeyAt(owner, "removed");
    for (const auto& member : members_) Got(member->group, key);
    ASSERT_EQ(cohort_group_remove(members_[0]->group.get(), key.data(), key.size(), 0, error_), COHORT_OK)
        << error_.message();
    for (const auto& member : members_) EXPECT_FALSE(Cached(member->group, key));
    for (const auto& member : members_) Got(member->group, key);
    EXPECT_EQ(Loads(key), 2);
  }
}

// Each change that has been begun ends once: at once, or as an event.
TEST_P(Cluster, P7_ChangesThatAreBegunAreSeenByAll) {
  const Owned<cohort_queue_t> queue = NewQueue();
  const auto end = [&](int32_t begun, uint64_t tag) {
    if (begun == COHORT_BEGIN_DONE) return;
    ASSERT_EQ(begun, COHORT_BEGIN_PENDING) << error_.message();
    const Event event = TakeOne(queue);
    EXPECT_EQ(event->kind, COHORT_EVENT_DONE);
    EXPECT_EQ(event->tag, tag);
    EXPECT_EQ(event->status, COHORT_OK) << event.data();
  };
  for (size_t owner = 0; owner < 3; ++owner) {
    const std::string key = KeyAt(owner, "begun");
    for (const auto& member : members_) Got(member->group, key);
    cohort_group_t* const group = members_[0]->group.get();
    end(cohort_group_begin_set(group, key.data(), key.size(), "set", 3, 0, 0, queue.get(), 1, error_), 1);
    for (const auto& member : members_) EXPECT_EQ(Got(member->group, key), "set");
    end(cohort_group_begin_remove(group, key.data(), key.size(), 0, queue.get(), 2, error_), 2);
    for (const auto& member : members_) EXPECT_FALSE(Cached(member->group, key));
  }
  EXPECT_TRUE(Empty(queue));
}

TEST_P(Cluster, P7_RemovedKeysAreGoneEverywhere) {
  std::string keys;
  std::vector<int64_t> sizes;
  std::vector<std::string> all;
  for (size_t owner = 0; owner < 3; ++owner) {
    for (const char* salt : {"x", "\xff/\n"}) {
      all.push_back(KeyAt(owner, salt));
      for (const auto& member : members_) Got(member->group, all.back());
      keys += all.back();
      sizes.push_back(static_cast<int64_t>(all.back().size()));
    }
  }
  ASSERT_EQ(cohort_group_remove_keys(members_[0]->group.get(), keys.data(), keys.size(), sizes.data(), sizes.size(), 0,
                                     error_),
            COHORT_OK)
      << error_.message();
  for (const std::string& key : all) {
    for (const auto& member : members_) EXPECT_FALSE(Cached(member->group, key)) << key;
  }
}

TEST_P(Cluster, ManyGetsAtOnce) {
  const Owned<cohort_queue_t> queue = NewQueue();
  constexpr size_t kKeys = 500;
  std::string keys;
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < kKeys; ++i) {
    const std::string key = "many" + std::to_string(i);
    keys += key;
    sizes.push_back(static_cast<int64_t>(key.size()));
  }
  std::vector<cohort_answer_t> answers(kKeys);
  ASSERT_EQ(cohort_group_begin_many(members_[0]->group.get(), keys.data(), keys.size(), sizes.data(), kKeys, 0,
                                    kPatienceMs, queue.get(), 0, answers.data(), error_),
            0);
  std::set<uint64_t> tags;
  for (const Event& end : Take(queue, kKeys)) {
    EXPECT_EQ(end->status, COHORT_OK) << end.data();
    const std::string key = "many" + std::to_string(end->tag);
    EXPECT_EQ(end.data(), Owner(members_[0]->instance, key) + ":" + key);
    tags.insert(end->tag);
  }
  EXPECT_EQ(tags.size(), kKeys);
}

TEST_P(Cluster, AMemberThatIsGoneIsReplacedByALoadHere) {
  const std::string key = KeyAt(1, "orphan");
  {
    std::lock_guard<std::mutex> lock(network_.mutex);
    network_.members.erase(members_[1]->address);
  }
  ASSERT_EQ(cohort_instance_shutdown(members_[1]->instance.get(), 0, error_), COHORT_OK);
  EXPECT_EQ(Got(members_[0]->group, key), members_[0]->address + ":" + key);
  EXPECT_EQ(StatsOf(members_[0]->group).peer_errors, 1);
  EXPECT_EQ(cohort_group_remove(members_[0]->group.get(), key.data(), key.size(), 2'000, error_), COHORT_UNREACHABLE);
  EXPECT_NE(error_.message().find(members_[1]->address), std::string::npos) << error_.message();
  EXPECT_FALSE(Cached(members_[0]->group, key));
  EXPECT_FALSE(Cached(members_[2]->group, key));
}

TEST_P(Cluster, P9_ThePeersMayChangeAtAnyTime) {
  std::atomic<bool> stop{false};
  std::atomic<int> gets{0};
  std::thread getter([&] {
    for (int i = 0; !stop; ++i) {
      const std::string key = "moving" + std::to_string(i % 50);
      const std::string got = Got(members_[0]->group, key);
      EXPECT_EQ(got.substr(got.rfind(':') + 1), key);
      ++gets;
    }
  });
  const std::vector<std::string> two = {members_[0]->address, members_[1]->address};
  for (int i = 0; i < 20; ++i) {
    SetPeers(members_[0]->instance, two, members_[0]->address);
    const int before = gets;
    while (gets < before + 5) std::this_thread::yield();
    SetPeers(members_[0]->instance, {}, "");
    Meet();
  }
  stop = true;
  getter.join();
}

TEST_P(Cluster, AnExpiryTravels) {
  const std::string key = KeyAt(1, "expiring");
  const int64_t far = (int64_t{4'000'000'000} * 1'000'000'000);
  ASSERT_EQ(cohort_group_set(members_[1]->group.get(), key.data(), key.size(), "v", 1, far, 0, error_), COHORT_OK);
  const Owned<cohort_value_t> value = Get(members_[0]->group, key, error_);
  ASSERT_NE(value, nullptr) << error_.message();
  // What remains travels, not the moment: clocks differ.
  EXPECT_NEAR(static_cast<double>(cohort_value_expire_unix_ns(value.get())), static_cast<double>(far), 10e9);
}

std::string NameOf(const ::testing::TestParamInfo<Kind>& info) {
  constexpr const char* kNames[] = {"Inproc", "Http", "Tls", "MutualTls", "Calls", "Raw"};
  return kNames[static_cast<size_t>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Over, Cluster,
                         ::testing::Values(Kind::kInproc, Kind::kHttp, Kind::kTls, Kind::kMutualTls, Kind::kCalls,
                                           Kind::kRaw),
                         &NameOf);

TEST(HttpCluster, AValueOf64MiBTravels) {
  const Owned<cohort_instance_t> a = NewInstance();
  const Owned<cohort_instance_t> b = NewInstance();
  const auto big = [](cohort_load_t* load, const std::string&) {
    std::string value(size_t{64} << 20, 'x');
    for (size_t i = 0; i < value.size(); i += 4096) value[i] = static_cast<char>(i / 4096);
    Complete(load, value);
  };
  const Owned<cohort_group_t> at_a = NewGroup(a, OptionsWith(big));
  Owned<cohort_group_options_t> options = OptionsWith(big);
  ASSERT_EQ(cohort_group_options_set_cache_bytes(options.get(), int64_t{1} << 30, nullptr), COHORT_OK);
  const Owned<cohort_group_t> at_b = NewGroup(b, options);
  const std::string address_a = Listen(a);
  const std::string address_b = Listen(b);
  SetPeers(a, {address_a, address_b}, address_a);
  SetPeers(b, {address_a, address_b}, address_b);
  const std::string key = KeyOf(a, address_b);
  const std::string value = Got(at_a, key);
  ASSERT_EQ(value.size(), size_t{64} << 20) << value.substr(0, 200);
  EXPECT_EQ(value, Got(at_b, key));
  EXPECT_EQ(StatsOf(at_a).local_loads, 0);
  EXPECT_EQ(StatsOf(at_b).local_loads, 1);
}

// Two members of one cluster, each with a group that echoes; `both` has their addresses, the asker's first.
struct AskerAndOwner {
  AskerAndOwner() {
    SetPeers(asker, both, both[0]);
    SetPeers(owner, both, both[1]);
  }
  const Owned<cohort_instance_t> asker = NewInstance();
  const Owned<cohort_instance_t> owner = NewInstance();
  const Owned<cohort_group_t> askers = NewGroup(asker, Echo());
  const Owned<cohort_group_t> owners = NewGroup(owner, Echo());
  const std::vector<std::string> both = {Listen(asker), Listen(owner)};
};

// Begins gets of keys that the owner has yet to load, until the event was there ten times in a row when begin returned.
TEST(HttpCluster, AThreadThatIsLentAsksTheOwnerItself) {
  Error error;
  const Owned<cohort_queue_t> queue = NewQueue();
  const AskerAndOwner members;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  for (uint64_t tag = 0, in_a_row = 0; in_a_row < 10; ++tag) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "begin leaves the asking to other threads";
    const std::string key = KeyOf(members.asker, members.both[1], std::to_string(tag));
    cohort_answer_t answer;
    ASSERT_EQ(cohort_group_begin(members.askers.get(), key.data(), key.size(), nullptr, 0, COHORT_GET_LEND, 0,
                                 queue.get(), tag, &answer, error),
              COHORT_BEGIN_PENDING);
    cohort_event_t event;
    const bool is_there = cohort_queue_wait(queue.get(), &event, 1, 0) == 1;
    in_a_row = is_there ? in_a_row + 1 : 0;
    ASSERT_TRUE(is_there || cohort_queue_wait(queue.get(), &event, 1, kPatienceMs) == 1);
    EXPECT_EQ(event.tag, tag);
    EXPECT_EQ(event.status, COHORT_OK);
    cohort_event_release(&event);
  }
}

// That it is this thread which asks shows in no event: what is proved is that each key ends once, with its value.
TEST(HttpCluster, AThreadThatIsLentGetsManyKeys) {
  Error error;
  const Owned<cohort_queue_t> queue = NewQueue();
  const AskerAndOwner members;
  ASSERT_NE(Got(members.askers, KeyOf(members.asker, members.both[1], "first")), "");  // It is known from now on.
  for (int call = 0; call < 20; ++call) {
    std::string packed;
    std::vector<int64_t> sizes;
    std::vector<std::string> values;
    for (int i = 0; i < 20; ++i) {
      const std::string key =
          KeyOf(members.asker, members.both[1], std::to_string(call) + "-" + std::to_string(i) + "-");
      const std::string value = "v:" + key;
      ASSERT_EQ(
          cohort_group_local_set(members.owners.get(), key.data(), key.size(), value.data(), value.size(), 0, error),
          COHORT_OK);
      values.push_back(value);
      packed += key;
      sizes.push_back(static_cast<int64_t>(key.size()));
    }
    std::vector<cohort_answer_t> answers(sizes.size());
    ASSERT_EQ(cohort_group_begin_many(members.askers.get(), packed.data(), packed.size(), sizes.data(), sizes.size(),
                                      COHORT_GET_LEND, 0, queue.get(), 0, answers.data(), error),
              0);
    std::vector<cohort_event_t> events(sizes.size());
    int64_t taken = cohort_queue_wait(queue.get(), events.data(), events.size(), 0);
    while (taken < 20) {
      const int64_t more = cohort_queue_wait(queue.get(), &events[static_cast<size_t>(taken)], 20, kPatienceMs);
      ASSERT_GT(more, 0);
      taken += more;
    }
    for (cohort_event_t& event : events) {
      EXPECT_EQ(event.status, COHORT_OK);
      ASSERT_LT(event.tag, values.size());
      EXPECT_EQ(std::string(static_cast<const char*>(event.data), static_cast<size_t>(event.size)), values[event.tag]);
      values[event.tag] = "ended before";
      cohort_event_release(&event);
    }
  }
}

TEST(HttpCluster, AStrangerWithoutACertificateIsNotServed) {
  if (!Certificates::There()) GTEST_SKIP() << "no openssl program made certificates";
  Error error;
  const std::string ca = Certificates::File("ca.pem");
  const std::string cert = Certificates::File("member0.pem");
  const std::string cert_key = Certificates::File("member0.key");
  const Owned<cohort_transport_t> mutual(cohort_transport_new_http(error));
  ASSERT_EQ(cohort_transport_set_tls(mutual.get(), ca.data(), ca.size(), cert.data(), cert.size(), cert_key.data(),
                                     cert_key.size(), 1, error),
            COHORT_OK);
  const Owned<cohort_transport_t> stranger(cohort_transport_new_http(error));
  ASSERT_EQ(cohort_transport_set_tls(stranger.get(), ca.data(), ca.size(), nullptr, 0, nullptr, 0, 0, error),
            COHORT_OK);
  const Owned<cohort_instance_t> a = NewInstance(mutual);
  const Owned<cohort_instance_t> b = NewInstance(stranger);
  const Owned<cohort_group_t> at_a = NewGroup(a, Echo());
  const Owned<cohort_group_t> at_b = NewGroup(b, Echo());
  const std::string address = Listen(a);
  SetPeers(b, {address, "127.0.0.1:1"}, "127.0.0.1:1");
  EXPECT_EQ(Got(at_b, KeyOf(b, address)).substr(0, 2), "v:");  // Loaded there, since a does not answer.
  EXPECT_EQ(StatsOf(at_b).peer_errors, 1);
  EXPECT_EQ(StatsOf(at_a).served_to_peers, 0);
}

}  // namespace
}  // namespace capi_test
