// The ring as the cluster grows.
//
//   ring -peers N      N addresses that nobody listens on, this member's among them
//                      asked: "set": milliseconds of set_peers; "owner SECONDS": lookups of owners by one thread;
//                      "hit SECONDS": hits of keys that this member owns
#include "keys.h"
#include "measure.h"
#include "member.h"
#include "subjects.h"

namespace bench {
namespace {

std::string Address(int64_t i) {
  return "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) +
         ":8080";
}

}  // namespace

void ServeRing(const Flags& flags) {
  const int64_t peers = flags.Number("-peers", 1);
  std::string addresses = Address(0);
  for (int64_t i = 1; i < peers; ++i) addresses += "," + Address(i);
  const Member member = Join({});
  SetPeers(member, addresses, Address(0));
  const std::vector<std::string> keys = Keys(10'000);
  std::vector<std::string> own = KeysOf(member, Address(0), 100);
  for (const std::string& key : own) {
    cohort_value_free(cohort_group_get(member.group, key.data(), key.size(), 0, 0, nullptr));
  }
  Serve({}, [&](const Words& words) {
    if (words[0] == "set") {
      SetPeers(member, Address(0), Address(0));
      const auto begin = SteadyClock::now();
      SetPeers(member, addresses, Address(0));
      return Json().Add("ms", std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count());
    }
    if (words[0] == "owner") {
      return Measure<false>(1, words.Double(1), {}, 256, [&](int, int64_t call) {
        const std::string& key = keys[static_cast<size_t>(call) % keys.size()];
        cohort_value_free(cohort_instance_owner(member.instance, key.data(), key.size(), nullptr));
        return 1;
      });
    }
    return Measure<false>(1, words.Double(1), {}, 256, [&](int, int64_t call) {
      const std::string& key = own[static_cast<size_t>(call) % own.size()];
      cohort_value_t* value = cohort_group_lookup(member.group, key.data(), key.size());
      if (value == nullptr) Die("a miss");
      cohort_value_free(value);
      return 1;
    });
  });
}

}  // namespace bench
