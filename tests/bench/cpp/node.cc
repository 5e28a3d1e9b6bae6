// A node of a cluster in which everybody asks for one cold key at once.
//
//   node -listen A -peers A,B,...      asked: "cold KEY CALLERS", and "loads": how often its getter, which takes 100
//   ms, has run
#include "measure.h"
#include "member.h"
#include "subjects.h"

namespace bench {
namespace {

std::atomic<int> loads{0};

void LoadSlowly(void*, cohort_load_t* load, const char*, size_t) {
  ++loads;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  cohort_load_complete(load, "cold", 4, 0, nullptr);
}

}  // namespace

void ServeNode(const Flags& flags) {
  MemberOptions options;
  options.getter = LoadSlowly;
  options.listen = flags.Text("-listen");
  options.peers = flags.Text("-peers");
  const Member member = Join(options);
  Serve({}, [&](const Words& words) {
    if (words[0] == "loads") return Json().Add("loads", loads);
    const std::string& key = words[1];
    std::atomic<bool> failed{false};
    std::vector<std::thread> callers;
    const auto begin = SteadyClock::now();
    for (int i = 0; i < words.Int(2); ++i) {
      callers.emplace_back([&] {
        cohort_value_t* value = cohort_group_get(member.group, key.data(), key.size(), 0, 0, nullptr);
        if (value == nullptr) failed = true;
        cohort_value_free(value);
      });
    }
    for (auto& caller : callers) caller.join();
    if (failed) Die("a get of the cold key failed");
    const double ms = std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
    return Json().Add("ms", ms);
  });
}

}  // namespace bench
