// Control serves the protocol that drives the node from outside.
#ifndef COHORT_TESTS_INTEROP_NODE_CPP_CONTROL_H_
#define COHORT_TESTS_INTEROP_NODE_CPP_CONTROL_H_

#include <string>

#include "cache.h"
#include "loader.h"

// Serves on `address` until the process ends. Throws when it cannot listen.
void ServeControl(const std::string& address, const Cache::Options& options, Cache* cache, Loader* loader);

#endif  // COHORT_TESTS_INTEROP_NODE_CPP_CONTROL_H_
