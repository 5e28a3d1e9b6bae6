#include "member.h"

#include <algorithm>
#include <string_view>

#include "keys.h"

namespace bench {
namespace {

void LoadValue(void*, cohort_load_t* load, const char* key, size_t size) {
  char value[kValueBytes];
  WriteValue(NumberOf(key, size), value, sizeof(value));
  cohort_load_complete(load, value, sizeof(value), 0, nullptr);
}

}  // namespace

void SetPeers(const Member& member, std::string peers, const std::string& self) {
  cohort_error_t* error = cohort_error_new();
  std::replace(peers.begin(), peers.end(), ',', '\n');
  if (cohort_instance_set_peers(member.instance, peers.data(), peers.size(), self.data(), self.size(), error) !=
      COHORT_OK) {
    Die(cohort_error_message(error));
  }
  cohort_error_free(error);
}

Member Join(const MemberOptions& options) {
  cohort_error_t* error = cohort_error_new();
  Member member{cohort_instance_new(nullptr, error), nullptr};
  cohort_group_options_t* group_options = cohort_group_options_new();
  cohort_group_options_set_cache_bytes(group_options, options.cache_bytes, error);
  cohort_group_options_set_getter(group_options, options.getter == nullptr ? LoadValue : options.getter, nullptr,
                                  nullptr, error);
  member.group = cohort_instance_new_group(member.instance, "bench", 5, group_options, error);
  cohort_group_options_free(group_options);
  if (member.group == nullptr) Die(cohort_error_message(error));
  if (!options.listen.empty()) {
    if (cohort_instance_listen(member.instance, options.listen.data(), options.listen.size(), error) != COHORT_OK) {
      Die(cohort_error_message(error));
    }
    SetPeers(member, options.peers, options.listen);
  }
  cohort_error_free(error);
  return member;
}

bool Owns(const Member& member, const std::string& owner, const std::string& key) {
  cohort_value_t* owns = cohort_instance_owner(member.instance, key.data(), key.size(), nullptr);
  const std::string_view address(static_cast<const char*>(cohort_value_data(owns)),
                                 static_cast<size_t>(cohort_value_size(owns)));
  const bool is_it = address == owner;
  cohort_value_free(owns);
  return is_it;
}

std::vector<std::string> KeysOf(const Member& member, const std::string& owner, size_t count) {
  std::vector<std::string> keys;
  for (int64_t i = 0; keys.size() < count; ++i) {
    std::string key = Key(i);
    if (Owns(member, owner, key)) keys.push_back(std::move(key));
  }
  return keys;
}

void Fill(const Member& member, int64_t n, size_t value_bytes) {
  std::string value(value_bytes, '\0');
  for (int64_t i = 0; i < n; ++i) {
    const std::string key = Key(i);
    WriteValue(i, value.data(), value.size());
    if (cohort_group_set(member.group, key.data(), key.size(), value.data(), value.size(), 0, 0, nullptr) !=
        COHORT_OK) {
      Die("a value could not be set");
    }
  }
  cohort_cache_stats_t stats{};
  cohort_group_cache_stats(member.group, COHORT_TIER_MAIN, &stats, sizeof(stats));
  if (stats.items != n) Die("the cache holds " + std::to_string(stats.items) + " entries of " + std::to_string(n));
}

}  // namespace bench
