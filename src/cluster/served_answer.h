// ServedAnswer is the end of a peer's get as the bodies of batches and collects say it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/body.h"
#include "cluster/service.h"
#include "wire/messages.h"

namespace cohort {

// Values beyond this do not travel together, so that one body's size stays bounded. One alone has no limit.
inline constexpr int64_t kMaxValuesBytes = int64_t{32} << 20;

struct ServedAnswer {
  enum class Kind {
    kGet,    // The end of a get.
    kAck,    // A change has been made.
    kLater,  // The get has not ended: collect its ticket.
  };
  Kind kind = Kind::kGet;
  ServedGroup::Answer answer;  // kGet
  uint64_t ticket = 0;
};

// The body that says them in their order, and takes their values. One that does not fit beside those before it is
// kTooLarge.
Body EncodeServedAnswers(std::vector<ServedAnswer>* answers, uint64_t incarnation, int64_t now_unix_ns);

// The same of the one value of a plain get, which then expires at that time.
Body EncodeServedValue(ValueRef value, int64_t expire_unix_ns);

}  // namespace cohort
