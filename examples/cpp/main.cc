// Two members of one cluster in one process, in C++: each key is loaded once, by its owner, whoever asks.
//
// usage: example-cpp
#include <atomic>
#include <cohort/cohort.hpp>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

// One member.
struct Member {
  explicit Member(std::string own_name) : name(std::move(own_name)) {
    instance.listen("127.0.0.1:0");
    address = instance.listen_address();
  }
  // The getter: here would be a database.
  std::string greet(std::string_view key) {
    ++loads;
    return "hello " + std::string(key) + ", loaded by " + name;
  }

  std::string name;
  std::string address;
  std::atomic<int> loads{0};
  cohort::Instance instance;
  cohort::Group group = instance.new_group("greetings", cohort::GroupOptions().cache_bytes(64 << 20).getter(
                                                            [this](std::string_view key) { return greet(key); }));
};

void print(const Member& member, std::string_view key) {
  const cohort::Value value = member.group.get(key, std::chrono::seconds(1));
  std::printf("%s gets: %s\n", member.name.c_str(), value.str().c_str());
}

}  // namespace

int main() try {
  Member one("one");
  Member two("two");
  const std::vector<std::string> peers = {one.address, two.address};
  one.instance.set_peers(peers, one.address);
  two.instance.set_peers(peers, two.address);

  for (const char* key : {"ada", "grace", "barbara"}) {
    print(one, key);
    print(two, key);
  }
  one.group.set("ada", "hello Countess", std::chrono::minutes(5));
  print(two, "ada");
  two.group.remove("ada");
  print(one, "ada");
  std::printf("%d loads\n", one.loads + two.loads);
} catch (const cohort::Error& error) {
  std::fprintf(stderr, "%s: %s\n", cohort::to_string(error.code()), error.what());
  return 1;
}
