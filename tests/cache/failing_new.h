// Lets a test make the n-th allocation of this thread fail.
#pragma once

namespace cohort {

class FailingNew {
 public:
  // The allocation after `allocations` more throws std::bad_alloc, once.
  explicit FailingNew(int allocations);
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
  // Whether it has thrown.
  bool failed() const;
  // False where a sanitizer brings an operator new of its own: then nothing ever fails.
  static bool Works();
};

}  // namespace cohort
