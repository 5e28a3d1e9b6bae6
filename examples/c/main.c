/* Two members of one cluster in one process, in C: each key is loaded once, by its owner, whoever asks.
 *
 * usage: example-c
 */
#include <cohort/cohort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One member. */
struct member {
  const char* name;
  char address[64];
  int loads;
  cohort_instance_t* instance;
  cohort_group_t* group;
};

/* Ends the program with the error's line if `ok` does not hold. */
static void check(int ok, const cohort_error_t* error) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", cohort_status_name(cohort_error_status(error)), cohort_error_message(error));
  exit(1);
}

/* The getter: here would be a database. Ends the load exactly once. */
static void greet(void* user, cohort_load_t* load, const char* key, size_t key_size) {
  struct member* member = user;
  char text[128];
  int size = snprintf(text, sizeof text, "hello %.*s, loaded by %s", (int)key_size, key, member->name);
  member->loads++;
  cohort_load_complete(load, text, (size_t)size, 0, NULL);
}

static void start(struct member* member, const char* name, cohort_error_t* error) {
  cohort_group_options_t* options = cohort_group_options_new();
  cohort_value_t* address;
  member->name = name;
  member->instance = cohort_instance_new(NULL, error);
  check(member->instance != NULL, error);
  check(cohort_instance_listen(member->instance, "127.0.0.1:0", 11, error) == COHORT_OK, error);
  address = cohort_instance_listen_address(member->instance, error);
  check(address != NULL, error);
  snprintf(member->address, sizeof member->address, "%.*s", (int)cohort_value_size(address),
           (const char*)cohort_value_data(address));
  cohort_value_free(address);
  check(cohort_group_options_set_cache_bytes(options, 64 << 20, error) == COHORT_OK, error);
  check(cohort_group_options_set_getter(options, greet, NULL, member, error) == COHORT_OK, error);
  member->group = cohort_instance_new_group(member->instance, "greetings", 9, options, error);
  check(member->group != NULL, error);
  cohort_group_options_free(options);
}

static void print(const struct member* member, const char* key, cohort_error_t* error) {
  cohort_value_t* value = cohort_group_get(member->group, key, strlen(key), 0, 1000, error);
  check(value != NULL, error);
  printf("%s gets: %.*s\n", member->name, (int)cohort_value_size(value), (const char*)cohort_value_data(value));
  cohort_value_free(value);
}

int main(void) {
  static const char* const keys[] = {"ada", "grace", "barbara"};
  cohort_error_t* error = cohort_error_new();
  struct member members[2];
  char peers[130];
  size_t i;
  memset(members, 0, sizeof members);
  start(&members[0], "one", error);
  start(&members[1], "two", error);
  snprintf(peers, sizeof peers, "%s\n%s", members[0].address, members[1].address);
  for (i = 0; i < 2; i++) {
    check(cohort_instance_set_peers(members[i].instance, peers, strlen(peers), members[i].address,
                                    strlen(members[i].address), error) == COHORT_OK,
          error);
  }

  for (i = 0; i < 3; i++) {
    print(&members[0], keys[i], error);
    print(&members[1], keys[i], error);
  }
  check(cohort_group_set(members[0].group, "ada", 3, "hello Countess", 14, 0, 1000, error) == COHORT_OK, error);
  print(&members[1], "ada", error);
  check(cohort_group_remove(members[1].group, "ada", 3, 1000, error) == COHORT_OK, error);
  print(&members[0], "ada", error);
  printf("%d loads\n", members[0].loads + members[1].loads);

  for (i = 0; i < 2; i++) {
    cohort_group_free(members[i].group);
    cohort_instance_free(members[i].instance);
  }
  cohort_error_free(error);
  return 0;
}
