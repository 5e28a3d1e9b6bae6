#include "capi/fence.h"

#include <string>

namespace cohort::capi {

Status Caught() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
  } catch (const std::exception& defect) {
    try {
      return {Code::kInternal, std::string("unexpected: ") + defect.what()};
    } catch (...) {  // Not even the message fits into memory.
    }
  } catch (...) {
    return {Code::kInternal, "unexpected"};
  }
  return {Code::kNoMemory, "out of memory"};  // Short enough to need no allocation.
}

}  // namespace cohort::capi
