// A C++17 program that sees only what Cohort installs: sets a key and gets it back.
#include <cohort/cohort.hpp>
#include <cstdio>

int main() {
  cohort::Instance instance;
  cohort::Group group = instance.new_group("greetings");
  group.set("world", "hello");
  const cohort::Value value = group.get("world");
  std::printf("cohort %s: %.*s\n", cohort_version(), static_cast<int>(value.view().size()), value.view().data());
  return value.view() == "hello" ? 0 : 1;
}
