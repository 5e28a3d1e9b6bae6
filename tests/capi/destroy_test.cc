// P4: destroy(user) runs exactly once for each registration, whatever becomes of it.
#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

void NoGetter(void*, cohort_load_t* load, const char*, size_t) { cohort_load_free(load); }
void NoEvicted(void*, int32_t, int32_t, const char*, size_t, const cohort_value_t*) {}
cohort_value_t* NoCacheGet(void*, const char*, size_t) { return nullptr; }
void NoCacheAdd(void*, const char*, size_t, const cohort_value_t*) {}
void NoCacheRemove(void*, const char*, size_t) {}
uint64_t NoHash(void*, const void*, size_t size) { return size; }
void NoLog(void*, int32_t, const char*, size_t) {}
void NoSend(void*, cohort_request_t* request) { cohort_request_free(request); }

// Each registration: of a user pointer in group options, instance options, or a transport.
struct Registration {
  const char* name;
  cohort_status_t (*in_group)(cohort_group_options_t*, Destroyed*);
  cohort_status_t (*in_instance)(cohort_instance_options_t*, Destroyed*);
};
const Registration kRegistrations[] = {
    {"Getter",
     [](cohort_group_options_t* options, Destroyed* user) {
       return cohort_group_options_set_getter(options, &NoGetter, &Destroyed::Call, user, nullptr);
     },
     nullptr},
    {"EvictionListener",
     [](cohort_group_options_t* options, Destroyed* user) {
       return cohort_group_options_set_eviction_listener(options, &NoEvicted, &Destroyed::Call, user, nullptr);
     },
     nullptr},
    {"MainCache",
     [](cohort_group_options_t* options, Destroyed* user) {
       return cohort_group_options_set_cache(options, COHORT_TIER_MAIN, &NoCacheGet, &NoCacheAdd, &NoCacheRemove,
                                             &Destroyed::Call, user, nullptr);
     },
     nullptr},
    {"HotCache",
     [](cohort_group_options_t* options, Destroyed* user) {
       return cohort_group_options_set_cache(options, COHORT_TIER_HOT, &NoCacheGet, &NoCacheAdd, &NoCacheRemove,
                                             &Destroyed::Call, user, nullptr);
     },
     nullptr},
    {"Hash", nullptr,
     [](cohort_instance_options_t* options, Destroyed* user) {
       return cohort_instance_options_set_hash(options, &NoHash, &Destroyed::Call, user, nullptr);
     }},
    {"Logger", nullptr,
     [](cohort_instance_options_t* options, Destroyed* user) {
       return cohort_instance_options_set_logger(options, COHORT_LOG_DEBUG, &NoLog, &Destroyed::Call, user, nullptr);
     }},
    {"Transport", nullptr,
     [](cohort_instance_options_t* options, Destroyed* user) {
       const Owned<cohort_transport_t> transport(
           cohort_transport_new_custom(COHORT_SEND_CALLS, &NoSend, &Destroyed::Call, user, nullptr));
       return cohort_instance_options_set_transport(options, transport.get(), nullptr);
     }},
};

class Destroy : public ::testing::TestWithParam<Registration> {
 protected:
  Destroyed destroyed_;
  Owned<cohort_group_options_t> group_options_{cohort_group_options_new()};
  Owned<cohort_instance_options_t> instance_options_{cohort_instance_options_new()};

  cohort_status_t Register() {
    return GetParam().in_group != nullptr ? GetParam().in_group(group_options_.get(), &destroyed_)
                                          : GetParam().in_instance(instance_options_.get(), &destroyed_);
  }
};

TEST_P(Destroy, P4_RunsWhenTheOptionsGo) {
  ASSERT_EQ(Register(), COHORT_OK);
  EXPECT_EQ(destroyed_.count, 0);
  group_options_.reset();
  instance_options_.reset();
  EXPECT_EQ(destroyed_.count, 1);
}

TEST_P(Destroy, P4_RunsWhenItIsReplaced) {
  ASSERT_EQ(Register(), COHORT_OK);
  ASSERT_EQ(Register(), COHORT_OK);
  EXPECT_EQ(destroyed_.count, 1);
  group_options_.reset();
  instance_options_.reset();
  EXPECT_EQ(destroyed_.count, 2);
}

TEST_P(Destroy, P4_RunsWhenTheLastUserOfTheOptionsGoes) {
  ASSERT_EQ(Register(), COHORT_OK);
  Owned<cohort_instance_t> first = NewInstance(instance_options_);
  Owned<cohort_instance_t> second = NewInstance(instance_options_);
  Owned<cohort_group_t> in_first = NewGroup(first, group_options_);
  Owned<cohort_group_t> in_second = NewGroup(second, group_options_);
  SetPeers(first, {"h:1", "h:2"}, "h:1");
  group_options_.reset();
  instance_options_.reset();
  in_first.reset();
  first.reset();
  EXPECT_EQ(destroyed_.count, 0);
  in_second.reset();
  second.reset();
  EXPECT_EQ(destroyed_.count, 1);
}

