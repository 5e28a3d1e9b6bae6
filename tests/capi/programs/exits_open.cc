// Ends its process in the middle of everything: two members that talk to each other, waiting gets, a thread in a getter
// and one in a queue; nothing is closed. The library is found at run time, as by a plugin host.
//
// usage: exits_open LIBRARY [main|exit|thread]
#include <cohort/cohort.h>
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

void* library = nullptr;
std::atomic<int> loads{0};

template <typename Function>
Function* Find(const char* name) {
  void* const found = dlsym(library, name);
  if (found == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::exit(2);
  }
  Function* function;
  std::memcpy(&function, &found, sizeof function);
  return function;
}
#define FIND(name) Find<decltype(name)>(#name)

void Getter(void*, cohort_load_t* load, const char*, size_t) {
  loads.fetch_add(1);
  FIND(cohort_load_complete)(load, "value", 5, 0, nullptr);
}
void Blocks(void*, cohort_load_t*, const char*, size_t) {
  loads.fetch_add(1);
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

std::string Start(cohort_instance_t** instance, cohort_group_t** group) {
  cohort_error_t* const error = FIND(cohort_error_new)();
  *instance = FIND(cohort_instance_new)(nullptr, error);
  FIND(cohort_instance_listen)(*instance, "127.0.0.1:0", 11, error);
  cohort_group_options_t* const options = FIND(cohort_group_options_new)();
  FIND(cohort_group_options_set_getter)(options, &Getter, nullptr, nullptr, error);
  *group = FIND(cohort_instance_new_group)(*instance, "g", 1, options, error);
  FIND(cohort_group_options_set_getter)(options, &Blocks, nullptr, nullptr, error);
  cohort_group_t* const blocked = FIND(cohort_instance_new_group)(*instance, "blocked", 7, options, error);
  cohort_queue_t* const queue = FIND(cohort_queue_new)(error);
  cohort_answer_t answer;
  FIND(cohort_group_begin)(blocked, "k", 1, nullptr, 0, 0, 60'000, queue, 1, &answer, error);
  std::thread([queue] {
    cohort_event_t event;
    FIND(cohort_queue_wait)(queue, &event, 1, -1);
  }).detach();
  cohort_value_t* const value = FIND(cohort_instance_listen_address)(*instance, error);
  return std::string(static_cast<const char*>(FIND(cohort_value_data)(value)),
                     static_cast<size_t>(FIND(cohort_value_size)(value)));
}

}  // namespace

int main(int argc, char** argv) {
  library = dlopen(argc > 1 ? argv[1] : "libcohort.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  const std::string way = argc > 2 ? argv[2] : "main";
  cohort_instance_t* instances[2];
  cohort_group_t* groups[2];
  std::string addresses[2];
  for (int i = 0; i < 2; ++i) addresses[i] = Start(&instances[i], &groups[i]);
  const std::string peers = addresses[0] + "\n" + addresses[1];
  for (int i = 0; i < 2; ++i) {
    FIND(cohort_instance_set_peers)
    (instances[i], peers.data(), peers.size(), addresses[i].data(), addresses[i].size(), nullptr);
  }
  // Traffic until the very end.
  for (int i = 0; i < 4; ++i) {
    std::thread([group = groups[i % 2]] {
      for (int key = 0;; ++key) {
        const std::string text = std::to_string(key);
        FIND(cohort_value_free)(FIND(cohort_group_get)(group, text.data(), text.size(), 0, 1'000, nullptr));
      }
    }).detach();
  }
  while (loads < 200) std::this_thread::yield();
  if (way == "exit") std::exit(0);
  if (way == "thread") {
    std::thread([] { std::exit(0); }).detach();
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  return 0;
}
