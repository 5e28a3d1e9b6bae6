// A C++17 program that sees only what Cohort installs: sets a key and gets it back.
#include <cohort/cohort.h>

#include <cstdio>
#include <string>

int main() {
  cohort_error_t* error = cohort_error_new();
  cohort_instance_t* instance = cohort_instance_new(nullptr, error);
  cohort_group_t* group = cohort_instance_new_group(instance, "greetings", 9, nullptr, error);
  std::string got;
  if (cohort_group_set(group, "world", 5, "hello", 5, 0, 5000, error) == COHORT_OK) {
    cohort_value_t* value = cohort_group_get(group, "world", 5, 0, 5000, error);
    if (value != nullptr) {
      got.assign(static_cast<const char*>(cohort_value_data(value)), static_cast<size_t>(cohort_value_size(value)));
    }
    cohort_value_free(value);
  }
  std::printf("cohort %s: %s\n", cohort_version(), got.empty() ? cohort_error_message(error) : got.c_str());
  cohort_group_free(group);
  cohort_instance_free(instance);
  cohort_error_free(error);
  return got == "hello" ? 0 : 1;
}
