// Every template of cohort.hpp, instantiated as C++17; it is compiled, not run.
#include <cohort/cohort.hpp>
#include <list>
#include <string>
#include <vector>

// What a protobuf message looks like from outside.
struct Message {
  bool SerializeToString(std::string* to) const { return !to->empty(); }
  bool ParseFromArray(const void* data, int size) { return data != nullptr && size > 0; }
};

void UseEverything(cohort::Instance& instance) {
  const std::vector<std::string> list = {"a", "b"};
  instance.set_peers(list, "a");
  instance.set_peers({"a", "b"}, "a");
  const auto options = cohort::GroupOptions().getter([](std::string_view) { return Message(); }).cache_bytes(1);
  const cohort::Group group = instance.new_group("g", options);
  static_cast<void>(group.get<Message>("k"));
  static_cast<void>(group.get_many(list));
  static_cast<void>(group.get_many(std::list<const char*>{"a"}));
  static_cast<void>(group.get_many({"a", "b"}));
  group.set("k", "v");
  group.set("k", std::string("v"), std::chrono::minutes(1));
  group.set("k", Message(), std::chrono::system_clock::now());
  group.set("k", cohort::Value("v"), std::chrono::seconds(1));
  group.remove_keys(list);
  group.remove_keys({"a", "b"});
}
