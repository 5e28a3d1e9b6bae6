// A member is an instance with the one group "bench", whose getter has the key's value of 1 KiB at once unless told
// otherwise.
#ifndef COHORT_BENCH_MEMBER_H
#define COHORT_BENCH_MEMBER_H

#include <cohort/cohort.h>

#include <string>
#include <vector>

#include "session.h"

namespace bench {

struct Member {
  cohort_instance_t* instance = nullptr;
  cohort_group_t* group = nullptr;
};

struct MemberOptions {
  int64_t cache_bytes = int64_t{512} << 20;
  cohort_getter_fn getter = nullptr;  // Default: Value(i, kValueBytes) for Key(i).
  std::string listen, peers;          // Peers separated by commas; empty: alone.
};

Member Join(const MemberOptions& options);

// Replaces the peers; addresses separated by commas, `self` among them.
void SetPeers(const Member& member, std::string peers, const std::string& self);

// Whether `owner` owns the key.
bool Owns(const Member& member, const std::string& owner, const std::string& key);
// So many keys that `owner` owns.
std::vector<std::string> KeysOf(const Member& member, const std::string& owner, size_t count);

// Stores the values of the first n keys, in the given size, each of which must be there in the end.
void Fill(const Member& member, int64_t n, size_t value_bytes);

}  // namespace bench

#endif
