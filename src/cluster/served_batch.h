// ServedBatch runs the entries of one batch side by side and answers when the last has ended, in the order in which
// they were asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/unique_function.h"
#include "cluster/service.h"
#include "runtime/runtime.h"
#include "wire/messages.h"

namespace cohort {

class ServedBatch {
 public:
  using Done = UniqueFunction<void(std::vector<wire::BatchAnswer>)>;

  // `done` runs once, on the thread of the entry that ends last, possibly before this returns. limit_ms > 0 bounds the
  // gets whose entry asks for more, or for nothing.
  static void Run(ServedGroups& groups, std::vector<wire::BatchEntry> entries, int64_t limit_ms, Clock& clock,
                  Done done);

 private:
  ServedBatch(size_t entries, Clock& clock, Done done);

  void EndGet(size_t index, const ServedGroup::Answer& answer);
  void End();

  std::vector<wire::BatchAnswer> answers_;  // Each entry writes its own; End publishes them.
  std::atomic<size_t> left_;
  std::atomic<int64_t> room_bytes_;  // For values.
  Clock& clock_;
  Done done_;
};

}  // namespace cohort
