#include "cache/policy.h"

#include "cache/lru.h"

namespace cohort {

std::unique_ptr<EvictionPolicy> EvictionPolicy::New(Policy policy) {
  switch (policy) {
    case Policy::kLru:
      break;
  }
  return std::make_unique<Lru>();
}

}  // namespace cohort
