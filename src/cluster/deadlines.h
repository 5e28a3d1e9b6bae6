// Deadlines keeps many deadlines, of which few pass: those of about one millisecond stand in a list, so that putting
// one in and taking it out costs nearly nothing. Not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace cohort {

class Deadlines {
 public:
  // What has a deadline derives from it. Outlives its time in here.
  struct Timed {
    explicit Timed(int64_t deadline) : deadline_ns(deadline) {}
    int64_t deadline_ns;  // Changes only outside.

   private:
    friend class Deadlines;
    bool listed = false;
    Timed* before = nullptr;
    Timed* after = nullptr;
  };

  Deadlines() = default;
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  bool empty() const { return lists_.empty(); }
  // Nothing is due before that. REQUIRES: not empty.
  int64_t DueNs() const { return lists_.begin()->second.least_ns; }
  // Each does nothing if that is so already.
  void Add(Timed& timed);
  void Remove(Timed& timed);
  // Takes out those that have passed, those that are due first first.
  std::vector<Timed*> TakePassed(int64_t now_ns);

 private:
  struct List {
    Timed* first = nullptr;
    int64_t least_ns = 0;  // No later than that of any in it.
  };
  using Lists = std::map<int64_t, List>;  // By the deadline's millisecond, about; none is empty.
  Lists::iterator ListOf(int64_t place);

  Lists lists_;
  Lists::node_type spare_;                 // The last that went: where one goes, another comes.
  Lists::iterator latest_ = lists_.end();  // That which was used last: what comes together ends together.
};

}  // namespace cohort
