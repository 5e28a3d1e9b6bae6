// Load is a getter's open task: the host's hold on one attempt of a flight. It is completed or failed once; dropping it
// open abandons it, and what comes after the flight has moved on is ignored (P4).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "cache/value.h"

namespace cohort {

class EventQueue;
class Group;
struct Flight;

class Load {
 public:
  Load(std::shared_ptr<Group> group, std::shared_ptr<Flight> flight, uint64_t attempt);
  ~Load();  // Abandons it if it is open.
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  std::string_view key() const;
  Group& group() const { return *group_; }
  // Until the latest deadline of those who wait, at most until the load's own; 0 when none is left.
  int64_t TimeLeftMs() const;
  // Nobody waits for it any more, or it has been ended for it.
  bool Cancelled() const;
  // Offers a kCancel event with `tag` when the last waiter leaves. Once.
  Status Watch(std::shared_ptr<EventQueue> queue, uint64_t tag);
  // The leader's own caller has gone.
  void Leave();

  // Each ends the load; a second end is ignored.
  void Complete(ValueRef value);
  // Returns how many events carry `error_tag`.
  int64_t Fail(Code code, std::string_view message, uint64_t error_tag);

 private:
  friend class Group;
  std::shared_ptr<Group> group_;
  std::shared_ptr<Flight> flight_;
  const uint64_t attempt_;
  bool open_ = true;
};

}  // namespace cohort
