// Cache is all that the node knows of libcohort: one member of a cluster with one group.
#ifndef COHORT_TESTS_INTEROP_NODE_CPP_CACHE_H_
#define COHORT_TESTS_INTEROP_NODE_CPP_CACHE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "loader.h"

// How a call on the group ended. `kind` is empty, or "notfound", "remote" or "other".
struct Answer {
  std::string kind;
  std::string error;
  std::string value;
  int64_t expire_unix_ns = 0;
};

class Cache {
 public:
  struct Options {
    std::string listen;
    std::string name;
    std::string group;
    int64_t cache_bytes;
    int32_t replicas;
  };

  // Joins as `options` say and loads through `loader`, which outlives it. Throws when it cannot.
  Cache(const Options& options, Loader* loader);
  ~Cache();

  Answer SetPeers(const std::vector<std::string>& addresses, const std::string& self);
  std::string Owner(const std::string& key);
  Answer Get(const std::string& key, int64_t timeout_ms);
  // All at once; answers in the order of the keys.
  std::vector<Answer> GetMany(const std::vector<std::string>& keys);
  Answer Set(const std::string& key, const std::string& value, int64_t expire_unix_ns);
  Answer Remove(const std::string& key);
  Answer RemoveKeys(const std::vector<std::string>& keys);
  std::map<std::string, int64_t> Stats();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

#endif  // COHORT_TESTS_INTEROP_NODE_CPP_CACHE_H_
