// Errors and statuses.
#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

TEST(Error, IsOkWhenNew) {
  Error error;
  EXPECT_EQ(error.status(), COHORT_OK);
  EXPECT_EQ(error.message(), "");
  EXPECT_STREQ(cohort_error_message(error), "");
}

TEST(Error, HoldsTheLastFailureAndIsClearedByTheNextSuccess) {
  Error error;
  EXPECT_EQ(cohort_instance_options_set_replicas(nullptr, 1, error), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.status(), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "options is NULL");
  const Owned<cohort_instance_options_t> options(cohort_instance_options_new());
  EXPECT_EQ(cohort_instance_options_set_replicas(options.get(), 1, error), COHORT_OK);
  EXPECT_EQ(error.status(), COHORT_OK);
  EXPECT_EQ(error.message(), "");
}

TEST(Error, NullIsAcceptedEverywhere) {
  EXPECT_EQ(cohort_instance_options_set_replicas(nullptr, 1, nullptr), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(cohort_error_status(nullptr), COHORT_OK);
  EXPECT_STREQ(cohort_error_message(nullptr), "");
  EXPECT_EQ(cohort_error_message_size(nullptr), 0);
  cohort_error_free(nullptr);
}

TEST(Error, EveryStatusHasANameOfItsOwn) {
  std::set<std::string> names;
  for (cohort_status_t status = COHORT_OK; status <= COHORT_INTERNAL; ++status) {
    names.insert(cohort_status_name(status));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(COHORT_INTERNAL) + 1);
  EXPECT_EQ(names.count("UNKNOWN"), 0U);
  EXPECT_STREQ(cohort_status_name(-1), "UNKNOWN");
  EXPECT_STREQ(cohort_status_name(COHORT_INTERNAL + 1), "UNKNOWN");
  EXPECT_STREQ(cohort_status_name(COHORT_WOULD_DEADLOCK), "WOULD_DEADLOCK");
}

TEST(Version, IsThatOfTheHeader) {
  EXPECT_EQ(cohort_api_level(), COHORT_API_LEVEL);
  EXPECT_GE(std::string(cohort_version()).size(), 5U);
}

}  // namespace
}  // namespace capi_test
