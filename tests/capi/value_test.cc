// Values.
#include "capi/capi_test_util.h"

namespace capi_test {
namespace {

TEST(Value, CopiesAnyBytes) {
  std::string bytes("a\0b", 3);
  const Owned<cohort_value_t> value(cohort_value_new(bytes.data(), bytes.size(), 77, nullptr));
  bytes[0] = 'x';
  EXPECT_EQ(Bytes(value), std::string("a\0b", 3));
  EXPECT_EQ(cohort_value_expire_unix_ns(value.get()), 77);
}

TEST(Value, AnEmptyOneHasDataThatIsNotNull) {
  const Owned<cohort_value_t> copied(cohort_value_new(nullptr, 0, 0, nullptr));
  EXPECT_NE(cohort_value_data(copied.get()), nullptr);
  EXPECT_EQ(cohort_value_size(copied.get()), 0);
  const Owned<cohort_value_t> borrowed(cohort_value_new_borrowed(nullptr, 0, 0, nullptr, nullptr, nullptr));
  EXPECT_NE(cohort_value_data(borrowed.get()), nullptr);
  EXPECT_EQ(cohort_value_size(borrowed.get()), 0);
}

TEST(Value, ACloneIsTheSameBytes) {
  Owned<cohort_value_t> value(cohort_value_new("abc", 3, 0, nullptr));
  const Owned<cohort_value_t> clone(cohort_value_clone(value.get()));
  EXPECT_EQ(cohort_value_data(clone.get()), cohort_value_data(value.get()));
  value.reset();
  EXPECT_EQ(Bytes(clone), "abc");
}

TEST(Value, BorrowedMemoryIsGivenBackOnceWithTheLastReference) {
  Destroyed destroyed;
  const std::string memory = "borrowed";
  Owned<cohort_value_t> value(
      cohort_value_new_borrowed(memory.data(), memory.size(), 0, &Destroyed::Call, &destroyed, nullptr));
  EXPECT_EQ(cohort_value_data(value.get()), memory.data());
  Owned<cohort_value_t> clone(cohort_value_clone(value.get()));
  value.reset();
  EXPECT_EQ(destroyed.count, 0);
  clone.reset();
  EXPECT_EQ(destroyed.count, 1);
}

TEST(Value, BorrowedMemoryIsGivenBackOnceWhenTheCallFails) {
  Destroyed destroyed;
  Error error;
  EXPECT_EQ(cohort_value_new_borrowed(nullptr, 1, 0, &Destroyed::Call, &destroyed, error), nullptr);
  EXPECT_EQ(error.status(), COHORT_INVALID_ARGUMENT);
  EXPECT_EQ(error.message(), "value is NULL");
  EXPECT_EQ(destroyed.count, 1);
  EXPECT_EQ(cohort_value_new_borrowed("x", (size_t{1} << 30) + 1, 0, &Destroyed::Call, &destroyed, error), nullptr);
  EXPECT_EQ(error.status(), COHORT_TOO_LARGE);
  EXPECT_EQ(destroyed.count, 2);
}

TEST(Value, P10_BadInputIsNamed) {
  Error error;
  EXPECT_EQ(cohort_value_new(nullptr, 1, 0, error), nullptr);
  EXPECT_EQ(error.message(), "value is NULL");
  EXPECT_EQ(cohort_value_new("x", (size_t{1} << 30) + 1, 0, error), nullptr);
  EXPECT_EQ(error.status(), COHORT_TOO_LARGE);
  EXPECT_EQ(error.message(), "value has 1073741825 bytes; at most 1073741824 are allowed");
  EXPECT_EQ(cohort_value_clone(nullptr), nullptr);
  EXPECT_EQ(cohort_value_size(nullptr), 0);
  EXPECT_NE(cohort_value_data(nullptr), nullptr);
  EXPECT_EQ(cohort_value_expire_unix_ns(nullptr), 0);
  cohort_value_free(nullptr);
}

}  // namespace
}  // namespace capi_test
