// Loads libcohort and a library that uses protobuf with the same names, in either order and for everybody to see, and
// works with both.
//
// usage: two_protobufs LIBRARY OTHER_LIBRARY [other-first]
#include <cohort/cohort.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <string>

namespace {

void* Open(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) std::fprintf(stderr, "%s\n", dlerror());
  return library;
}

template <typename Function>
Function* Find(void* library, const char* name) {
  void* const found = dlsym(library, name);
  Function* function = nullptr;
  std::memcpy(&function, &found, sizeof function);
  return function;
}

void Getter(void* user, cohort_load_t* load, const char* key, size_t key_size) {
  Find<decltype(cohort_load_complete)>(user, "cohort_load_complete")(load, key, key_size, 0, nullptr);
}

// Two members that ask each other over HTTP, which takes the library's own messages.
bool CohortWorks(void* library) {
#define COHORT_CALL(name) Find<decltype(name)>(library, #name)
  cohort_instance_t* instances[2];
  cohort_group_t* groups[2];
  std::string addresses[2];
  cohort_group_options_t* const options = COHORT_CALL(cohort_group_options_new)();
  COHORT_CALL(cohort_group_options_set_getter)(options, &Getter, nullptr, library, nullptr);
  for (int i = 0; i < 2; ++i) {
    instances[i] = COHORT_CALL(cohort_instance_new)(nullptr, nullptr);
    groups[i] = COHORT_CALL(cohort_instance_new_group)(instances[i], "g", 1, options, nullptr);
    COHORT_CALL(cohort_instance_listen)(instances[i], "127.0.0.1:0", 11, nullptr);
    cohort_value_t* const address = COHORT_CALL(cohort_instance_listen_address)(instances[i], nullptr);
    addresses[i] = std::string(static_cast<const char*>(COHORT_CALL(cohort_value_data)(address)),
                               static_cast<size_t>(COHORT_CALL(cohort_value_size)(address)));
    COHORT_CALL(cohort_value_free)(address);
  }
  const std::string peers = addresses[0] + "\n" + addresses[1];
  for (int i = 0; i < 2; ++i) {
    COHORT_CALL(cohort_instance_set_peers)
    (instances[i], peers.data(), peers.size(), addresses[i].data(), addresses[i].size(), nullptr);
  }
  bool works = true;
  for (int i = 0; i < 100; ++i) {
    const std::string key = std::to_string(i * 7919) + " is a key whose beginning moves it around the ring";
    cohort_value_t* const value = COHORT_CALL(cohort_group_get)(groups[0], key.data(), key.size(), 0, 10'000, nullptr);
    works = works && value != nullptr && COHORT_CALL(cohort_value_size)(value) == static_cast<int64_t>(key.size());
    COHORT_CALL(cohort_value_free)(value);
  }
  cohort_group_stats_t stats;
  COHORT_CALL(cohort_group_stats)(groups[0], &stats, sizeof stats);
  works = works && stats.peer_loads > 0 && stats.peer_errors == 0;
  COHORT_CALL(cohort_group_options_free)(options);
  for (int i = 0; i < 2; ++i) {
    COHORT_CALL(cohort_group_free)(groups[i]);
    COHORT_CALL(cohort_instance_free)(instances[i]);
  }
  return works;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const bool other_first = argc > 3 && std::string(argv[3]) == "other-first";
  void* const first = Open(argv[other_first ? 2 : 1]);
  void* const second = Open(argv[other_first ? 1 : 2]);
  if (first == nullptr || second == nullptr) return 2;
  void* const cohort = other_first ? second : first;
  void* const other = other_first ? first : second;
  const auto other_works = Find<int()>(other, "other_library_works");
  for (int i = 0; i < 2; ++i) {
    if (other_works() != 1) {
      std::fprintf(stderr, "the other library does not work\n");
      return 1;
    }
    if (!CohortWorks(cohort)) {
      std::fprintf(stderr, "libcohort does not work\n");
      return 1;
    }
  }
  return 0;
}
