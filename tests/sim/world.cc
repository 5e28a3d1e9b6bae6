#include "sim/world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace cohort::sim {
namespace {

constexpr int64_t kLongestWaitNs = 3600 * kS;

}  // namespace

World::EventId World::After(int64_t delay_ns, int owner, uint64_t cause, Task task) {
  const EventId id = ++last_id_;
  const int64_t at_ns = now_ns_ + std::max<int64_t>(0, delay_ns);
  events_.emplace(std::make_pair(at_ns, id), Event{owner, cause, std::move(task)});
  times_.emplace(id, at_ns);
  return id;
}

bool World::Cancel(EventId id) { return static_cast<bool>(Take(id)); }

Task World::Take(EventId id) {
  const auto time = times_.find(id);
  if (time == times_.end()) return nullptr;
  const auto event = events_.find({time->second, id});
  Task task = std::move(event->second.task);
  times_.erase(time);
  events_.erase(event);
  return task;
}

bool World::Step(int64_t until_ns) {
  if (events_.empty() || events_.begin()->first.first > until_ns) {
    now_ns_ = std::max(now_ns_, until_ns);
    return false;
  }
  const auto first = events_.begin();
  now_ns_ = std::max(now_ns_, first->first.first);
  times_.erase(first->first.second);
  Event event = std::move(first->second);
  events_.erase(first);
  ++events_run_;
  {
    const CauseScope scope(*this, event.cause);
    event.task();
    event.task = nullptr;  // Its end may do things as well.
  }
  if (event.owner != kNoOwner && after_event_) {
    const CauseScope scope(*this, kNoCause);
    after_event_(event.owner);
  }
  return true;
}

bool World::Await(int64_t until_ns, const std::function<bool()>& ready) {
  const int64_t begun_ns = now_ns_;
  const int64_t limit_ns = until_ns < 0 ? begun_ns + kLongestWaitNs : until_ns;
  while (!ready()) {
    if (!Step(limit_ns)) {
      if (until_ns < 0) Stuck();
      return ready();
    }
  }
  return true;
}

void World::Stuck() const {
  std::fprintf(stderr, "P4: a call has blocked for an hour, and nothing will end it\n%sReplay: %s\n",
               trace_.Text().c_str(), replay_.c_str());
  std::abort();
}

}  // namespace cohort::sim
