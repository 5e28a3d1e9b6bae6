// Outcome is how a get ended, as every one of its waiters is told.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "cache/value.h"

namespace cohort {

enum class Source : int32_t { kNone = 0, kMain = 1, kHot = 2, kPeer = 3, kLoad = 4 };

struct Outcome {
  Code code = Code::kOk;
  ValueRef value;    // Ok: the value. Else the message, shared by all who wait.
  bool keep = true;  // False: a Remove or Set overtook the load; hand it out, keep it nowhere.
  Source source = Source::kNone;
  uint64_t error_tag = 0;  // The host's own, when a getter of this process failed.

  static Outcome Failed(Code code, std::string_view message, uint64_t error_tag = 0) {
    Outcome outcome;
    outcome.code = code;
    outcome.value = Value::Copy({}, message, 0);
    outcome.error_tag = error_tag;
    return outcome;
  }
  static Outcome Failed(const Status& status) { return Failed(status.code(), status.message()); }

  bool ok() const { return code == Code::kOk; }
  std::string_view message() const { return ok() ? std::string_view() : value->bytes(); }
};

}  // namespace cohort
