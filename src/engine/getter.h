// Getter is how a group's loads reach the host when no caller leads: as a call on a pool thread, or as an event.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "engine/event_queue.h"
#include "engine/load.h"

namespace cohort {

class Group;

class Getter {
 public:
  virtual ~Getter() = default;
  // True: Run may block, so it belongs on a pool thread or in a blocked caller.
  virtual bool is_callback() const = 0;
  // Takes the load; it may be ended before this returns. No lock held. False: nobody is there to take it, and it was
  // dropped without being run.
  virtual bool Run(std::unique_ptr<Load> load) = 0;
};

class CallbackGetter final : public Getter {
 public:
  using Function = std::function<void(std::unique_ptr<Load>)>;
  explicit CallbackGetter(Function function) : function_(std::move(function)) {}
  bool is_callback() const override { return true; }
  bool Run(std::unique_ptr<Load> load) override;

 private:
  Function function_;
};

class QueueGetter final : public Getter {
 public:
  QueueGetter(std::shared_ptr<EventQueue> queue, uint64_t tag) : queue_(std::move(queue)), tag_(tag) {}
  bool is_callback() const override { return false; }
  bool Run(std::unique_ptr<Load> load) override;

 private:
  std::shared_ptr<EventQueue> queue_;
  uint64_t tag_;
};

// Whether a getter for that key of that group is running on this thread, further up the stack.
bool RunsOnThisThread(const Group* group, std::string_view key);

}  // namespace cohort
