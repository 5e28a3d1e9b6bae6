#include "cache/policy.h"

#include "cache/adaptive.h"
#include "cache/lru.h"

namespace cohort {

std::unique_ptr<EvictionPolicy> EvictionPolicy::New(Policy policy, Judge* judge, Ages* ages) {
  switch (policy) {
    case Policy::kLru:
      return std::make_unique<Lru>(ages);
    case Policy::kAdaptive:
      break;
  }
  return std::make_unique<Adaptive>(judge);
}

}  // namespace cohort
