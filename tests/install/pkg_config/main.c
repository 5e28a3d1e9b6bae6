/* A C99 program that knows of Cohort only what pkg-config says: gets a key that its getter fills in. */
#include <cohort/cohort.h>
#include <stdio.h>
#include <string.h>

static void greet(void* user, cohort_load_t* load, const char* key, size_t key_size) {
  char value[64];
  int size = snprintf(value, sizeof value, "hello %.*s", (int)key_size, key);
  (void)user;
  cohort_load_complete(load, value, (size_t)size, 0, NULL);
}

int main(void) {
  cohort_error_t* error = cohort_error_new();
  cohort_instance_t* instance = cohort_instance_new(NULL, error);
  cohort_group_options_t* options = cohort_group_options_new();
  cohort_group_t* group;
  cohort_value_t* value;
  int right;

  cohort_group_options_set_getter(options, greet, NULL, NULL, error);
  group = cohort_instance_new_group(instance, "greetings", 9, options, error);
  value = cohort_group_get(group, "world", 5, 0, 5000, error);
  right = value != NULL && cohort_value_size(value) == 11 && memcmp(cohort_value_data(value), "hello world", 11) == 0;
  printf("pkg_config: cohort %s: %s\n", cohort_version(), right ? "hello world" : cohort_error_message(error));

  cohort_value_free(value);
  cohort_group_free(group);
  cohort_group_options_free(options);
  cohort_instance_free(instance);
  cohort_error_free(error);
  return right ? 0 : 1;
}
