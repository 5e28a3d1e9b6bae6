// ServedBatch runs the entries of one batch side by side and answers them in the order in which they were asked: when
// the last has ended or, for an asker with a session, after a moment, with tickets for those that have not ended.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/unique_function.h"
#include "cluster/served_answer.h"
#include "cluster/served_session.h"
#include "cluster/service.h"
#include "runtime/runtime.h"
#include "wire/messages.h"

namespace cohort {

class ServedBatch : public std::enable_shared_from_this<ServedBatch> {
 public:
  using Done = UniqueFunction<void(Body body)>;

  // `done` runs once, on the thread of the entry that ends last or on the executor, possibly before this returns.
  // limit_ms > 0 bounds the gets whose entry asks for more, or for nothing. session: null if the asker has none.
  static void Run(ServedGroups& groups, const std::vector<wire::BatchEntryView>& entries, int64_t limit_ms,
                  std::shared_ptr<ServedSession> session, Runtime& runtime, Done done);

 private:
  struct Entry {
    std::shared_ptr<ServedGroup> group;  // Whose wait that is, if it did not end at once.
    uint64_t wait = 0;
    bool ended = false;  // By End.
  };

  ServedBatch(size_t entries, std::shared_ptr<ServedSession> session, Runtime& runtime, Done done);

  // Of many gets of one group, from `begin` to `end`. Returns how many have ended here, without End.
  size_t Get(const std::shared_ptr<ServedGroup>& group, const std::vector<wire::BatchEntryView>& entries, size_t begin,
             size_t end, int64_t limit_ms);
  void End(size_t index, ServedAnswer answer);
  // All entries have begun, and so many of them ended without End.
  void Begun(size_t ended);
  // The moment is over: what has not ended gets tickets.
  void Cut();
  // REQUIRES: done_ has been taken.
  void Answer(Done done);

  Runtime& runtime_;
  const std::shared_ptr<ServedSession> session_;

  std::mutex mutex_;
  std::vector<Entry> entries_;  // None as long as all end without End.
  // Each is changed by Run or, from its ServeGet on, by End; by nobody once done_ has been taken.
  std::vector<ServedAnswer> answers_;
  size_t left_;  // Entries that have not ended, and Begun.
  bool cut_ = false;
  Done done_;
};

}  // namespace cohort
