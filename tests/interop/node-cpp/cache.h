// Cache is all that the node knows of Cohort: one member of a cluster with one group.
#ifndef COHORT_TESTS_INTEROP_NODE_CPP_CACHE_H_
#define COHORT_TESTS_INTEROP_NODE_CPP_CACHE_H_

#include <cohort/cohort.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "loader.h"

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

  cohort::Group& group() { return group_; }
  cohort::Instance& instance() { return instance_; }
  std::map<std::string, int64_t> Stats() const;

 private:
  cohort::Instance instance_;
  cohort::Group group_;
};

#endif  // COHORT_TESTS_INTEROP_NODE_CPP_CACHE_H_
