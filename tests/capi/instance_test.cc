// Instances: peers, groups, shutting down.
#include <thread>

#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

class Instance : public ::testing::Test {
 protected:
  Owned<cohort_instance_t> instance_ = NewInstance();
  Error error_;

  cohort_status_t TryListen(std::string_view address) {
    return cohort_instance_listen(instance_.get(), address.data(), address.size(), error_);
  }
  cohort_status_t TrySetPeers(std::string_view addresses, std::string_view self) {
    return cohort_instance_set_peers(instance_.get(), addresses.data(), addresses.size(), self.data(), self.size(),
                                     error_);
  }
  cohort_status_t TryNewGroup(std::string_view name) {
    Owned<cohort_group_t> group(cohort_instance_new_group(instance_.get(), name.data(), name.size(), nullptr, error_));
    return group == nullptr ? error_.status() : COHORT_OK;
  }
};

TEST_F(Instance, IsAloneAtFirst) {
  EXPECT_EQ(Owner(instance_, "key"), "");
  EXPECT_EQ(Bytes(Owned<cohort_value_t>(cohort_instance_listen_address(instance_.get(), error_))), "");
}

TEST_F(Instance, AsManyAsWantedInOneProcess) {
  std::vector<Owned<cohort_instance_t>> instances;
  for (int i = 0; i < 20; ++i) {
    instances.push_back(NewInstance());
    EXPECT_EQ(Got(NewGroup(instances.back(), Echo()), "k"), "v:k");
  }
}