TEST_P(Destroy, P4_RunsOnceWhenTheGroupCannotBeMade) {
  ASSERT_EQ(Register(), COHORT_OK);
  Owned<cohort_instance_t> instance = NewInstance(instance_options_);
  instance_options_.reset();
  EXPECT_EQ(cohort_instance_new_group(instance.get(), "a/b", 3, group_options_.get(), nullptr), nullptr);
  Owned<cohort_group_t> group = NewGroup(instance, group_options_);
  EXPECT_EQ(cohort_instance_new_group(instance.get(), "g", 1, group_options_.get(), nullptr), nullptr);
  EXPECT_EQ(destroyed_.count, 0);
  group_options_.reset();
  group.reset();
  instance.reset();
  EXPECT_EQ(destroyed_.count, 1);
}

TEST_P(Destroy, P4_RunsOnceWhenTheInstanceCannotBeMade) {
  ASSERT_EQ(Register(), COHORT_OK);
  if (std::string(GetParam().name) != "Transport") {
    const Owned<cohort_transport_t> broken(cohort_transport_new_http(nullptr));
    ASSERT_EQ(cohort_transport_set_tls(broken.get(), "/nowhere/ca.pem", 15, nullptr, 0, nullptr, 0, 0, nullptr),
              COHORT_OK);
    ASSERT_EQ(cohort_instance_options_set_transport(instance_options_.get(), broken.get(), nullptr), COHORT_OK);
    Error error;
    EXPECT_EQ(cohort_instance_new(instance_options_.get(), error), nullptr);
    EXPECT_EQ(error.status(), COHORT_IO) << error.message();
    EXPECT_NE(error.message().find("/nowhere/ca.pem"), std::string::npos) << error.message();
  }
  EXPECT_EQ(destroyed_.count, 0);
  instance_options_.reset();
  group_options_.reset();
  EXPECT_EQ(destroyed_.count, 1);
}

std::string NameOf(const ::testing::TestParamInfo<Registration>& registration) { return registration.param.name; }
INSTANTIATE_TEST_SUITE_P(Each, Destroy, ::testing::ValuesIn(kRegistrations), &NameOf);

TEST(DestroyAtOnce, P4_WhenTheRegistrationFails) {
  Destroyed destroyed;
  const Owned<cohort_group_options_t> group(cohort_group_options_new());
  const Owned<cohort_instance_options_t> instance(cohort_instance_options_new());
  int expected = 0;
  const auto failed = [&](cohort_status_t status) {
    EXPECT_EQ(status, COHORT_INVALID_ARGUMENT);
    EXPECT_EQ(destroyed.count, ++expected);
  };
  const auto destroy = &Destroyed::Call;
  failed(cohort_group_options_set_getter(group.get(), nullptr, destroy, &destroyed, nullptr));
  failed(cohort_group_options_set_getter(nullptr, &NoGetter, destroy, &destroyed, nullptr));
  failed(cohort_group_options_set_eviction_listener(group.get(), nullptr, destroy, &destroyed, nullptr));
  failed(cohort_group_options_set_eviction_listener(nullptr, &NoEvicted, destroy, &destroyed, nullptr));
  failed(cohort_group_options_set_cache(group.get(), 0, &NoCacheGet, &NoCacheAdd, &NoCacheRemove, destroy, &destroyed,
                                        nullptr));
  failed(cohort_group_options_set_cache(nullptr, 1, &NoCacheGet, &NoCacheAdd, &NoCacheRemove, destroy, &destroyed,
                                        nullptr));
  failed(cohort_instance_options_set_hash(instance.get(), nullptr, destroy, &destroyed, nullptr));
  failed(cohort_instance_options_set_hash(nullptr, &NoHash, destroy, &destroyed, nullptr));
  failed(cohort_instance_options_set_logger(instance.get(), 9, &NoLog, destroy, &destroyed, nullptr));
  failed(cohort_instance_options_set_logger(nullptr, 0, &NoLog, destroy, &destroyed, nullptr));
  EXPECT_EQ(cohort_transport_new_custom(COHORT_SEND_RAW, nullptr, destroy, &destroyed, nullptr), nullptr);
  EXPECT_EQ(destroyed.count, ++expected);
  EXPECT_EQ(cohort_transport_new_custom(7, &NoSend, destroy, &destroyed, nullptr), nullptr);
  EXPECT_EQ(destroyed.count, ++expected);
}

}  // namespace
}  // namespace capi_test