TEST_F(Instance, P10_AnAddressThatIsNoneIsNamed) {
  EXPECT_EQ(TryListen(""), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "address is empty");
  EXPECT_EQ(TryListen("localhost"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "address 'localhost' is not host:port");
  EXPECT_EQ(TryListen("http://h:1"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "address 'http://h:1' names a scheme; give host:port alone");
  EXPECT_EQ(TryListen("h:"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TryListen("h:65536"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "address 'h:65536' needs a port from 0 to 65535");
  EXPECT_EQ(TryListen("h:-1"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TryListen("::1:80"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "address '::1:80' needs brackets around its IPv6 host: [host]:port");
  EXPECT_EQ(TryListen("a b:1"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TryListen(std::string_view("a\0b:1", 5)), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TryListen(std::string(254, 'h') + ":1"), COHORT_TOO_LARGE);
  EXPECT_EQ(cohort_instance_listen(instance_.get(), nullptr, 3, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "address is NULL");
}

TEST_F(Instance, ListensEverywhereWhenNoHostIsNamed) {
  const std::string address = Listen(instance_, ":0");
  EXPECT_TRUE(address.rfind("[::]:", 0) == 0 || address.rfind("0.0.0.0:", 0) == 0) << address;
  EXPECT_EQ(TrySetPeers(":80", ":80"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "peer ':80' has no host");
}

TEST_F(Instance, ListensOnOneAddressAtATime) {
  const std::string address = Listen(instance_);
  EXPECT_EQ(TryListen("127.0.0.1:0"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "the instance listens on " + address + " already");
  const Owned<cohort_instance_t> other = NewInstance();
  EXPECT_NE(cohort_instance_listen(other.get(), address.data(), address.size(), error_), COHORT_OK);
  EXPECT_NE(error_.message().find(address), std::string::npos) << error_.message();
  EXPECT_EQ(cohort_instance_stop_listening(instance_.get(), 0, error_), COHORT_OK);
  EXPECT_EQ(cohort_instance_stop_listening(instance_.get(), 0, error_), COHORT_OK);
  EXPECT_EQ(Listen(other, address), address);
}

TEST_F(Instance, P10_PeersThatMakeNoSenseAreRefusedAndTheOldOnesStay) {
  ASSERT_EQ(TrySetPeers("h:1\nh:2", "h:2"), COHORT_OK) << error_.message();
  const std::string owner = Owner(instance_, "key");
  EXPECT_EQ(TrySetPeers("h:1\nh:2", "h:3"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "this member's own address 'h:3' is not among the 2 peers");
  EXPECT_EQ(TrySetPeers("h:1\nh:1", "h:1"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "the peer h:1 is listed twice");
  EXPECT_EQ(TrySetPeers("h:1\n", "h:1"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "peer is empty");
  EXPECT_EQ(TrySetPeers("h:1\nh:0", "h:1"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "peer 'h:0' needs a port from 1 to 65535");
  EXPECT_EQ(TrySetPeers("h:1\nhttp://h:2", "h:1"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TrySetPeers("h:1", ""), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_set_peers(instance_.get(), nullptr, 3, "h:1", 3, error_), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "addresses is NULL");
  std::string many = "h:1";
  for (int i = 2; i <= 10'001; ++i) many += "\nh:" + std::to_string(i);
  EXPECT_EQ(TrySetPeers(many, "h:1"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error_.message(), "the number of addresses is 10001; it must be from 0 to 10000");
  EXPECT_EQ(Owner(instance_, "key"), owner);
  ASSERT_EQ(TrySetPeers("", ""), COHORT_OK) << error_.message();
  EXPECT_EQ(Owner(instance_, "key"), "");
}

TEST_F(Instance, P10_AGroupsNameIsChecked) {
  EXPECT_EQ(TryNewGroup(""), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TryNewGroup("a/b"), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(TryNewGroup(std::string(256, 'n')), COHORT_TOO_LARGE);
  EXPECT_EQ(TryNewGroup(std::string(255, 'n')), COHORT_OK);
  EXPECT_EQ(TryNewGroup("g"), COHORT_OK);
  EXPECT_EQ(TryNewGroup("g"), COHORT_ALREADY_EXISTS);
  EXPECT_EQ(error_.message(), "a group named 'g' exists already");
  EXPECT_EQ(cohort_instance_new_group(instance_.get(), nullptr, 1, nullptr, error_), nullptr);
  EXPECT_EQ(error_.message(), "name is NULL");
}

TEST_F(Instance, AGroupIsFoundByItsNameUntilItIsRemoved) {
  const Owned<cohort_group_t> group = NewGroup(instance_, Echo());
  EXPECT_EQ(std::string(cohort_group_name(group.get())), "g");
  EXPECT_EQ(cohort_group_name_size(group.get()), 1);
  Owned<cohort_group_t> same(cohort_instance_get_group(instance_.get(), "g", 1, error_));
  ASSERT_NE(same, nullptr);
  EXPECT_EQ(Got(group, "k"), "v:k");
  EXPECT_TRUE(Cached(same, "k"));
  ASSERT_EQ(cohort_instance_remove_group(instance_.get(), "g", 1, error_), COHORT_OK);
  EXPECT_EQ(cohort_instance_remove_group(instance_.get(), "g", 1, error_), COHORT_NOT_FOUND);
  EXPECT_EQ(error_.message(), "there is no group named 'g'");
  EXPECT_EQ(cohort_instance_get_group(instance_.get(), "g", 1, error_), nullptr);
  EXPECT_EQ(error_.status(), COHORT_NOT_FOUND);
  EXPECT_EQ(Got(same, "k"), "CLOSED: group 'g' is closed");
  const Owned<cohort_group_t> anew = NewGroup(instance_, Echo());
  EXPECT_FALSE(Cached(anew, "k"));
  EXPECT_EQ(Got(anew, "k"), "v:k");
}

TEST_F(Instance, RemovingAGroupEndsItsWaits) {
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_queue_t> queue = NewQueue();
  const Owned<cohort_group_t> group = NewGroup(instance_, OptionsWithQueue(loads, 0));
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group, "k", queue, 1, &answer), COHORT_BEGIN_PENDING);
  Event load = TakeOne(loads);
  ASSERT_EQ(cohort_instance_remove_group(instance_.get(), "g", 1, error_), COHORT_OK);
  EXPECT_EQ(TakeOne(queue)->status, COHORT_CLOSED);
  Complete(load.TakeLoad(), "too late");
}

TEST_F(Instance, ShutdownEndsEverythingAndIsIdempotent) {
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_queue_t> queue = NewQueue();
  const Owned<cohort_group_t> group = NewGroup(instance_, OptionsWithQueue(loads, 0));
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group, "k", queue, 1, &answer), COHORT_BEGIN_PENDING);
  ASSERT_EQ(cohort_instance_shutdown(instance_.get(), 0, error_), COHORT_OK);
  ASSERT_EQ(cohort_instance_shutdown(instance_.get(), 0, error_), COHORT_OK);
  EXPECT_EQ(TakeOne(queue)->status, COHORT_CLOSED);
  EXPECT_EQ(Got(group, "k"), "CLOSED: group 'g' is closed");
  EXPECT_EQ(cohort_group_set(group.get(), "k", 1, "v", 1, 0, 0, error_), COHORT_CLOSED);
  EXPECT_EQ(cohort_group_remove(group.get(), "k", 1, 0, error_), COHORT_CLOSED);
  EXPECT_EQ(cohort_group_reset_cache(group.get(), 1, error_), COHORT_CLOSED);
  EXPECT_EQ(TryListen("127.0.0.1:0"), COHORT_CLOSED);
  EXPECT_EQ(TrySetPeers("h:1", "h:1"), COHORT_CLOSED);
  EXPECT_EQ(TryNewGroup("other"), COHORT_CLOSED);
}

TEST_F(Instance, ShutdownGivesWhatIsUnderWayTimeToEnd) {
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_queue_t> queue = NewQueue();
  const Owned<cohort_group_t> group = NewGroup(instance_, OptionsWithQueue(loads, 0));
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group, "k", queue, 1, &answer), COHORT_BEGIN_PENDING);
  std::thread closer([&] { EXPECT_EQ(cohort_instance_shutdown(instance_.get(), kPatienceMs, nullptr), COHORT_OK); });
  while (Begin(group, "k", queue, 2, &answer, COHORT_GET_PEEK) != -COHORT_CLOSED) std::this_thread::yield();
  Complete(TakeOne(loads).TakeLoad(), "in time");
  EXPECT_EQ(TakeOne(queue).data(), "in time");
  closer.join();
}

TEST_F(Instance, HandlesOfGroupsOutliveIt) {
  const Owned<cohort_group_t> group = NewGroup(instance_, Echo());
  EXPECT_EQ(Got(group, "k"), "v:k");
  instance_.reset();
  EXPECT_EQ(Got(group, "k"), "CLOSED: group 'g' is closed");
  EXPECT_EQ(cohort_group_try_copy(group.get(), "k", 1, nullptr, 0), -1);
  EXPECT_EQ(StatsOf(group).local_loads, 1);
}

TEST_F(Instance, ALoadThatOutlivesItEndsInNothing) {
  const Owned<cohort_queue_t> loads = NewQueue();
  const Owned<cohort_queue_t> queue = NewQueue();
  Owned<cohort_group_t> group = NewGroup(instance_, OptionsWithQueue(loads, 0));
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group, "k", queue, 1, &answer), COHORT_BEGIN_PENDING);
  Event load = TakeOne(loads);
  instance_.reset();
  group.reset();
  EXPECT_EQ(cohort_load_cancelled(load->load), 1);
  EXPECT_EQ(cohort_load_time_left_ms(load->load), 0);
  Complete(load.TakeLoad(), "v");
}

// What a callback of an instance does to it.
struct Inside {
  cohort_instance_t* instance = nullptr;
  cohort_status_t shutdown = COHORT_OK;
  cohort_status_t stop = COHORT_OK;
  Gate gone;
  void Act() {
    shutdown = cohort_instance_shutdown(instance, 1'000, nullptr);
    stop = cohort_instance_stop_listening(instance, 1'000, nullptr);
    cohort_instance_free(instance);
  }
};

TEST(InstanceFromWithin, FreeingFromAGetterDoesNotDeadlock) {
  Inside inside;
  inside.instance = cohort_instance_new(nullptr, nullptr);
  Owned<cohort_group_options_t> options(cohort_group_options_new());
  ASSERT_EQ(cohort_group_options_set_getter(
                options.get(),
                [](void* user, cohort_load_t* load, const char*, size_t) {
                  static_cast<Inside*>(user)->Act();
                  cohort_load_complete(load, "v", 1, 0, nullptr);
                },
                [](void* user) { static_cast<Inside*>(user)->gone.Add(); }, &inside, nullptr),
            COHORT_OK);
  Owned<cohort_group_t> group(cohort_instance_new_group(inside.instance, "g", 1, options.get(), nullptr));
  const Owned<cohort_queue_t> queue = NewQueue();
  cohort_answer_t answer;
  ASSERT_EQ(Begin(group, "k", queue, 1, &answer), COHORT_BEGIN_PENDING);
  TakeOne(queue);
  group.reset();
  options.reset();
  inside.gone.WaitFor(1);  // The other thread has closed it.
  EXPECT_EQ(inside.shutdown, COHORT_WOULD_DEADLOCK);
  EXPECT_EQ(inside.stop, COHORT_WOULD_DEADLOCK);
}

TEST(InstanceFromWithin, FreeingFromACallbackOfAnEngineThreadDoesNotDeadlock) {
  Inside inside;
  inside.instance = cohort_instance_new(nullptr, nullptr);
  const Owned<cohort_queue_t> loads = NewQueue();
  Owned<cohort_group_t> group(
      cohort_instance_new_group(inside.instance, "g", 1, OptionsWithQueue(loads, 0).get(), nullptr));
  ASSERT_NE(cohort_group_get_async(
                group.get(), "k", 1, 0, 0,
                [](void* user, cohort_status_t, cohort_value_t* value, const char*, size_t) {
                  cohort_value_free(value);
                  static_cast<Inside*>(user)->Act();
                  static_cast<Inside*>(user)->gone.Add();
                },
                &inside, nullptr),
            0U);
  Complete(TakeOne(loads).TakeLoad(), "v");
  inside.gone.WaitFor(1);
  EXPECT_EQ(inside.shutdown, COHORT_WOULD_DEADLOCK);
  // It closes soon: then nothing can be got any more.
  while (Cached(group, "k")) std::this_thread::yield();
}

TEST(InstanceInput, P10_NullsAreNamed) {
  Error error;
  EXPECT_EQ(cohort_instance_listen(nullptr, "h:1", 3, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "instance is NULL");
  EXPECT_EQ(cohort_instance_stop_listening(nullptr, 0, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_listen_address(nullptr, error), nullptr);
  EXPECT_EQ(cohort_instance_set_peers(nullptr, "", 0, "", 0, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_owner(nullptr, "k", 1, error), nullptr);
  EXPECT_EQ(cohort_instance_new_group(nullptr, "g", 1, nullptr, error), nullptr);
  EXPECT_EQ(cohort_instance_get_group(nullptr, "g", 1, error), nullptr);
  EXPECT_EQ(cohort_instance_remove_group(nullptr, "g", 1, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_instance_shutdown(nullptr, 0, error), COHORT_INVALID_ARGUMENT);
  const Owned<cohort_instance_t> instance = NewInstance();
  EXPECT_EQ(cohort_instance_owner(instance.get(), nullptr, 1, error), nullptr);
  EXPECT_EQ(error.message(), "key is NULL");
  EXPECT_EQ(cohort_instance_get_group(instance.get(), nullptr, 1, error), nullptr);
  EXPECT_EQ(error.message(), "name is NULL");
  EXPECT_EQ(cohort_instance_remove_group(instance.get(), nullptr, 1, error), COHORT_INVALID_ARGUMENT);
  cohort_instance_free(nullptr);
}

}  // namespace
}  // namespace capi_test
